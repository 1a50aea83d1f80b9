//! Revisions: which ReplicaSet is which, what they are called and numbered, and which are forgotten.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sluice_crds::Rollout;
use sluice_crds::template::{HASH_LABEL, TemplateHash, semantically_equal};

use crate::names::{DESIRED_REPLICAS, EXPERIMENT_NAME, INSTANCE_ID, NOT_COPIED, REVISION, REVISION_HISTORY};
use crate::observe::Release;
use crate::packed_map::PackedMap;
use crate::patch::Patch;
use crate::plan::{Action, Event, Kind, Target, Write};
use crate::pods::{self, affinity, ephemeral};
use crate::read_rollout::ReadRollout;
use crate::snapshot::{ReplicaSet, Snapshot};
use crate::workload;

/// Labels and annotations of an object of any kind.
pub(crate) type TextMap = BTreeMap<String, String>;

/// The ReplicaSet of the Rollout's template: by hash (in each form that a controller may have written it), else by what
/// its pods would be. So an upgrade of the controller or of Kubernetes never releases the same thing again.
pub(crate) fn of_template<'a>(
    owned: &[&'a ReplicaSet],
    rollout: &ReadRollout,
    hash: &TemplateHash,
    collisions: Option<i32>,
) -> Option<&'a ReplicaSet> {
    let named = |hash: &TemplateHash| owned.iter().find(|set| set.hash() == hash.as_str()).copied();
    named(hash).or_else(|| {
        let template = rollout.template()?;
        TemplateHash::candidates(&template, collisions).iter().find_map(named).or_else(|| {
            let named = owned.iter().filter(|set| !set.hash().is_empty());
            let equal = named.filter(|set| semantically_equal(&ephemeral::own_template(set), &template));
            equal.max_by_key(|set| number(set)).copied()
        })
    })
}

/// The revision's number; 0 where none was written yet.
pub(crate) fn number(set: &ReplicaSet) -> i64 {
    set.meta.annotations.get(REVISION).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Takes ReplicaSets in that nobody controls and that our selector means.
pub(crate) fn adopt(snapshot: &Snapshot) -> Vec<Write> {
    let rollout = &snapshot.rollout;
    let Some(selector) = rollout.selector() else { return Vec::new() };
    let orphans = snapshot.replica_sets.iter().filter(|set| {
        set.meta.controller.is_none()
            && !set.meta.has_owners
            && !set.meta.deleting
            // What an Experiment has left behind was never released.
            && set.meta.annotations.get(EXPERIMENT_NAME).is_none()
            && !workload::is_taken_from(snapshot, &set.meta.name)
            && selector.matches(&set.meta.labels.unpacked())
    });
    orphans
        .map(|set| {
            let patch = Patch::of(&set.meta.uid)
                .read("/metadata/ownerReferences", Value::Null)
                .set("/metadata/ownerReferences", json!([owner_reference(rollout)]));
            let name = &set.meta.name;
            replica_set_patch(set, patch, format!("ReplicaSet {name} has no owner and matches the selector"))
        })
        .collect()
}

/// The new revision's ReplicaSet, without pods: they are asked for once it is there.
pub(crate) fn create(release: &Release<'_>) -> Write {
    let rollout = release.rollout;
    let spec = &rollout.spec;
    let hash = release.new_hash.as_str();
    let revision = release.revision;
    let name = release.new_name();
    let template = rollout.template().unwrap_or_default().with_label(HASH_LABEL, hash);
    let mut labels = template.labels();
    let (template, added) = ephemeral::born(release, template);
    let template = affinity::born(release, template);
    labels.extend(rollout.metadata.labels.iter().flatten().filter(|(key, _)| *key == INSTANCE_ID).map(owned_pair));
    let mut selector = spec.selector.clone().unwrap_or_default();
    selector.match_labels.get_or_insert_default().insert(HASH_LABEL.to_owned(), hash.to_owned());
    let mut annotations = copied_annotations(rollout);
    annotations.insert(REVISION.to_owned(), revision.to_string());
    annotations.insert(DESIRED_REPLICAS.to_owned(), release.replicas.to_string());
    annotations.extend(added);
    let object = json!({
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": release.namespace(),
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [owner_reference(rollout)],
        },
        "spec": {
            "replicas": 0,
            "minReadySeconds": spec.min_ready_seconds(),
            "selector": selector,
            "template": template,
        },
    });
    Write {
        target: Target { kind: Kind::ReplicaSet, namespace: release.namespace().to_owned(), name: name.clone() },
        action: Action::Create(object),
        reason: format!("revision {revision} needs a ReplicaSet"),
        events: vec![Event::normal("NewReplicaSetCreated", format!("Created ReplicaSet {name} (revision {revision})"))],
    }
}

/// Keeps number, copied annotations and `minReadySeconds` of the new revision's ReplicaSet true.
pub(crate) fn keep_true(release: &Release<'_>, set: &ReplicaSet) -> Option<Write> {
    let mut wanted = copied_annotations(release.rollout);
    let revision = release.revision;
    let before = number(set);
    if before != revision {
        wanted.insert(REVISION.to_owned(), revision.to_string());
        if before > 0 {
            let history = set.meta.annotations.get(REVISION_HISTORY).map(|history| format!("{history},{before}"));
            wanted.insert(REVISION_HISTORY.to_owned(), history.unwrap_or_else(|| before.to_string()));
        }
    }
    wanted.retain(|key, value| set.meta.annotations.get(key) != Some(value.as_str()));
    let mut patch = Patch::of(&set.meta.uid).annotate(annotations_of(set), &wanted);
    let min_ready = release.rollout.spec.min_ready_seconds();
    if set.min_ready_seconds != min_ready {
        patch = patch.set("/spec/minReadySeconds", min_ready);
    }
    let reason = format!("ReplicaSet {} follows the Rollout's annotations and revision {revision}", set.meta.name);
    (!patch.is_empty()).then(|| replica_set_patch(set, patch, reason))
}

/// Keeps what we put into the templates true. Pods that are there don't change with their template.
pub(crate) fn templates(release: &Release<'_>) -> Vec<Write> {
    let writes = pods::with_role(release).into_iter().filter_map(|set| {
        let patch = ephemeral::follow_role(release, set, Patch::of(&set.meta.uid));
        let patch = affinity::follow_stable(release, set, patch);
        let reason = format!("the template of ReplicaSet {} follows the role of its revision", set.meta.name);
        (!patch.is_empty()).then(|| replica_set_patch(set, patch, reason))
    });
    writes.collect()
}

/// Writes the revision's number on the Rollout, which is how people hear of a new revision.
pub(crate) fn number_rollout(release: &Release<'_>) -> Option<Write> {
    let metadata = &release.rollout.metadata;
    let wanted = TextMap::from([(REVISION.to_owned(), release.revision.to_string())]);
    let there = metadata.annotations.as_ref();
    if there.is_some_and(|there| there.get(REVISION) == wanted.get(REVISION)) {
        return None;
    }
    let revision = release.revision;
    Some(Write {
        target: Target {
            kind: Kind::Rollout,
            namespace: release.namespace().to_owned(),
            name: metadata.name.clone().unwrap_or_default(),
        },
        action: Action::Patch(
            Patch::of(metadata.uid.as_deref().unwrap_or_default())
                .annotate(there.map(PackedMap::from).as_ref(), &wanted)
                .operations(),
        ),
        reason: format!("the template is revision {revision}"),
        events: vec![Event::normal("RolloutUpdated", format!("Rollout updated to revision {revision}"))],
    })
}

/// Forgets the oldest revisions beyond `revisionHistoryLimit`: only empty ones, and none that is in use.
pub(crate) fn forget(release: &Release<'_>) -> Vec<Write> {
    let mut old: Vec<&ReplicaSet> = release.others.clone();
    if sabotaged!(DeletesStable) {
        old.extend(release.other_stable());
    }
    old.sort_by_key(|set| number(set));
    let limit = usize::try_from(release.rollout.spec.revision_history_limit()).unwrap_or(0);
    let surplus = old.len().saturating_sub(limit);
    let empty = |set: &&ReplicaSet| {
        sabotaged!(DeletesStable)
            || set.wanted == 0 && set.replicas == 0 && set.is_observed() && !release.is_selected(set)
    };
    old.into_iter()
        .take(surplus)
        .filter(empty)
        .map(|set| Write {
            target: target_of(set),
            action: Action::Delete { uid: set.meta.uid.clone(), resource_version: set.meta.resource_version.clone() },
            reason: format!("{} old revisions are more than revisionHistoryLimit {limit}", release.others.len()),
            events: Vec::new(),
        })
        .collect()
}

/// A patch of a ReplicaSet that has nothing to tell.
pub(crate) fn replica_set_patch(set: &ReplicaSet, patch: Patch, reason: String) -> Write {
    Write { target: target_of(set), action: Action::Patch(patch.operations()), reason, events: Vec::new() }
}

/// The annotations as they are, `None` where there is no map of them.
pub(crate) fn annotations_of(set: &ReplicaSet) -> Option<&PackedMap> {
    set.meta.has_annotations.then_some(&set.meta.annotations)
}

fn target_of(set: &ReplicaSet) -> Target {
    Target { kind: Kind::ReplicaSet, namespace: set.meta.namespace.clone(), name: set.meta.name.clone() }
}

fn copied_annotations(rollout: &Rollout) -> TextMap {
    let annotations = rollout.metadata.annotations.iter().flatten();
    annotations.filter(|(key, _)| !NOT_COPIED.contains(&key.as_str())).map(owned_pair).collect()
}

fn owned_pair((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}

/// The Rollout as the controller of what it makes.
pub(crate) fn owner_reference(rollout: &Rollout) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "name": rollout.metadata.name,
        "uid": rollout.metadata.uid,
        "controller": true,
        "blockOwnerDeletion": true,
    })
}
