//! Canary: pods or traffic move to the new version in steps.

use super::step::CanaryStep;
use super::{AntiAffinity, BackgroundAnalysis, TrafficRouting};
use crate::schema::mark;
use crate::shape::{api_types, known_values};
use crate::unit::{ExtraMetadata, KeepPods};
use crate::values::IntOrPercent;

api_types! {
    /// Moves pods or traffic to the new version in steps.
    pub struct CanaryStrategy {
        /// Service that the controller points at the new revision. Most traffic routers need it.
        pub canary_service: Option<String>,
        /// Service that the controller points at the stable revision. Most traffic routers need it.
        pub stable_service: Option<String>,
        /// What happens, in order, when a new revision is released. Without steps it is a rolling update.
        #[schemars(transform = mark::atomic)]
        pub steps: Option<Vec<CanaryStep>>,
        /// Routes traffic by weight. Without it the share of traffic follows from the number of pods.
        pub traffic_routing: Option<TrafficRouting>,
        /// Pods, or percent of replicas (rounded down), that may be missing during the release. Not 0
        /// together with maxSurge. Default: 25%.
        pub max_unavailable: Option<IntOrPercent>,
        /// Pods, or percent of replicas (rounded up), that may run above replicas during the release. Not 0
        /// together with maxUnavailable. Default: 25%.
        pub max_surge: Option<IntOrPercent>,
        /// Analysis that runs in the background while the steps go on; if it fails, the release is aborted.
        pub analysis: Option<BackgroundAnalysis>,
        /// Keeps new and stable pods off each other's nodes.
        pub anti_affinity: Option<AntiAffinity>,
        /// Labels and annotations that pods carry while they are the canary.
        pub canary_metadata: Option<ExtraMetadata>,
        /// Labels and annotations that pods carry while they are stable.
        pub stable_metadata: Option<ExtraMetadata>,
        /// Seconds that the old revision keeps its pods after the release; 0 keeps them until the next release.
        /// Only with trafficRouting and without dynamicStableScale. Default: 30.
        pub scale_down_delay_seconds: Option<i32>,
        /// How many old revisions may wait for their scale-down delay at once. Default: no limit.
        pub scale_down_delay_revision_limit: Option<i32>,
        /// Seconds that the canary keeps its pods after an abort; 0 keeps them for good. Only with
        /// trafficRouting. Default: 30; with dynamicStableScale they go at once.
        pub abort_scale_down_delay_seconds: Option<i32>,
        /// Whether the stable revision shrinks as traffic moves away from it. Only with trafficRouting.
        /// Default: false, which keeps it at full size for an instant abort.
        pub dynamic_stable_scale: Option<bool>,
        /// Two Services that take turns as the stable one, so that no Service changes its pods while it
        /// carries traffic. Only with alb, istio, gatewayAPI and plugins.
        pub ping_pong: Option<PingPong>,
        /// Least number of pods of a revision that carries traffic. Only with trafficRouting. Default: 1.
        pub min_pods_per_replica_set: Option<i32>,
        /// How many pods of a revision must be available for a step to be done. Default: all.
        pub replica_progress_threshold: Option<ProgressThreshold>,
        /// Whether a version that was rejected before (status.rejected) and is asked for again waits at the
        /// stable one until somebody retries. Default: false, it is released anew.
        pub hold_rejected: Option<bool>,
    }

    /// Two Services that take turns as the stable one.
    pub struct PingPong {
        /// One of the two Services.
        #[schemars(transform = mark::required)]
        pub ping_service: String,
        /// The other one.
        #[schemars(transform = mark::required)]
        pub pong_service: String,
    }

    /// How many pods of a revision must be available for a step to be done.
    pub struct ProgressThreshold {
        /// `Percent` or `Pods`.
        #[serde(rename = "type")]
        #[schemars(transform = mark::required)]
        pub kind: Option<ProgressThresholdKind>,
        /// Percent of the pods wanted at the step, or number of pods.
        #[schemars(transform = mark::required)]
        pub value: Option<i32>,
    }
}

known_values! {
    /// What the value of a progress threshold counts.
    pub enum ProgressThresholdKind {
        /// Percent of the pods wanted at the step.
        Percent = "Percent",
        /// Number of pods.
        Pods = "Pods",
    }
}

impl CanaryStrategy {
    /// The steps; none at all is a rolling update.
    pub fn steps(&self) -> &[CanaryStep] {
        self.steps.as_deref().unwrap_or_default()
    }

    /// Pods that may be missing during the release.
    pub fn max_unavailable(&self) -> IntOrPercent {
        self.max_unavailable.clone().unwrap_or_else(|| "25%".into())
    }

    /// Pods that may run above replicas during the release.
    pub fn max_surge(&self) -> IntOrPercent {
        self.max_surge.clone().unwrap_or_else(|| "25%".into())
    }

    /// The weight that means all traffic.
    pub fn max_traffic_weight(&self) -> i32 {
        self.traffic_routing.as_ref().map_or(100, TrafficRouting::max_traffic_weight)
    }

    /// How long the old revision keeps its pods after the release.
    pub fn scale_down_delay(&self) -> KeepPods {
        if self.traffic_routing.is_none() || self.dynamic_stable_scale() {
            return KeepPods::No;
        }
        KeepPods::from_delay(self.scale_down_delay_seconds, KeepPods::Seconds(30))
    }

    /// How long the canary keeps its pods after an abort.
    pub fn abort_scale_down_delay(&self) -> KeepPods {
        if self.traffic_routing.is_none() {
            return KeepPods::No;
        }
        let unset = if self.dynamic_stable_scale() { KeepPods::No } else { KeepPods::Seconds(30) };
        KeepPods::from_delay(self.abort_scale_down_delay_seconds, unset)
    }

    /// Whether the stable revision shrinks as traffic moves away from it.
    pub fn dynamic_stable_scale(&self) -> bool {
        self.dynamic_stable_scale.unwrap_or(false)
    }

    /// Whether a version that was rejected before waits for a retry.
    pub fn hold_rejected(&self) -> bool {
        self.hold_rejected.unwrap_or(false)
    }

    /// Least number of pods of a revision that carries traffic.
    pub fn min_pods_per_replica_set(&self) -> i32 {
        self.min_pods_per_replica_set.unwrap_or(1)
    }
}
