//! What is wrong with a canary strategy, apart from its steps and routers.

use super::{check_anti_affinity, routing, steps};
use crate::mistake::{FieldPath, Mistake};
use crate::rollout::{CanaryStrategy, ProgressThreshold, ProgressThresholdKind};
use crate::validate::analysis::check_request;
use crate::validate::fields::{Found, extra_metadata, known_word, not_negative, optional_name, share_of_pods};
use crate::validate::names::DNS_LABEL;
use crate::values::{IntOrPercent, Rounding};

pub(super) fn check(path: &FieldPath, canary: &CanaryStrategy, found: &mut Found) {
    check_services(path, canary, found);
    routing::check(path, canary, found);
    steps::check(path, canary, found);
    check_budget(path, canary, found);
    check_delays(path, canary, found);
    if let Some(threshold) = &canary.replica_progress_threshold {
        check_threshold(&path.field("replicaProgressThreshold"), threshold, found);
    }
    if let Some(background) = &canary.analysis {
        check_request(&path.field("analysis"), &background.analysis, found);
    }
    check_anti_affinity(&path.field("antiAffinity"), canary.anti_affinity.as_ref(), found);
    extra_metadata(&path.field("canaryMetadata"), canary.canary_metadata.as_ref(), found);
    extra_metadata(&path.field("stableMetadata"), canary.stable_metadata.as_ref(), found);
}

fn check_services(path: &FieldPath, canary: &CanaryStrategy, found: &mut Found) {
    let canary_service = canary.canary_service.as_deref();
    let stable_service = canary.stable_service.as_deref();
    optional_name(&path.field("canaryService"), canary_service, &DNS_LABEL, found);
    optional_name(&path.field("stableService"), stable_service, &DNS_LABEL, found);
    if let Some(name) = canary_service.filter(|name| !name.is_empty() && Some(*name) == stable_service) {
        let mend = "name a Service of its own for each";
        found.push(Mistake::wrong(path.field("canaryService"), name, "is the stableService too", mend));
    }
}

/// Without a pod more and without a pod less nothing can ever be replaced. Only what is written counts: the
/// defaults leave room.
fn check_budget(path: &FieldPath, canary: &CanaryStrategy, found: &mut Found) {
    share_of_pods(path.field("maxSurge"), canary.max_surge.as_ref(), found);
    share_of_pods(path.field("maxUnavailable"), canary.max_unavailable.as_ref(), found);
    if canary.max_surge.as_ref().is_some_and(is_nothing) && canary.max_unavailable.as_ref().is_some_and(is_nothing) {
        let mend = "allow one of the two, for example maxSurge: 1";
        found.push(Mistake::about(path.field("maxSurge"), "and maxUnavailable are both 0", mend));
    }
}

/// Whether a share is no pods of any number of them.
fn is_nothing(share: &IntOrPercent) -> bool {
    const MANY: i32 = 1_000_000;
    share.resolve_bare_as_percent(MANY, Rounding::Up) == Ok(0)
}

fn check_delays(path: &FieldPath, canary: &CanaryStrategy, found: &mut Found) {
    not_negative(path.field("abortScaleDownDelaySeconds"), canary.abort_scale_down_delay_seconds, found);
    let delayed = canary.scale_down_delay_seconds.is_some();
    if canary.traffic_routing.is_none() {
        let problem = "has a meaning with trafficRouting only";
        if delayed {
            found.push(Mistake::about(
                path.field("scaleDownDelaySeconds"),
                problem,
                "remove it, or set trafficRouting",
            ));
        }
        if canary.dynamic_stable_scale() {
            found.push(Mistake::about(path.field("dynamicStableScale"), problem, "remove it, or set trafficRouting"));
        }
    } else if delayed && canary.dynamic_stable_scale() {
        let mend = "remove one of the two";
        let problem = "can't be combined with dynamicStableScale, which leaves nothing to wait for";
        found.push(Mistake::about(path.field("scaleDownDelaySeconds"), problem, mend));
    }
}

fn check_threshold(path: &FieldPath, threshold: &ProgressThreshold, found: &mut Found) {
    const ALL: i32 = 100;
    match &threshold.kind {
        None => found.push(Mistake::missing(path.field("type"), "is required", "write Percent or Pods")),
        Some(ProgressThresholdKind::Other(word)) => {
            known_word(path.field("type"), word, ProgressThresholdKind::KNOWN, found);
        }
        Some(ProgressThresholdKind::Percent | ProgressThresholdKind::Pods) => {}
    }
    let value_path = path.field("value");
    match threshold.value {
        None => found.push(Mistake::missing(value_path, "is required", "write how many pods must be available")),
        Some(percent) if threshold.kind == Some(ProgressThresholdKind::Percent) && percent > ALL => {
            found.push(Mistake::wrong(value_path, percent, "is more than 100 percent", "write 0 to 100"));
        }
        value => not_negative(value_path, value, found),
    }
}
