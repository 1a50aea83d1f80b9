//! Sets of fields, kept as a tree, and their form in managedFields.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::path::PathElement;

/// A set of paths. A path can be in the set without the paths below it, and the other way round.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSet {
    members: BTreeSet<PathElement>,
    children: BTreeMap<PathElement, FieldSet>,
}

impl FieldSet {
    pub fn new() -> Self {
        Self::default()
    }

    /// A set of plain field paths, each written `spec.replicas`.
    pub fn of_fields(paths: &[&str]) -> Self {
        let mut set = Self::new();
        for path in paths {
            let steps: Vec<PathElement> = path.split('.').map(|name| PathElement::Field(name.to_owned())).collect();
            set.insert(&steps);
        }
        set
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.children.values().all(Self::is_empty)
    }

    /// Adds a path; the empty path names the root, which nobody owns.
    pub fn insert(&mut self, path: &[PathElement]) {
        match path {
            [] => {}
            [last] => {
                self.members.insert(last.clone());
            }
            [first, rest @ ..] => self.children.entry(first.clone()).or_default().insert(rest),
        }
    }

    pub fn has_member(&self, element: &PathElement) -> bool {
        self.members.contains(element)
    }

    /// What the set holds below one step.
    pub fn below(&self, element: &PathElement) -> Option<&FieldSet> {
        self.children.get(element).filter(|set| !set.is_empty())
    }

    pub fn contains(&self, path: &[PathElement]) -> bool {
        match path {
            [] => false,
            [last] => self.members.contains(last),
            [first, rest @ ..] => self.children.get(first).is_some_and(|set| set.contains(rest)),
        }
    }

    pub(super) fn children(&self) -> impl Iterator<Item = (&PathElement, &FieldSet)> {
        self.children.iter()
    }

    pub(super) fn with_children(
        &self,
        extra_members: Vec<PathElement>,
        children: BTreeMap<PathElement, FieldSet>,
    ) -> Self {
        let mut members = self.members.clone();
        members.extend(extra_members);
        Self { members, children }
    }

    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut result = self.clone();
        result.members.extend(other.members.iter().cloned());
        for (element, set) in &other.children {
            let merged = result.children.get(element).map_or_else(|| set.clone(), |now| now.union(set));
            result.children.insert(element.clone(), merged);
        }
        result
    }

    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let members = self.members.intersection(&other.members).cloned().collect();
        let children = self.children.iter().filter_map(|(element, set)| {
            let common = set.intersection(other.children.get(element)?);
            (!common.is_empty()).then(|| (element.clone(), common))
        });
        Self { members, children: children.collect() }
    }

    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let members = self.members.difference(&other.members).cloned().collect();
        let children = self.children.iter().filter_map(|(element, set)| {
            let rest = other.children.get(element).map_or_else(|| set.clone(), |o| set.difference(o));
            (!rest.is_empty()).then(|| (element.clone(), rest))
        });
        Self { members, children: children.collect() }
    }

    /// Takes away whole subtrees: a path in `other` removes everything below it too.
    #[must_use]
    pub fn without_subtrees(&self, other: &Self) -> Self {
        let members = self.members.difference(&other.members).cloned().collect();
        let children = self.children.iter().filter_map(|(element, set)| {
            if other.members.contains(element) {
                return None;
            }
            let rest = other.children.get(element).map_or_else(|| set.clone(), |o| set.without_subtrees(o));
            (!rest.is_empty()).then(|| (element.clone(), rest))
        });
        Self { members, children: children.collect() }
    }

    /// All paths, those of one level before those below it.
    pub fn paths(&self) -> Vec<Vec<PathElement>> {
        let mut found = Vec::new();
        self.collect(&mut Vec::new(), &mut found);
        found
    }

    fn collect(&self, prefix: &mut Vec<PathElement>, found: &mut Vec<Vec<PathElement>>) {
        for element in &self.members {
            let mut path = prefix.clone();
            path.push(element.clone());
            found.push(path);
        }
        for (element, set) in &self.children {
            prefix.push(element.clone());
            set.collect(prefix, found);
            prefix.pop();
        }
    }

    /// Paths with nothing of the set below them.
    #[must_use]
    pub fn leaves(&self) -> Self {
        let members = self.members.iter().filter(|element| self.below(element).is_none()).cloned().collect();
        let children = self
            .children
            .iter()
            .map(|(element, set)| (element.clone(), set.leaves()))
            .filter(|(_, set)| !set.is_empty())
            .collect();
        Self { members, children }
    }

    /// The `fieldsV1` of a managedFields entry.
    pub fn encode(&self) -> Value {
        let mut map = Map::new();
        for element in &self.members {
            let mut inner = self.below(element).map(Self::encode_map).unwrap_or_default();
            if self.below(element).is_some() {
                inner.insert(".".into(), Value::Object(Map::new()));
            }
            map.insert(element.encode(), Value::Object(inner));
        }
        for (element, set) in &self.children {
            if !self.members.contains(element) && !set.is_empty() {
                map.insert(element.encode(), set.encode());
            }
        }
        Value::Object(map)
    }

    fn encode_map(&self) -> Map<String, Value> {
        match self.encode() {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    /// Reads `fieldsV1`; unreadable steps are left out, as a real server does with unknown kinds of steps.
    pub fn decode(fields: &Value) -> Self {
        let mut set = Self::new();
        for (name, inner) in fields.as_object().into_iter().flatten() {
            let Some(element) = PathElement::decode(name) else { continue };
            let below = Self::decode(inner);
            let only_itself = inner.as_object().is_none_or(Map::is_empty);
            if only_itself || inner.get(".").is_some() {
                set.members.insert(element.clone());
            }
            if !below.is_empty() {
                set.children.insert(element, below);
            }
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(fields: &Value) -> FieldSet {
        FieldSet::decode(fields)
    }

    #[test]
    fn sets_survive_their_stored_form() {
        let stored = json!({
            "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
            "f:spec": {"f:containers": {"k:{\"name\":\"a\"}": {".": {}, "f:image": {}, "f:ports": {}}}},
            "f:status": {"f:conditions": {"v:\"x\"": {}, "i:0": {}}},
        });
        assert_eq!(set(&stored).encode(), stored);
    }

    #[test]
    fn sets_combine() {
        let a = set(&json!({"f:a": {}, "f:b": {".": {}, "f:x": {}}, "f:c": {"f:y": {}}}));
        let b = set(&json!({"f:b": {"f:x": {}}, "f:c": {"f:y": {}, "f:z": {}}}));
        assert_eq!(
            a.union(&b).encode(),
            json!({"f:a": {}, "f:b": {".": {}, "f:x": {}}, "f:c": {"f:y": {}, "f:z": {}}})
        );
        assert_eq!(a.intersection(&b).encode(), json!({"f:b": {"f:x": {}}, "f:c": {"f:y": {}}}));
        assert_eq!(a.difference(&b).encode(), json!({"f:a": {}, "f:b": {}}));
        assert_eq!(b.difference(&a).encode(), json!({"f:c": {"f:z": {}}}));
        assert_eq!(a.leaves().encode(), json!({"f:a": {}, "f:b": {"f:x": {}}, "f:c": {"f:y": {}}}));
        let whole = set(&json!({"f:b": {}, "f:c": {}}));
        assert_eq!(a.without_subtrees(&whole).encode(), json!({"f:a": {}}));
        assert!(a.difference(&a).is_empty());
    }
}
