//! Deployments, ReplicaSets and their relatives.

use serde_json::json;

use super::pods::default_template;
use super::{Object, absent, each, nested, unset};

pub(super) fn default_deployment(object: &mut Object) {
    let Some(spec) = nested(object, "spec") else { return };
    default_template(spec);
    absent(spec, "replicas", 1);
    if let Some(strategy) = nested(spec, "strategy") {
        unset(strategy, "type", "RollingUpdate");
        if strategy.get("type").is_some_and(|kind| kind == "RollingUpdate")
            && let Some(rolling) = nested(strategy, "rollingUpdate")
        {
            absent(rolling, "maxUnavailable", "25%");
            absent(rolling, "maxSurge", "25%");
        }
    }
    absent(spec, "revisionHistoryLimit", 10);
    absent(spec, "progressDeadlineSeconds", 600);
}

pub(super) fn default_replica_set(object: &mut Object) {
    let Some(spec) = nested(object, "spec") else { return };
    // A ReplicaSet without a template is refused later, not completed.
    if spec.get("template").is_some() {
        default_template(spec);
    }
    absent(spec, "replicas", 1);
}

pub(super) fn default_replication_controller(object: &mut Object) {
    let labels = object.get("spec").and_then(|spec| spec.pointer("/template/metadata/labels")).cloned();
    if let Some(labels) = labels {
        if let Some(meta) = nested(object, "metadata") {
            absent(meta, "labels", labels.clone());
        }
        if let Some(spec) = nested(object, "spec") {
            absent(spec, "selector", labels);
        }
    }
    default_replica_set(object);
}

pub(super) fn default_stateful_set(object: &mut Object) {
    let Some(spec) = nested(object, "spec") else { return };
    default_template(spec);
    unset(spec, "podManagementPolicy", "OrderedReady");
    if let Some(strategy) = nested(spec, "updateStrategy") {
        unset(strategy, "type", "RollingUpdate");
        if strategy.get("type").is_some_and(|kind| kind == "RollingUpdate")
            && let Some(rolling) = nested(strategy, "rollingUpdate")
        {
            absent(rolling, "partition", 0);
        }
    }
    if let Some(policy) = nested(spec, "persistentVolumeClaimRetentionPolicy") {
        unset(policy, "whenDeleted", "Retain");
        unset(policy, "whenScaled", "Retain");
    }
    absent(spec, "replicas", 1);
    absent(spec, "revisionHistoryLimit", 10);
    for claim in each(spec, "volumeClaimTemplates") {
        claim.insert("kind".into(), json!("PersistentVolumeClaim"));
        claim.insert("apiVersion".into(), json!("v1"));
        super::configuration::default_claim(claim);
    }
}

pub(super) fn default_daemon_set(object: &mut Object) {
    // Older clients find the generation of the template here.
    let annotations = nested(object, "metadata").and_then(|meta| nested(meta, "annotations"));
    if let Some(annotations) = annotations {
        absent(annotations, "deprecated.daemonset.template.generation", "1");
    }
    let Some(spec) = nested(object, "spec") else { return };
    default_template(spec);
    if let Some(strategy) = nested(spec, "updateStrategy") {
        unset(strategy, "type", "RollingUpdate");
        if strategy.get("type").is_some_and(|kind| kind == "RollingUpdate")
            && let Some(rolling) = nested(strategy, "rollingUpdate")
        {
            absent(rolling, "maxUnavailable", 1);
            absent(rolling, "maxSurge", 0);
        }
    }
    absent(spec, "revisionHistoryLimit", 10);
}
