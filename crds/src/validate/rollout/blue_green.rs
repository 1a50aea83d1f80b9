//! What is wrong with a blue-green strategy.

use super::check_anti_affinity;
use crate::mistake::{FieldPath, Mistake};
use crate::rollout::{BlueGreenStrategy, RolloutSpec};
use crate::validate::analysis::check_request;
use crate::validate::fields::{Found, extra_metadata, not_negative, optional_name, required_name, share_of_pods};
use crate::validate::names::DNS_LABEL;

pub(super) fn check(path: &FieldPath, strategy: &BlueGreenStrategy, spec: &RolloutSpec, found: &mut Found) {
    let active = strategy.active_service.as_str();
    let preview = strategy.preview_service.as_deref();
    let mend = "name the Service that carries the traffic";
    required_name(path.field("activeService"), Some(active), &DNS_LABEL, mend, found);
    optional_name(&path.field("previewService"), preview, &DNS_LABEL, found);
    if let Some(preview) = preview.filter(|preview| !preview.is_empty() && *preview == active) {
        let mend = "name a Service of its own for the preview, or remove it";
        found.push(Mistake::wrong(path.field("previewService"), preview, "is the activeService", mend));
    }
    not_negative(path.field("previewReplicaCount"), strategy.preview_replica_count, found);
    not_negative(path.field("abortScaleDownDelaySeconds"), strategy.abort_scale_down_delay_seconds, found);
    share_of_pods(path.field("maxUnavailable"), strategy.max_unavailable.as_ref(), found);
    let kept = spec.revision_history_limit();
    if let Some(limit) = strategy.scale_down_delay_revision_limit.filter(|limit| *limit > kept) {
        let problem = format!("is more than spec.revisionHistoryLimit, which is {kept}");
        let mend = format!("write {kept} or less, or keep more revisions");
        found.push(Mistake::wrong(path.field("scaleDownDelayRevisionLimit"), limit, problem, mend));
    }
    for (field, analysis) in [
        ("prePromotionAnalysis", &strategy.pre_promotion_analysis),
        ("postPromotionAnalysis", &strategy.post_promotion_analysis),
    ] {
        if let Some(analysis) = analysis {
            check_request(&path.field(field), analysis, found);
        }
    }
    check_anti_affinity(&path.field("antiAffinity"), strategy.anti_affinity.as_ref(), found);
    extra_metadata(&path.field("previewMetadata"), strategy.preview_metadata.as_ref(), found);
    extra_metadata(&path.field("activeMetadata"), strategy.active_metadata.as_ref(), found);
}
