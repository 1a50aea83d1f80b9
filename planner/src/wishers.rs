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

#[cfg(test)]
mod tests {
    use super::*;

    fn rollout(managed: &Value) -> Rollout {
        serde_json::from_value(json!({"metadata": {"name": "web", "managedFields": managed}})).expect("a Rollout")
    }

    #[test]
    fn only_what_is_certain_is_said_and_trimming_changes_no_answer() {
        let template = json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {}}}}});
        let all = json!({"f:metadata": {"f:labels": {}}, "f:spec": {"f:replicas": {}, "f:template": {}}});
        let wishes = json!({"f:status": {"f:abort": {}, "f:phase": {}}});
        let entry = |manager: &str, minute: i32, fields: &Value| json!({"manager": manager, "time": format!("2026-01-01T12:{minute:02}:00Z"), "fieldsV1": fields});
        // (managed fields → who wrote the template, who aborted)
        let rows = [
            (json!([]), None, None),
            (json!([entry("apply", 0, &all)]), Some("apply"), None),
            (json!([entry("apply", 0, &all), entry("set-image", 5, &template)]), Some("set-image"), None),
            (json!([entry("set-image", 0, &template), entry("apply", 5, &all)]), None, None),
            (json!([entry("a", 5, &template), entry("b", 5, &template)]), None, None),
            (json!([entry("apply", 0, &all), entry("plugin", 9, &wishes)]), Some("apply"), Some("plugin")),
        ];
        for (managed, template, abort) in rows {
            let mut rollout = rollout(&managed);
            for _ in 0..2 {
                assert_eq!(wisher(&rollout, Wish::Template), template, "{managed}");
                assert_eq!(wisher(&rollout, Wish::Abort), abort, "{managed}");
                assert_eq!(wisher(&rollout, Wish::PromoteFull), None);
                rollout.metadata.managed_fields = rollout.metadata.managed_fields.as_deref().and_then(trimmed_managers);
            }
        }
    }
}
