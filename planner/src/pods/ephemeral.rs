//! Labels and annotations that pods carry for as long as their revision has its role (canary or stable, preview or
//! active): in the ReplicaSet's template, so that pods are born with them, and on each pod that is there.
//!
//! What a template says itself is kept beside what was put in, so that taking something out restores it.

use std::cell::LazyCell;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sluice_crds::template::PodTemplate;
use sluice_crds::unit::ExtraMetadata;

use super::{MOST_PODS_AT_ONCE, living, with_role, write_of};
use crate::names::EPHEMERAL_METADATA;
use crate::observe::Release;
use crate::packed_map::PackedMap;
use crate::patch::{Patch, escaped};
use crate::plan::{Action, Write};
use crate::revisions::{TextMap, annotations_of};
use crate::snapshot::{Pod, ReplicaSet};

/// Values that keys are to have; `None` takes a key away.
type Values = BTreeMap<String, Option<String>>;

/// The two maps of metadata that can be added to.
const MAPS: [&str; 2] = ["labels", "annotations"];

/// One map of metadata: what was put in, and what the template itself has under each key that ever was.
#[derive(Clone, Debug, Default, PartialEq)]
struct Layer {
    added: TextMap,
    own: Values,
}

/// What a ReplicaSet's annotation says of its template: labels and annotations.
#[derive(Clone, Debug, Default, PartialEq)]
struct Record([Layer; 2]);

/// The template as its author wrote it, by which a revision is recognised.
pub(crate) fn own_template(set: &ReplicaSet) -> PodTemplate {
    let mut template = set.template.unpacked();
    let Some(Record([labels, annotations])) = Record::of(set) else { return template };
    for (key, value) in labels.without_added() {
        template = match value {
            Some(value) => template.with_label(&key, &value),
            None => template.without_label(&key),
        };
    }
    for (key, value) in annotations.without_added() {
        template = match value {
            Some(value) => template.with_annotation(&key, &value),
            None => template.without_annotation(&key),
        };
    }
    template
}

/// The template with which the new revision is born, and the annotation that says what was put in.
pub(crate) fn born(release: &Release<'_>, mut template: PodTemplate) -> (PodTemplate, TextMap) {
    let Some(extra) = role_of_new(release).filter(|extra| !is_empty(extra)) else { return (template, TextMap::new()) };
    let own = [template.labels(), template.annotations()];
    let record = Record::default().with(extra, |map, key| own[map].get(key).cloned());
    for (key, value) in &record.0[0].added {
        template = template.with_label(key, value);
    }
    for (key, value) in &record.0[1].added {
        template = template.with_annotation(key, value);
    }
    (template, TextMap::from([(EPHEMERAL_METADATA.to_owned(), record.to_text())]))
}

/// Adds to a patch of the ReplicaSet what makes its template that of its role.
pub(crate) fn follow_role(release: &Release<'_>, set: &ReplicaSet, mut patch: Patch) -> Patch {
    let (before, after) = records(release, set);
    if before == after && after == Record::default() {
        return patch;
    }
    let template = set.template.unpacked();
    let there = [PackedMap::from(&template.labels()), PackedMap::from(&template.annotations())];
    for (map, layer) in after.0.iter().enumerate() {
        let path = format!("/spec/template/metadata/{}", MAPS[map]);
        let exists = template.as_json()["metadata"][MAPS[map]].is_object();
        patch = edit(patch, &path, exists.then_some(&there[map]), &layer.wanted());
    }
    if before == after {
        return patch;
    }
    let record = TextMap::from([(EPHEMERAL_METADATA.to_owned(), after.to_text())]);
    patch.annotate(annotations_of(set), &record)
}

/// Brings pods that are there already to what their ReplicaSet's template has: a few at a time, until all are equal.
pub(crate) fn pods(release: &Release<'_>) -> Vec<Write> {
    let sets = with_role(release).into_iter().filter_map(|set| {
        let (_, after) = records(release, set);
        let wanted = after.0.map(|layer| layer.wanted());
        wanted.iter().any(|values| !values.is_empty()).then_some((set, wanted))
    });
    let writes =
        sets.flat_map(|(set, wanted)| living(release, set).into_iter().filter_map(move |pod| pod_write(pod, &wanted)));
    writes.take(MOST_PODS_AT_ONCE).collect()
}

fn pod_write(pod: &Pod, wanted: &[Values; 2]) -> Option<Write> {
    let meta = &pod.meta;
    let annotations = meta.has_annotations.then_some(&meta.annotations);
    let patch = edit(Patch::of(&meta.uid), "/metadata/labels", Some(&meta.labels), &wanted[0]);
    let patch = edit(patch, "/metadata/annotations", annotations, &wanted[1]);
    let reason = format!("pod {} gets the metadata of its revision's role", meta.name);
    (!patch.is_empty()).then(|| write_of(pod, Action::Patch(patch.operations()), reason))
}

/// Only what differs is tested and changed.
fn edit(mut patch: Patch, path: &str, there: Option<&PackedMap>, wanted: &Values) -> Patch {
    let Some(there) = there else {
        let added: Map<String, Value> =
            wanted.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?.into()))).collect();
        return if added.is_empty() { patch } else { patch.read(path, Value::Null).set(path, added) };
    };
    for (key, value) in wanted.iter().filter(|(key, value)| there.get(key) != value.as_deref()) {
        let path = format!("{path}/{}", escaped(key));
        patch = patch.read(&path, json!(there.get(key)));
        patch = match value {
            Some(value) => patch.set(&path, value.as_str()),
            None => patch.remove(&path),
        };
    }
    patch
}

/// What is recorded, and what is to be. A revision that nobody released with such metadata has neither.
fn records(release: &Release<'_>, set: &ReplicaSet) -> (Record, Record) {
    let before = Record::of(set);
    let nothing = ExtraMetadata::default();
    let extra = role(release, set).unwrap_or(&nothing);
    if before.is_none() && is_empty(extra) {
        return (Record::default(), Record::default());
    }
    let before = before.unwrap_or_default();
    let is_new = release.new.is_some_and(|new| new.meta.uid == set.meta.uid);
    let written = LazyCell::new(|| release.rollout.template().filter(|_| is_new));
    let template = LazyCell::new(|| set.template.unpacked());
    let after = before.with(extra, |map, key| {
        let was_added = before.0[map].added.contains_key(key);
        // Another controller may have put it in without a note of what was there.
        let from = if was_added { written.as_ref() } else { Some(&*template) };
        let value = if map == 0 { from?.label(key) } else { from?.annotation(key) };
        value.map(str::to_owned)
    });
    (before, after)
}

/// What the strategy wants on the pods of this revision; the first one is as good as stable.
fn role<'a>(release: &Release<'a>, set: &ReplicaSet) -> Option<&'a ExtraMetadata> {
    if release.new.is_some_and(|new| new.meta.uid == set.meta.uid) {
        return role_of_new(release);
    }
    if release.other_stable().is_none_or(|stable| stable.meta.uid != set.meta.uid) {
        return None;
    }
    let spec = &release.rollout.spec;
    let active = spec.blue_green().filter(|_| !new_is_selected(release));
    let canary = spec.canary().and_then(|canary| canary.stable_metadata.as_ref());
    canary.or_else(|| active?.active_metadata.as_ref())
}

fn role_of_new<'a>(release: &Release<'a>) -> Option<&'a ExtraMetadata> {
    let spec = &release.rollout.spec;
    let is_alone = release.other_stable().is_none();
    match (spec.canary(), spec.blue_green()) {
        (Some(canary), _) if is_alone => canary.stable_metadata.as_ref(),
        (Some(canary), _) => canary.canary_metadata.as_ref(),
        (None, Some(blue_green)) if is_alone || new_is_selected(release) => blue_green.active_metadata.as_ref(),
        (None, blue_green) => blue_green?.preview_metadata.as_ref(),
    }
}

fn new_is_selected(release: &Release<'_>) -> bool {
    release.new.is_some_and(|new| release.is_selected(new))
}

fn is_empty(extra: &ExtraMetadata) -> bool {
    [&extra.labels, &extra.annotations].into_iter().flatten().all(BTreeMap::is_empty)
}

impl Layer {
    /// What each key has once nothing is put in.
    fn without_added(&self) -> Values {
        let unknown = self.added.keys().map(|key| (key.clone(), None));
        unknown.chain(self.own.clone()).collect()
    }

    /// What each key is to have.
    fn wanted(&self) -> Values {
        let own = self.own.iter().map(|(key, value)| (key.clone(), value.clone()));
        let added = self.added.iter().map(|(key, value)| (key.clone(), Some(value.clone())));
        own.chain(added).collect()
    }
}

impl Record {
    fn of(set: &ReplicaSet) -> Option<Self> {
        let text = set.meta.annotations.get(EPHEMERAL_METADATA)?;
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        let layer = |map: &str| {
            let text = |(key, value): (&String, &Value)| (key.clone(), value.as_str().map(str::to_owned));
            let entries = |value: &Value| -> Values { value.as_object().into_iter().flatten().map(text).collect() };
            let added = entries(&value[map]).into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
            Layer { added, own: entries(&value["own"][map]) }
        };
        Some(Self(MAPS.map(layer)))
    }

    /// The record once this is what is put in; `own` tells what a key has without that, where it is not known yet.
    fn with(&self, extra: &ExtraMetadata, own: impl Fn(usize, &str) -> Option<String>) -> Self {
        let wanted = [&extra.labels, &extra.annotations].map(|map| map.clone().unwrap_or_default());
        let mut after = self.clone();
        for (map, (layer, added)) in after.0.iter_mut().zip(wanted).enumerate() {
            for key in layer.added.keys().chain(added.keys()) {
                layer.own.entry(key.clone()).or_insert_with(|| own(map, key));
            }
            layer.added = added;
        }
        after
    }

    fn to_text(&self) -> String {
        let [labels, annotations] = &self.0;
        let mut record = Map::new();
        for (name, layer) in [("labels", labels), ("annotations", annotations)] {
            if !layer.added.is_empty() {
                record.insert(name.to_owned(), json!(layer.added));
            }
        }
        record.insert("own".to_owned(), json!({"labels": labels.own, "annotations": annotations.own}));
        Value::Object(record).to_string()
    }
}
