//! Who owns what: the `metadata.managedFields` of an object.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::field_set::FieldSet;

/// More managers by update than this are folded into one.
const MAX_UPDATE_MANAGERS: usize = 10;
const OLD_UPDATES: &str = "ancient-changes";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    Apply,
    Update,
}

impl Operation {
    fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

/// Who a manager is. An applier stays the same whichever version it applies in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ManagerId {
    pub name: String,
    pub operation: Operation,
    /// Empty for appliers.
    pub api_version: String,
    pub subresource: String,
}

/// What a manager owns, in which version it said so, and when its set last changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    pub fields: FieldSet,
    pub api_version: String,
    pub time: Option<String>,
}

pub type Managers = BTreeMap<ManagerId, Owned>;

/// Reads managedFields; an entry that can't be right makes all of them unreadable.
pub(super) fn decode(entries: &[Value]) -> Result<Managers, String> {
    let mut managers = Managers::new();
    for (i, entry) in entries.iter().enumerate() {
        let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let operation = match text("operation").as_str() {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return Err("operation must be `Apply` or `Update`".into()),
        };
        let api_version = text("apiVersion");
        if api_version.is_empty() {
            return Err("apiVersion must not be empty".into());
        }
        match text("fieldsType").as_str() {
            "FieldsV1" => {}
            "" => return Err(format!("missing fieldsType in managed fields entry {i}")),
            other => return Err(format!("invalid fieldsType \"{other}\" in managed fields entry {i}")),
        }
        let id = ManagerId {
            name: text("manager"),
            operation,
            api_version: if operation == Operation::Apply { String::new() } else { api_version.clone() },
            subresource: text("subresource"),
        };
        let fields = entry.get("fieldsV1").map(FieldSet::decode).unwrap_or_default();
        let time = entry.get("time").and_then(Value::as_str).map(str::to_owned);
        managers.insert(id, Owned { fields, api_version, time });
    }
    Ok(managers)
}

/// Writes managedFields: appliers first, then by time and name.
pub(super) fn encode(managers: &Managers) -> Vec<Value> {
    let mut entries: Vec<(&ManagerId, &Owned)> = managers.iter().collect();
    entries.sort_by(|(a, a_owned), (b, b_owned)| {
        let by_age = |owned: &Owned| owned.time.clone().unwrap_or_default();
        (a.operation, by_age(a_owned), &a.name, &a_owned.api_version, &a.subresource).cmp(&(
            b.operation,
            by_age(b_owned),
            &b.name,
            &b_owned.api_version,
            &b.subresource,
        ))
    });
    entries
        .into_iter()
        .map(|(id, owned)| {
            let mut entry = Map::new();
            if !id.name.is_empty() {
                entry.insert("manager".into(), json!(id.name));
            }
            entry.insert("operation".into(), json!(id.operation.as_str()));
            entry.insert("apiVersion".into(), json!(owned.api_version));
            if let Some(time) = &owned.time {
                entry.insert("time".into(), json!(time));
            }
            entry.insert("fieldsType".into(), json!("FieldsV1"));
            entry.insert("fieldsV1".into(), owned.fields.encode());
            if !id.subresource.is_empty() {
                entry.insert("subresource".into(), json!(id.subresource));
            }
            Value::Object(entry)
        })
        .collect()
}

/// Folds the oldest updaters of each version into one, until there are few enough.
pub(super) fn cap(managers: &mut Managers) {
    let mut updaters: Vec<ManagerId> =
        managers.keys().filter(|id| id.operation == Operation::Update).cloned().collect();
    let mut count = updaters.len();
    if count <= MAX_UPDATE_MANAGERS {
        return;
    }
    updaters.sort_by_key(|id| (managers.get(id).and_then(|owned| owned.time.clone()), id.clone()));
    let mut first_of_version: BTreeMap<String, ManagerId> = BTreeMap::new();
    for id in updaters {
        if count <= MAX_UPDATE_MANAGERS {
            return;
        }
        let Some(owned) = managers.get(&id).cloned() else { continue };
        let Some(first) = first_of_version.get(&owned.api_version) else {
            first_of_version.insert(owned.api_version.clone(), id);
            continue;
        };
        let bucket = ManagerId {
            name: OLD_UPDATES.into(),
            operation: Operation::Update,
            api_version: owned.api_version.clone(),
            subresource: String::new(),
        };
        if !managers.contains_key(&bucket)
            && let Some(first) = managers.remove(first)
        {
            managers.insert(bucket.clone(), first);
        }
        if bucket != id
            && let Some(old) = managers.get_mut(&bucket)
        {
            old.fields = old.fields.union(&owned.fields);
            old.time = owned.time;
            managers.remove(&id);
            count -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_survive_reading_and_writing_in_order() {
        let entry = |manager: &str, operation: &str, time: &str| {
            json!({"manager": manager, "operation": operation, "apiVersion": "v1", "time": time,
                   "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:a": {}}}})
        };
        let sorted = [
            entry("z", "Apply", "2026-01-02T00:00:00Z"),
            entry("b", "Update", "2026-01-01T00:00:00Z"),
            entry("a", "Update", "2026-01-02T00:00:00Z"),
        ];
        let mixed = [sorted[2].clone(), sorted[0].clone(), sorted[1].clone()];
        assert_eq!(decode(&mixed).map(|managers| encode(&managers)), Ok(sorted.to_vec()));
        assert_eq!(decode(&[json!({})]), Err("operation must be `Apply` or `Update`".into()));
    }

    #[test]
    fn the_oldest_updaters_are_folded_into_one() {
        let mut managers = Managers::new();
        for i in 0..12 {
            let id = ManagerId {
                name: format!("m{i:02}"),
                operation: Operation::Update,
                api_version: "v1".into(),
                subresource: String::new(),
            };
            let fields = FieldSet::of_fields(&[&format!("data.k{i}")]);
            let time = Some(format!("2026-01-01T00:00:{i:02}Z"));
            managers.insert(id, Owned { fields, api_version: "v1".into(), time });
        }
        cap(&mut managers);
        let names: Vec<&str> = managers.keys().map(|id| id.name.as_str()).collect();
        assert_eq!(names, ["ancient-changes", "m03", "m04", "m05", "m06", "m07", "m08", "m09", "m10", "m11"]);
        let old = managers.values().next().expect("the folded one");
        assert_eq!(old.fields.encode(), json!({"f:data": {"f:k0": {}, "f:k1": {}, "f:k2": {}}}));
        assert_eq!(old.time.as_deref(), Some("2026-01-01T00:00:02Z"));
    }
}
