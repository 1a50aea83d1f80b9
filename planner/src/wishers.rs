//! Who asked for something: the field managers that the API server remembers. Nothing is guessed: where it can't
//! be told who set a field last, nobody did.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry};
use serde_json::{Value, json};
use sluice_crds::Rollout;

/// Something that a person or tool may have asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Abort,
    PromoteFull,
    Template,
}

impl Wish {
    const ALL: [Self; 3] = [Self::Abort, Self::PromoteFull, Self::Template];

    /// The field that says it: below `status` or `spec`.
    const fn field(self) -> [&'static str; 2] {
        match self {
            Self::Abort => ["f:status", "f:abort"],
            Self::PromoteFull => ["f:status", "f:promoteFull"],
            Self::Template => ["f:spec", "f:template"],
        }
    }
}

/// Who set the field last.
pub(crate) fn wisher(rollout: &Rollout, wish: Wish) -> Option<&str> {
    last_to_set(rollout.metadata.managed_fields.as_deref()?, wish)?.manager.as_deref()
}

/// What is read of the managed fields of a Rollout, and nothing else: they are most of its size.
pub fn trimmed_managers(managed: &[ManagedFieldsEntry]) -> Option<Vec<ManagedFieldsEntry>> {
    let kept: Vec<ManagedFieldsEntry> = Wish::ALL
        .into_iter()
        .filter_map(|wish| {
            let [part, field] = wish.field();
            let manager = last_to_set(managed, wish)?.manager.clone();
            let fields_v1 = Some(FieldsV1(json!({ part: { field: {} } })));
            Some(ManagedFieldsEntry { manager, fields_v1, ..ManagedFieldsEntry::default() })
        })
        .collect();
    (!kept.is_empty()).then_some(kept)
}

/// The one manager of the field. Where several share a template, the one that came last: its time is that of its
/// last write of any field, so it must own nothing but the template.
fn last_to_set(managed: &[ManagedFieldsEntry], wish: Wish) -> Option<&ManagedFieldsEntry> {
    let mut owners = managed.iter().filter(|entry| owns(entry, wish));
    let first = owners.next()?;
    let last = owners.try_fold(first, |last, entry| match last.time.cmp(&entry.time) {
        std::cmp::Ordering::Less => Some(entry),
        std::cmp::Ordering::Greater => Some(last),
        std::cmp::Ordering::Equal => None,
    })?;
    let is_alone = managed.iter().filter(|entry| owns(entry, wish)).count() == 1;
    (is_alone || owns_nothing_else(last, wish)).then_some(last)
}

fn fields(entry: &ManagedFieldsEntry) -> &Value {
    entry.fields_v1.as_ref().map_or(&Value::Null, |FieldsV1(fields)| fields)
}

fn owns(entry: &ManagedFieldsEntry, wish: Wish) -> bool {
    let [part, field] = wish.field();
    fields(entry).get(part).and_then(|part| part.get(field)).is_some()
}

fn owns_nothing_else(entry: &ManagedFieldsEntry, wish: Wish) -> bool {
    let [part, field] = wish.field();
    let only = |value: &Value, key: &str| value.as_object().is_some_and(|map| map.keys().all(|k| k == key));
    only(fields(entry), part) && only(&fields(entry)[part], field)
}
