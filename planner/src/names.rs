//! Keys that Rollouts, their ReplicaSets and their Services carry: the interface that other tools read.

/// The revision's number; on the Rollout and on each ReplicaSet.
pub(crate) const REVISION: &str = "rollout.argoproj.io/revision";
/// Numbers that the ReplicaSet has had before, separated by commas.
pub(crate) const REVISION_HISTORY: &str = "rollout.argoproj.io/revision-history";
/// `spec.replicas` of the Rollout when the ReplicaSet was last sized.
pub(crate) const DESIRED_REPLICAS: &str = "rollout.argoproj.io/desired-replicas";
/// Until when a ReplicaSet keeps pods that nothing needs any more.
pub(crate) const SCALE_DOWN_DEADLINE: &str = "scale-down-deadline";
/// What was put into a ReplicaSet's template for as long as the revision has its role, as JSON.
pub(crate) const EPHEMERAL_METADATA: &str = "rollout.argoproj.io/ephemeral-metadata";
/// Name of the Rollout that owns a Service's selector.
pub(crate) const MANAGED_BY: &str = "argo-rollouts.argoproj.io/managed-by-rollouts";
/// Generation of the object that the template is taken from; on the Rollout.
pub(crate) const WORKLOAD_GENERATION: &str = "rollout.argoproj.io/workload-generation";
/// On a Deployment: what it was scaled down from, and by whom, as JSON. On the Rollout: the Deployment's name.
pub(crate) const SCALED_DOWN: &str = "rollouts.argoproj.io/sluice-scaled-down";
/// Which of several controllers an object belongs to.
pub(crate) const INSTANCE_ID: &str = "argo-rollouts.argoproj.io/controller-instance-id";

/// Name of the Experiment that a ReplicaSet or Service was made for.
pub(crate) const EXPERIMENT_NAME: &str = "experiment.argoproj.io/name";
/// Name of its version.
pub(crate) const EXPERIMENT_TEMPLATE: &str = "experiment.argoproj.io/template-name";
/// On an Experiment while a Rollout may be sending traffic to its pods: they stay as long as it is there.
pub(crate) const ROUTED: &str = "rollouts.argoproj.io/sluice-routing";

/// Annotations of a Rollout that say nothing about a ReplicaSet.
pub(crate) const NOT_COPIED: [&str; 7] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED_REPLICAS,
    WORKLOAD_GENERATION,
    SCALED_DOWN,
    "notified.notifications.argoproj.io",
];
