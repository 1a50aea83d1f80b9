//! The schemas of the built-in kinds, from a table that `cargo xtask kubernetes-tables` takes from a real control plane.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::parse::parse_with;
use super::{Child, Schema, Type};

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(include_str!("builtin.json")).unwrap_or_default());

/// A kind that every API server knows, e.g. `apps/v1` `Deployment`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BuiltinKind {
    pub api_version: &'static str,
    pub kind: &'static str,
}

/// All kinds in the table, in order.
pub fn builtin_kinds() -> impl Iterator<Item = BuiltinKind> {
    TABLE.kinds.keys().filter_map(|name| {
        let (api_version, kind) = name.rsplit_once('/')?;
        Some(BuiltinKind { api_version, kind })
    })
}

/// The schema of a built-in kind.
pub fn builtin_schema(api_version: &str, kind: &str) -> Option<&'static Schema> {
    let index = TABLE.kinds.get(&format!("{api_version}/{kind}"))?;
    TABLE.definitions.get(*index)
}

/// The schema of every object's `metadata`.
pub(crate) fn object_meta() -> &'static Schema {
    TABLE.kinds.get(OBJECT_META).and_then(|index| TABLE.definitions.get(*index)).unwrap_or(&EMPTY)
}

pub(super) fn definition(index: usize) -> &'static Schema {
    TABLE.definitions.get(index).unwrap_or(&EMPTY)
}

/// A plain string.
pub(crate) fn text() -> &'static Schema {
    &TEXT
}

/// What an object of this type is before anything is set: the fields that are always shown, and nulls for those that
/// have to be given.
pub(crate) fn zero_object(schema: &Schema) -> Value {
    let mut map = Map::new();
    for (name, property) in &schema.properties {
        match &property.default {
            Some(Value::Object(_)) => {
                map.insert(name.clone(), zero_object(property));
            }
            Some(value) => {
                map.insert(name.clone(), value.clone());
            }
            None if schema.required.contains(name) => {
                map.insert(name.clone(), Value::Null);
            }
            None => {}
        }
    }
    Value::Object(map)
}

static TEXT: LazyLock<Schema> = LazyLock::new(|| Schema { types: Some(Type::String), ..Schema::default() });
static EMPTY: LazyLock<Schema> = LazyLock::new(Schema::default);
const OBJECT_META: &str = "meta.v1.ObjectMeta";

#[derive(Default)]
struct Table {
    /// `apps/v1/Deployment` → its definition.
    kinds: BTreeMap<String, usize>,
    definitions: Vec<Schema>,
}

/// A type as it is referred to: with what the referring field adds (a default, a patch strategy).
struct Uses {
    index: BTreeMap<String, usize>,
    waiting: Vec<Value>,
}

impl Uses {
    fn index_of(&mut self, reference: &Value) -> usize {
        let key = reference.to_string();
        if let Some(index) = self.index.get(&key) {
            return *index;
        }
        let index = self.index.len();
        self.index.insert(key, index);
        self.waiting.push(reference.clone());
        index
    }
}

impl Table {
    fn read(text: &str) -> Option<Self> {
        let raw: Value = serde_json::from_str(text).ok()?;
        let raw_definitions = raw.get("definitions")?.as_object()?;
        let mut uses = Uses { index: BTreeMap::new(), waiting: Vec::new() };
        let mut table = Self::default();
        let named = raw.get("kinds")?.as_object()?.iter();
        let named = named.filter_map(|(kind, name)| Some((kind.as_str(), name.as_str()?)));
        for (kind, name) in named.chain([(OBJECT_META, OBJECT_META)]) {
            let index = uses.index_of(&serde_json::json!({"$ref": name}));
            table.kinds.insert(kind.to_owned(), index);
        }
        // Definitions are parsed in the order in which they got their index; parsing finds further ones.
        let mut next = 0;
        while let Some(reference) = uses.waiting.get(next).cloned() {
            next += 1;
            let name = reference.get("$ref")?.as_str()?;
            let mut node: Map<String, Value> = raw_definitions.get(name)?.as_object()?.clone();
            for (key, value) in reference.as_object()?.iter().filter(|(key, _)| *key != "$ref") {
                node.insert(key.clone(), value.clone());
            }
            let mut schema =
                parse_with(&Value::Object(node), &mut |reference| Some(Child::Builtin(uses.index_of(reference))));
            schema.type_name = name.split_once('.').map_or(name, |(_, name)| name).to_owned();
            table.definitions.push(schema);
        }
        Some(table)
    }
}

#[cfg(test)]
mod tests {
    use super::super::ListType;
    use super::*;

    #[test]
    fn the_table_knows_the_kinds_and_their_list_keys() {
        assert!(builtin_kinds().count() >= 40);
        let deployment = builtin_schema("apps/v1", "Deployment").expect("known");
        assert_eq!(deployment.type_name, "v1.Deployment");
        let spec = deployment.entry("spec").expect("has a spec");
        assert_eq!(spec.default, Some(serde_json::json!({})));
        assert!(spec.entry("strategy").is_some_and(|s| s.patch_strategy.retain_keys));
        let pod = spec.entry("template").and_then(|t| t.entry("spec")).expect("has a pod template");
        let containers = pod.entry("containers").expect("has containers");
        assert_eq!((containers.list_type, containers.patch_merge_key.as_deref()), (Some(ListType::Map), Some("name")));
        let ports = containers.items.as_ref().and_then(|c| c.entry("ports")).expect("has ports");
        assert_eq!(ports.list_map_keys, ["containerPort", "protocol"]);
        assert_eq!(object_meta().entry("name").and_then(|name| name.types), Some(Type::String));
    }

    #[test]
    fn types_that_hold_themselves_are_known_to_any_depth() {
        let mut schema = builtin_schema("apiextensions.k8s.io/v1", "CustomResourceDefinition")
            .and_then(|crd| {
                crd.entry("spec")?.entry("versions")?.items.as_deref()?.entry("schema")?.entry("openAPIV3Schema")
            })
            .expect("versions have schemas");
        for _ in 0..20 {
            schema = schema.entry("properties").and_then(|p| p.entry("any")).expect("properties have schemas");
        }
        assert_eq!(schema.type_name, "v1.JSONSchemaProps");
    }
}
