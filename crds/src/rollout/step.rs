//! The steps of a canary.

use std::collections::BTreeMap;

use super::RolloutAnalysis;
use super::experiment::ExperimentStep;
use crate::schema::{leaf, mark};
use crate::shape::api_types;
use crate::unit::Raw;
use crate::values::PauseDuration;

api_types! {
    /// One step of a canary: exactly one of its members.
    #[schemars(transform = mark::one_thing_at_a_time)]
    pub struct CanaryStep {
        /// Sends this share of the traffic to the new revision, of maxTrafficWeight (100 unless set).
        #[schemars(transform = mark::not_negative)]
        pub set_weight: Option<i32>,
        /// Waits for a time, or for a person.
        pub pause: Option<PauseStep>,
        /// Sets the size of the new revision apart from its traffic. Only with trafficRouting.
        pub set_canary_scale: Option<SetCanaryScale>,
        /// Sends requests with these headers to the new revision. Not every router can.
        pub set_header_route: Option<SetHeaderRoute>,
        /// Copies requests to the new revision, whose answers are thrown away. Not every router can.
        pub set_mirror_route: Option<SetMirrorRoute>,
        /// Runs an analysis and waits for its verdict. It must come to an end by itself.
        pub analysis: Option<RolloutAnalysis>,
        /// Runs an Experiment and waits for its verdict.
        pub experiment: Option<ExperimentStep>,
        /// Hands the step to a plugin and waits for it.
        pub plugin: Option<PluginStep>,
    }

    /// Waits for a time, or for a person.
    pub struct PauseStep {
        /// How long to wait: seconds as a number, or 30s, 10m, 1h. Without it: until a person resumes.
        pub duration: Option<PauseDuration>,
    }

    /// Sets the size of the new revision apart from its traffic: one of its members.
    pub struct SetCanaryScale {
        /// Percent of replicas.
        pub weight: Option<i32>,
        /// Number of pods.
        pub replicas: Option<i32>,
        /// Back to the size that the traffic weight asks for.
        pub match_traffic_weight: Option<bool>,
    }

    /// Sends requests with these headers to the new revision.
    pub struct SetHeaderRoute {
        /// Name of the route; it must be one of trafficRouting.managedRoutes.
        #[schemars(transform = mark::required)]
        pub name: String,
        /// Headers to look for; all must match. None at all removes the route.
        #[schemars(transform = mark::atomic)]
        pub r#match: Option<Vec<HeaderMatch>>,
    }

    /// One header to look for.
    pub struct HeaderMatch {
        /// Name of the header.
        #[schemars(transform = mark::required)]
        pub header_name: String,
        /// What its value must be.
        pub header_value: Option<StringMatch>,
    }

    /// How a text is compared: exactly one of its members.
    pub struct StringMatch {
        /// The whole text.
        pub exact: Option<String>,
        /// How the text begins.
        pub prefix: Option<String>,
        /// A regular expression of the router's kind.
        pub regex: Option<String>,
    }

    /// Copies requests to the new revision, whose answers are thrown away.
    pub struct SetMirrorRoute {
        /// Name of the route; it must be one of trafficRouting.managedRoutes.
        #[schemars(transform = mark::required)]
        pub name: String,
        /// Which requests; any one of these. None at all removes the route.
        #[schemars(transform = mark::atomic)]
        pub r#match: Option<Vec<RouteMatch>>,
        /// Percent of the matching requests to copy. Default: 100.
        pub percentage: Option<i32>,
    }

    /// Which requests; all that is set must match.
    pub struct RouteMatch {
        /// The HTTP method.
        pub method: Option<StringMatch>,
        /// The path.
        pub path: Option<StringMatch>,
        /// Headers by name.
        pub headers: Option<BTreeMap<String, StringMatch>>,
    }

    /// Hands the step to a plugin and waits for it.
    pub struct PluginStep {
        /// Name of the plugin.
        #[schemars(transform = mark::required)]
        pub name: String,
        /// What the plugin is given.
        #[schemars(schema_with = "leaf::raw")]
        pub config: Option<Raw>,
    }
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StepKind<'a> {
    /// Sends this share of the traffic to the new revision.
    SetWeight(i32),
    /// Waits for a time, or for a person.
    Pause(&'a PauseStep),
    /// Sets the size of the new revision apart from its traffic.
    SetCanaryScale(&'a SetCanaryScale),
    /// Sends requests with given headers to the new revision.
    SetHeaderRoute(&'a SetHeaderRoute),
    /// Copies requests to the new revision.
    SetMirrorRoute(&'a SetMirrorRoute),
    /// Runs an analysis.
    Analysis(&'a RolloutAnalysis),
    /// Runs an Experiment.
    Experiment(&'a ExperimentStep),
    /// Hands the step to a plugin.
    Plugin(&'a PluginStep),
}

impl CanaryStep {
    /// Everything that this step claims to be. Validation refuses a step that is nothing or more than one
    /// thing; the order is the one in which existing tools look for a step's kind.
    pub fn kinds(&self) -> Vec<StepKind<'_>> {
        [
            self.pause.as_ref().map(StepKind::Pause),
            self.set_canary_scale.as_ref().map(StepKind::SetCanaryScale),
            self.set_weight.map(StepKind::SetWeight),
            self.experiment.as_ref().map(StepKind::Experiment),
            self.analysis.as_ref().map(StepKind::Analysis),
            self.set_header_route.as_ref().map(StepKind::SetHeaderRoute),
            self.set_mirror_route.as_ref().map(StepKind::SetMirrorRoute),
            self.plugin.as_ref().map(StepKind::Plugin),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// What this step does, if it is exactly one thing.
    pub fn kind(&self) -> Option<StepKind<'_>> {
        match self.kinds().as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }
}

impl SetCanaryScale {
    /// Whether the size follows the traffic weight again.
    pub fn match_traffic_weight(&self) -> bool {
        self.match_traffic_weight.unwrap_or(false)
    }
}

impl SetMirrorRoute {
    /// Percent of the matching requests to copy.
    pub fn percentage(&self) -> i32 {
        self.percentage.unwrap_or(100)
    }
}
