//! Blue-green: the new version runs beside the old one, and a Service is switched over at once.

use super::{AntiAffinity, RolloutAnalysis};
use crate::shape::api_types;
use crate::unit::{ExtraMetadata, KeepPods};
use crate::values::IntOrPercent;

api_types! {
    /// Runs the new version beside the old one and switches a Service over at once.
    pub struct BlueGreenStrategy {
        /// Service that carries the traffic; the controller points it at the active revision.
        #[schemars(transform = crate::schema::mark::required)]
        pub active_service: String,
        /// Service for looking at the new revision before the switch. Must not be activeService.
        pub preview_service: Option<String>,
        /// Pods to run of the new revision until it is promoted. Default: as many as replicas.
        pub preview_replica_count: Option<i32>,
        /// Whether the switch happens by itself once the new revision is ready. Default: true.
        pub auto_promotion_enabled: Option<bool>,
        /// Seconds to wait for a person, once the new revision is ready, before the switch happens by itself.
        /// Ignored when autoPromotionEnabled is false. Default: 0.
        pub auto_promotion_seconds: Option<i32>,
        /// Pods, or percent of them, that may be down during a restart. Default: 25%.
        pub max_unavailable: Option<IntOrPercent>,
        /// Seconds that the old revision keeps its pods after the switch, so that going back is instant.
        /// 0 keeps them until the next release. Default: 30.
        pub scale_down_delay_seconds: Option<i32>,
        /// How many old revisions may wait for their scale-down delay at once, at most revisionHistoryLimit.
        /// Default: no limit.
        pub scale_down_delay_revision_limit: Option<i32>,
        /// Analysis that must succeed before the switch.
        pub pre_promotion_analysis: Option<RolloutAnalysis>,
        /// Analysis after the switch; if it fails, the switch is undone.
        pub post_promotion_analysis: Option<RolloutAnalysis>,
        /// Keeps new and active pods off each other's nodes.
        pub anti_affinity: Option<AntiAffinity>,
        /// Labels and annotations that pods carry while they are the preview.
        pub preview_metadata: Option<ExtraMetadata>,
        /// Labels and annotations that pods carry while they are active.
        pub active_metadata: Option<ExtraMetadata>,
        /// Seconds that the new revision keeps its pods after an abort; 0 keeps them for good. Default: 30.
        pub abort_scale_down_delay_seconds: Option<i32>,
        /// Whether a version that was rejected before (status.rejected) and is asked for again waits at the
        /// stable one until somebody retries. Default: false, it is released anew.
        pub hold_rejected: Option<bool>,
    }
}

impl BlueGreenStrategy {
    /// Whether the switch happens by itself once the new revision is ready.
    pub fn auto_promotion_enabled(&self) -> bool {
        self.auto_promotion_enabled.unwrap_or(true)
    }

    /// Seconds to wait for a person before the switch happens by itself.
    pub fn auto_promotion_seconds(&self) -> i32 {
        self.auto_promotion_seconds.unwrap_or(0)
    }

    /// Pods that may be down during a restart.
    pub fn max_unavailable(&self) -> IntOrPercent {
        self.max_unavailable.clone().unwrap_or_else(|| "25%".into())
    }

    /// How long the old revision keeps its pods after the switch.
    pub fn scale_down_delay(&self) -> KeepPods {
        KeepPods::from_delay(self.scale_down_delay_seconds, KeepPods::Seconds(30))
    }

    /// Whether a version that was rejected before waits for a retry.
    pub fn hold_rejected(&self) -> bool {
        self.hold_rejected.unwrap_or(false)
    }

    /// How long the new revision keeps its pods after an abort.
    pub fn abort_scale_down_delay(&self) -> KeepPods {
        KeepPods::from_delay(self.abort_scale_down_delay_seconds, KeepPods::Seconds(30))
    }
}
