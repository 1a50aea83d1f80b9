//! The ReplicaSets of the versions: created without pods, then sized.

use serde_json::json;
use sluice_crds::template::HASH_LABEL;

use super::observe::{Trial, Version};
use crate::delays::without_deadline;
use crate::names::{EXPERIMENT_NAME, EXPERIMENT_TEMPLATE, INSTANCE_ID};
use crate::patch::Patch;
use crate::plan::{Action, Event, Kind, Write};
use crate::snapshot::ReplicaSet;

/// What brings each version up.
pub(super) fn up(trial: &Trial<'_>) -> Vec<Write> {
    let writes = trial.versions.iter().filter_map(|version| match version.set {
        Some(set) => resized(trial, version, set),
        None if version.set_name_is_taken => None,
        None => Some(create(trial, version)),
    });
    writes.collect()
}

fn create(trial: &Trial<'_>, version: &Version<'_>) -> Write {
    let (name, hash) = (&version.set_name, version.hash());
    let template = version.asked.template.clone().unwrap_or_default().with_label(HASH_LABEL, &hash);
    let mut labels = template.labels();
    let instance = trial.experiment.metadata.labels.as_ref().and_then(|labels| labels.get(INSTANCE_ID));
    labels.extend(instance.map(|id| (INSTANCE_ID.to_owned(), id.clone())));
    let mut selector = version.asked.selector.clone().unwrap_or_default();
    selector.match_labels.get_or_insert_default().insert(HASH_LABEL.to_owned(), hash);
    let object = json!({
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": trial.namespace(),
            "labels": labels,
            "annotations": {EXPERIMENT_NAME: trial.name(), EXPERIMENT_TEMPLATE: version.asked.name},
            "ownerReferences": [trial.owner_reference()],
        },
        "spec": {
            "replicas": 0,
            "minReadySeconds": version.asked.min_ready_seconds(),
            "selector": selector,
            "template": template,
        },
    });
    let version = &version.asked.name;
    Write {
        target: trial.target(Kind::ReplicaSet, name),
        action: Action::Create(object),
        reason: format!("version {version} needs a ReplicaSet"),
        events: vec![Event::normal("NewReplicaSetCreated", format!("Created ReplicaSet {name} (version {version})"))],
    }
}

fn resized(trial: &Trial<'_>, version: &Version<'_>, set: &ReplicaSet) -> Option<Write> {
    let wanted = version.asked.replicas();
    let patch = without_deadline(set, Patch::of(&set.meta.uid));
    if set.wanted == wanted && patch.is_empty() {
        return None;
    }
    let sized = if set.wanted == wanted { None } else { Some(wanted) };
    Some(resize(trial, set, patch, sized, &format!("version {} asks for {wanted} pods", version.asked.name)))
}

/// A patch of a ReplicaSet that may change its size.
pub(super) fn resize(trial: &Trial<'_>, set: &ReplicaSet, patch: Patch, to: Option<i32>, why: &str) -> Write {
    let name = &set.meta.name;
    let Some(to) = to else {
        let reason = format!("ReplicaSet {name}: {why}");
        return Write {
            target: trial.target(Kind::ReplicaSet, name),
            action: Action::Patch(patch.operations()),
            reason,
            events: Vec::new(),
        };
    };
    let seen = patch.read("/metadata/generation", set.meta.generation).read("/spec/replicas", set.wanted);
    let patch = seen.set("/spec/replicas", to);
    let verb = if to > set.wanted { "up" } else { "down" };
    let sentence = format!("Scaled {verb} ReplicaSet {name} from {} to {to}: {why}", set.wanted);
    Write {
        target: trial.target(Kind::ReplicaSet, name),
        action: Action::Patch(patch.operations()),
        reason: sentence.clone(),
        events: vec![Event::normal("ScalingReplicaSet", sentence)],
    }
}
