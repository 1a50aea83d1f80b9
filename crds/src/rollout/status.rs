//! What the controller observes of a Rollout.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::analysis::AnalysisPhase;
use crate::schema::{leaf, mark};
use crate::shape::{api_types, known_values};
use crate::template::{StepHash, TemplateHash};
use crate::unit::{Condition, ObservedGeneration, Raw};
use crate::values::DurationString;

api_types! {
    /// What is observed of a Rollout.
    pub struct RolloutStatus {
        /// Set to true by a person or tool to abort the release.
        pub abort: Option<bool>,
        /// When the release was aborted.
        #[schemars(schema_with = "leaf::time")]
        pub aborted_at: Option<Time>,
        /// Why the release waits. Cleared by a person or tool to resume it.
        #[schemars(transform = mark::atomic)]
        pub pause_conditions: Option<Vec<PauseCondition>>,
        /// Whether the controller paused the release. With pauseConditions empty it means that somebody
        /// resumed it.
        pub controller_pause: Option<bool>,
        /// Hash of the pod template that is being released, or was last.
        pub current_pod_hash: Option<TemplateHash>,
        /// Hash of the steps; a change of it starts them again.
        pub current_step_hash: Option<StepHash>,
        /// Index of the current step, counted from 0; the number of steps when all are done.
        pub current_step_index: Option<i32>,
        /// Pods of all revisions.
        pub replicas: Option<i32>,
        /// Pods of the current revision.
        pub updated_replicas: Option<i32>,
        /// Ready pods of all revisions; with blueGreen of the active one.
        pub ready_replicas: Option<i32>,
        /// Available pods of all revisions; with blueGreen of the active one.
        pub available_replicas: Option<i32>,
        /// The number of pods that an autoscaler sees.
        #[serde(rename = "HPAReplicas")]
        pub hpa_replicas: Option<i32>,
        /// Selector, as a text, of the pods that an autoscaler sees.
        pub selector: Option<String>,
        /// Pod template hash of the stable revision.
        #[serde(rename = "stableRS")]
        pub stable_rs: Option<TemplateHash>,
        /// How many hash collisions the naming of ReplicaSets has met.
        pub collision_count: Option<i32>,
        /// Generation of the spec that this status describes, as a text.
        pub observed_generation: Option<ObservedGeneration>,
        /// Generation of the object in workloadRef that this status describes, as a text.
        pub workload_observed_generation: Option<ObservedGeneration>,
        /// Facts about the Rollout, one a type.
        #[schemars(transform = mark::map_by_type)]
        pub conditions: Option<Vec<Condition>>,
        /// Healthy, Progressing, Paused or Degraded.
        pub phase: Option<RolloutPhase>,
        /// One sentence that says why the Rollout is in this phase.
        pub message: Option<String>,
        /// Set to true by a person or tool to promote without further steps, pauses and analysis.
        pub promote_full: Option<bool>,
        /// The restartAt up to which all pods have been restarted.
        #[schemars(schema_with = "leaf::time")]
        pub restarted_at: Option<Time>,
        /// What is observed of the canary strategy.
        pub canary: Option<CanaryStatus>,
        /// What is observed of the blue-green strategy.
        pub blue_green: Option<BlueGreenStatus>,
        /// AWS objects behind the Ingress.
        pub alb: Option<AlbStatus>,
        /// AWS objects behind each of several Ingresses.
        #[schemars(transform = mark::atomic)]
        pub albs: Option<Vec<AlbStatus>>,
        /// How long the release has taken.
        pub duration: Option<ReleaseDuration>,
        /// What is going on and what it waits for, in one sentence with its numbers.
        pub why: Option<String>,
        /// When the release moves or is judged again although nothing else changes: the end of a pause or a
        /// delay, or the progress deadline. Absent while nothing but a person or the cluster can move it.
        #[schemars(schema_with = "leaf::time")]
        pub next_transition_time: Option<Time>,
        /// The last 20 releases that ended, the latest first.
        #[schemars(transform = mark::atomic)]
        pub history: Option<Vec<ReleaseOutcome>>,
        /// How much of the traffic has met the current release for how long.
        pub exposure: Option<Exposure>,
        /// Revisions that were being released and were taken back, the latest first. One leaves the list when it
        /// becomes stable after all.
        #[schemars(transform = mark::atomic)]
        pub rejected: Option<Vec<RejectedRevision>>,
        /// So many pods of the revision that is being released have been available together. Of these as many
        /// as maxUnavailable allows may be lost to nodes that come and go without holding the release.
        pub proven_replicas: Option<i32>,
        /// Texts for the columns of kubectl get. For people; tools read the fields above.
        pub columns: Option<Columns>,
    }

    /// Why the release waits, and since when.
    pub struct PauseCondition {
        /// `CanaryPauseStep`, `BlueGreenPause`, `InconclusiveAnalysisRun` or `InconclusiveExperiment`.
        #[schemars(transform = mark::required)]
        pub reason: Option<PauseReason>,
        /// Since when.
        #[schemars(schema_with = "leaf::time", transform = mark::required)]
        pub start_time: Option<Time>,
    }

    /// What is observed of the canary strategy.
    pub struct CanaryStatus {
        /// The AnalysisRun of the current step.
        pub current_step_analysis_run_status: Option<AnalysisRunRef>,
        /// The AnalysisRun in the background.
        pub current_background_analysis_run_status: Option<AnalysisRunRef>,
        /// Name of the Experiment of the current step.
        pub current_experiment: Option<String>,
        /// How traffic was last set to be split.
        pub weights: Option<TrafficWeights>,
        /// Which of the two pingPong Services is the stable one: `ping` or `pong`.
        pub stable_ping_pong: Option<PingPongSide>,
        /// What plugins say of their steps.
        #[schemars(transform = mark::atomic)]
        pub step_plugin_statuses: Option<Vec<StepPluginStatus>>,
    }

    /// What is observed of the blue-green strategy.
    pub struct BlueGreenStatus {
        /// Pod template hash behind the preview Service.
        pub preview_selector: Option<TemplateHash>,
        /// Pod template hash behind the active Service.
        pub active_selector: Option<TemplateHash>,
        /// Whether the preview has passed its checks and may grow to full size.
        pub scale_up_preview_check_point: Option<bool>,
        /// The AnalysisRun before the switch.
        pub pre_promotion_analysis_run_status: Option<AnalysisRunRef>,
        /// The AnalysisRun after the switch.
        pub post_promotion_analysis_run_status: Option<AnalysisRunRef>,
    }

    /// An AnalysisRun and its verdict so far.
    pub struct AnalysisRunRef {
        /// Name of the AnalysisRun.
        #[schemars(transform = mark::required)]
        pub name: String,
        /// Its phase.
        pub status: Option<AnalysisPhase>,
        /// Its message.
        pub message: Option<String>,
    }

    /// How traffic was last set to be split.
    pub struct TrafficWeights {
        /// What goes to the new revision.
        pub canary: Option<WeightDestination>,
        /// What goes to the stable revision.
        pub stable: Option<WeightDestination>,
        /// What goes to the pods of an Experiment.
        #[schemars(transform = mark::atomic)]
        pub additional: Option<Vec<WeightDestination>>,
        /// Whether the router has confirmed the split; absent where it can't.
        pub verified: Option<bool>,
        /// Objects that route by this split, each as kind, namespace/name, while they would lead traffic to the new
        /// revision: so that one that is taken out of the spec meanwhile is not forgotten.
        #[schemars(transform = mark::atomic)]
        pub objects: Option<Vec<String>>,
    }

    /// A share of the traffic and where it goes.
    pub struct WeightDestination {
        /// The share, of maxTrafficWeight.
        #[schemars(transform = mark::required)]
        pub weight: Option<i32>,
        /// Service that it goes to.
        pub service_name: Option<String>,
        /// Pod template hash that it goes to.
        pub pod_template_hash: Option<TemplateHash>,
    }

    /// What a plugin says of its step.
    pub struct StepPluginStatus {
        /// Index of the step.
        #[schemars(transform = mark::required)]
        pub index: Option<i32>,
        /// Name of the plugin.
        #[schemars(transform = mark::required)]
        pub name: String,
        /// `Run`, `Terminate` or `Abort`.
        pub operation: Option<StepPluginOperation>,
        /// `Running`, `Successful`, `Failed` or `Error`.
        pub phase: Option<StepPluginPhase>,
        /// A sentence for people.
        pub message: Option<String>,
        /// When the operation began.
        #[schemars(schema_with = "leaf::time")]
        pub started_at: Option<Time>,
        /// When the plugin was last asked.
        #[schemars(schema_with = "leaf::time")]
        pub updated_at: Option<Time>,
        /// When the operation ended.
        #[schemars(schema_with = "leaf::time")]
        pub finished_at: Option<Time>,
        /// How long to wait before the plugin is asked again.
        pub backoff: Option<DurationString>,
        /// How often the plugin was asked.
        pub executions: Option<i32>,
        /// Whether the plugin was switched off when the step came.
        pub disabled: Option<bool>,
        /// What the plugin wants to be given the next time.
        #[schemars(schema_with = "leaf::raw")]
        pub status: Option<Raw>,
    }

    /// AWS objects behind an Ingress.
    pub struct AlbStatus {
        /// The load balancer.
        pub load_balancer: Option<AwsResource>,
        /// Target group of the new revision.
        pub canary_target_group: Option<AwsResource>,
        /// Target group of the stable revision.
        pub stable_target_group: Option<AwsResource>,
        /// Name of the Ingress.
        pub ingress: Option<String>,
    }

    /// An object of AWS.
    pub struct AwsResource {
        /// Its name.
        pub name: Option<String>,
        /// Its Amazon resource name.
        pub arn: Option<String>,
        /// The last part of its Amazon resource name, as metrics use it.
        pub full_name: Option<String>,
    }

    /// How long the release has taken.
    pub struct ReleaseDuration {
        /// When the release began.
        #[schemars(schema_with = "leaf::time")]
        pub rollout_started_at: Option<Time>,
        /// Since when it waits for a person.
        #[schemars(schema_with = "leaf::time")]
        pub manual_pause_started_at: Option<Time>,
        /// Seconds that it has waited for people so far.
        pub total_manual_pause_duration_seconds: Option<i64>,
        /// When it ended.
        #[schemars(schema_with = "leaf::time")]
        pub finished_at: Option<Time>,
        /// `Promoted`, `FastPromoted`, `Aborted`, `Superseded`, `RolledBack` or `FastRolledBack`.
        pub completion_status: Option<CompletionStatus>,
    }

    /// A release that ended.
    pub struct ReleaseOutcome {
        /// Number of the revision that was released.
        pub revision: Option<i64>,
        /// Its images.
        #[schemars(transform = mark::atomic)]
        pub images: Option<Vec<String>>,
        /// Its pod template hash.
        pub pod_hash: Option<TemplateHash>,
        /// When the release began; absent where nobody wrote it down.
        #[schemars(schema_with = "leaf::time")]
        pub from: Option<Time>,
        /// When it ended.
        #[schemars(schema_with = "leaf::time")]
        pub to: Option<Time>,
        /// How it ended: `Promoted`, `FastPromoted`, `Aborted`, `Superseded`, `RolledBack` or `FastRolledBack`.
        pub result: Option<CompletionStatus>,
        /// Why it ended so, in one sentence.
        pub why: Option<String>,
        /// Who asked for this end: the field manager that set status.abort or status.promoteFull, or that wrote
        /// spec.template, as the API server remembers it. Absent where it doesn't, and where nobody asked.
        pub who: Option<String>,
    }

    /// How much of the traffic has met the current release for how long: the sum, over the time since the
    /// release began, of the share that its new revision had. It is written when the share changes, so that it
    /// does not tick; what it is now is percentSeconds and percent times the seconds since `since`. The first
    /// release of all has none, because nothing else could have been met.
    pub struct Exposure {
        /// Percent of the traffic times seconds, summed up to `since`: 100 are all the traffic for one second,
        /// or a tenth of it for ten.
        pub percent_seconds: Option<i64>,
        /// Share of the new revision since then. Absent once the release has ended with its promotion, or has
        /// been taken back and lost its last share: the sum is final.
        pub percent: Option<i32>,
        /// Since when the share is this one; absent together with it.
        #[schemars(schema_with = "leaf::time")]
        pub since: Option<Time>,
    }

    /// A revision that was being released and was taken back.
    pub struct RejectedRevision {
        /// Its pod template hash.
        pub pod_hash: Option<TemplateHash>,
        /// When it was taken back.
        #[schemars(schema_with = "leaf::time")]
        pub at: Option<Time>,
        /// Why, in one sentence.
        pub reason: Option<String>,
    }

    /// Texts for the columns of kubectl get. For people; tools read the other fields of the status.
    pub struct Columns {
        /// Steps done of all steps, for example 2/6.
        pub step: Option<String>,
        /// Weight as it is of weight wanted, for example 20/25.
        pub weight: Option<String>,
        /// Ready pods of pods wanted, for example 5/5.
        pub ready: Option<String>,
        /// Images of the current revision.
        pub images: Option<String>,
    }
}

known_values! {
    /// How a Rollout is, in one word.
    pub enum RolloutPhase {
        /// The wanted version is stable and available.
        Healthy = "Healthy",
        /// Something is wrong, or the release was aborted.
        Degraded = "Degraded",
        /// On its way.
        Progressing = "Progressing",
        /// Waits for a time or for a person.
        Paused = "Paused",
    }

    /// Why a release waits.
    pub enum PauseReason {
        /// A pause step.
        CanaryPauseStep = "CanaryPauseStep",
        /// A blue-green switch that waits for a person or a time.
        BlueGreenPause = "BlueGreenPause",
        /// An analysis without a clear verdict.
        InconclusiveAnalysisRun = "InconclusiveAnalysisRun",
        /// An Experiment without a clear verdict.
        InconclusiveExperiment = "InconclusiveExperiment",
    }

    /// One of the two pingPong Services.
    pub enum PingPongSide {
        /// pingService.
        Ping = "ping",
        /// pongService.
        Pong = "pong",
    }

    /// What a plugin is asked to do.
    pub enum StepPluginOperation {
        /// Run the step.
        Run = "Run",
        /// Stop early, the release goes on.
        Terminate = "Terminate",
        /// Undo, the release is aborted.
        Abort = "Abort",
    }

    /// How far a plugin is with its step.
    pub enum StepPluginPhase {
        /// Not done yet.
        Running = "Running",
        /// Done.
        Successful = "Successful",
        /// Done, and the release is to be aborted.
        Failed = "Failed",
        /// It went wrong and is tried again.
        Error = "Error",
    }

    /// How a release ended.
    pub enum CompletionStatus {
        /// All steps were done.
        Promoted = "Promoted",
        /// A person skipped the rest.
        FastPromoted = "FastPromoted",
        /// It was aborted.
        Aborted = "Aborted",
        /// Another revision came in between.
        Superseded = "Superseded",
        /// It went back to an earlier revision through the steps.
        RolledBack = "RolledBack",
        /// It went back to an earlier revision at once.
        FastRolledBack = "FastRolledBack",
    }
}
