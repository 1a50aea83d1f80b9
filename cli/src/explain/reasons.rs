//! The reasons, each with what it means and what helps.

pub(super) struct Reason {
    pub(super) name: &'static str,
    pub(super) means: &'static str,
    /// Empty where nothing is wrong.
    pub(super) helps: &'static str,
}

const fn reason(name: &'static str, means: &'static str, helps: &'static str) -> Reason {
    Reason { name, means, helps }
}

/// By name.
pub(super) const REASONS: &[Reason] = &[
    reason(
        "AnalysisRunCreateError",
        "The API server refuses an AnalysisRun.",
        "The message is the server's: a quota, a webhook, or a name that is taken.",
    ),
    reason(
        "AnalysisRunError",
        "An analysis ended because it could not measure.",
        "\"analysis show\" has the errors; mend the query or the way to its server, then \"retry rollout\".",
    ),
    reason(
        "AnalysisRunFailed",
        "An analysis ended because more measurements were bad than its limits bear; the release is taken back.",
        "\"why\" has the values and the limits. Release a version that is mended.",
    ),
    reason(
        "AnalysisRunInconclusive",
        "An analysis could not tell good from bad: values between its conditions, or no data; a person decides.",
        "Look with \"why\", then \"promote\" or \"abort\".",
    ),
    reason("AnalysisRunPending", "An analysis was asked for and has not measured yet.", ""),
    reason("AnalysisRunRunning", "An analysis measures.", ""),
    reason("AnalysisRunSuccessful", "All metrics of an analysis ended well.", ""),
    reason(
        "AnalysisRunTerminating",
        "An analysis is not needed any more and is ended; what was measured so far decides.",
        "",
    ),
    reason(
        "AvailableReason",
        "Whether as many pods are available as the Rollout must have.",
        "Where it is False, \"why\" names the pods in trouble.",
    ),
    reason(
        "BlueGreenPause",
        "A blue-green release waits before the active Service is switched.",
        "\"promote\" lets it go on; autoPromotionSeconds does so by itself.",
    ),
    reason(
        "CanaryPauseStep",
        "The release is at a pause among its steps.",
        "One with a duration goes on by itself; \"promote\" passes either.",
    ),
    reason(
        "CreatingCanaryIngress",
        "The canary Ingress beside the stable one is made, by which ingress-nginx shares traffic out.",
        "",
    ),
    reason("ExperimentCreated", "A step of the release has begun its Experiment.", ""),
    reason(
        "ExperimentError",
        "An Experiment could not be carried out or measured.",
        "The message says what; \"retry experiment\" runs it again once that is mended.",
    ),
    reason(
        "ExperimentFailed",
        "An analysis of an Experiment failed, or a version never became available.",
        "\"get experiment\" has its versions and analyses; \"retry experiment\" runs it again.",
    ),
    reason(
        "ExperimentInconclusive",
        "An analysis of an Experiment could not tell good from bad.",
        "\"get experiment\" has the analyses; a person decides.",
    ),
    reason("ExperimentPending", "An Experiment has not begun.", ""),
    reason("ExperimentRunning", "All versions of an Experiment are available, and its time runs.", ""),
    reason("ExperimentSuccessful", "An Experiment is over, and no analysis failed.", ""),
    reason("FoundNewReplicaSet", "The ReplicaSet of the wanted template was there already and is taken.", ""),
    reason(
        "InconclusiveAnalysisRun",
        "The release waits because an analysis could not tell.",
        "Look with \"why\", then \"promote\", which counts it as good, or \"abort\".",
    ),
    reason(
        "InconclusiveExperiment",
        "The release waits because an experiment could not tell.",
        "\"get experiment\" has its analyses; then \"promote\" or \"abort\".",
    ),
    reason(
        "InvalidSpec",
        "The Rollout can't be released as it is written; the message has all mistakes, one a line.",
        "Mend them; \"lint -f\" finds them before they are applied. What runs goes on running, and scaling works.",
    ),
    reason(
        "InvalidTemplate",
        "An AnalysisTemplate can't be judged as it is written.",
        "The message has all mistakes; \"lint -f\" finds them before they are applied.",
    ),
    reason("NewReplicaSetAvailable", "All pods of the wanted version are available.", ""),
    reason("NewReplicaSetCreated", "The ReplicaSet of the wanted version was made.", ""),
    reason("PatchingCanaryIngress", "The canary Ingress was changed: a weight or a header route.", ""),
    reason(
        "ProgressDeadlineExceeded",
        "No pod became available for progressDeadlineSeconds.",
        "\"why\" names the pods in trouble and their last events. progressDeadlineAbort takes such a release back by itself.",
    ),
    reason(
        "ReplicaSetCreateError",
        "The API server refuses the ReplicaSet of the wanted version.",
        "The message is the server's: a quota, a webhook, or a template that it does not take.",
    ),
    reason(
        "ReplicaSetNotAvailable",
        "The stable version has fewer pods available than it should.",
        "\"why\" names the pods in trouble.",
    ),
    reason("ReplicaSetUpdated", "Pods of the wanted version come up.", ""),
    reason(
        "RolloutAborted",
        "The release was taken back: by a person, an analysis or the progress deadline. The message says which.",
        "\"why\" has the evidence. Release a version that is mended, or \"retry rollout\" to run this one again.",
    ),
    reason("RolloutAddedToInformer", "A Rollout was seen for the first time by this controller.", ""),
    reason("RolloutCompleted", "The wanted version is the stable one now.", ""),
    reason(
        "RolloutHealthy",
        "The stable version runs as it should, and nothing is being released.",
        "Where it is False, \"why\" says why not.",
    ),
    reason("RolloutNotCompleted", "A release has begun, so the wanted version is not the stable one.", ""),
    reason(
        "RolloutPaused",
        "The release waits: at a pause among its steps, for a person, or because spec.paused is set.",
        "\"why\" says which, and what it waits for.",
    ),
    reason("RolloutResumed", "A pause is over.", ""),
    reason("RolloutRetry", "A release that was aborted is run again from its first step.", ""),
    reason("RolloutStepCompleted", "A step is done.", ""),
    reason("RolloutUpdated", "The template changed: a new revision is released.", ""),
    reason("ScalingReplicaSet", "A ReplicaSet gets more or fewer pods.", ""),
    reason(
        "ScalingWorkload",
        "The Deployment that the template is taken from gets another size, because pods of the Rollout take over or give back.",
        "As a warning: others scale it up again and again; take its replicas out of what they apply.",
    ),
    reason(
        "ServiceCreateError",
        "The API server refuses the Service of an Experiment's version.",
        "The message is the server's.",
    ),
    reason("ServiceCreated", "A version of an Experiment got a Service of its own.", ""),
    reason(
        "SkipSteps",
        "All steps are skipped: back to the stable version, within the rollback window, or by \"promote --full\".",
        "",
    ),
    reason(
        "StepPluginTransition",
        "A step that a plugin carries out has begun, ended, or gone wrong.",
        "The message is the plugin's own; its server's log has more.",
    ),
    reason("SwitchService", "A Service selects another revision.", ""),
    reason("TemplateError", "An Experiment's version could not be run.", "The message says what is wrong with it."),
    reason(
        "TemplateFailed",
        "The pods of an Experiment's version were not available in time.",
        "\"get experiment\" names the pods in trouble.",
    ),
    reason("TemplateProgressing", "The pods of an Experiment's version come up.", ""),
    reason("TemplateRunning", "All pods of an Experiment's version are available.", ""),
    reason("TemplateSuccessful", "An Experiment's version ran as long as it should.", ""),
    reason(
        "TrafficRoutingError",
        "A router can't be told where traffic goes.",
        "The message names the object and what is missing. No pods are taken from under traffic meanwhile.",
    ),
    reason("TrafficWeightUpdated", "The share of the wanted version was changed at the router.", ""),
    reason(
        "UpdatedDestinationRule",
        "The subsets of an Istio DestinationRule select the pods of their revisions now.",
        "",
    ),
    reason("UpdatedGatewayRoute", "Weights or header routes of a Gateway API route were changed.", ""),
    reason("UpdatedVirtualService", "Weights or header routes of an Istio VirtualService were changed.", ""),
    reason(
        "WorkloadNotReady",
        "A Rollout was deleted, and the Deployment that takes over again has too few ready pods in time.",
        "Look at the Deployment's pods: kubectl describe deployment.",
    ),
];
