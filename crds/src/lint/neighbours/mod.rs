//! References between the objects of one text: what can be seen to be wrong without a cluster.
//!
//! Only what is there is looked at. An object that is missing may be in another file or in the cluster.

mod analysis;
mod ingress;
mod service;
mod virtual_service;
mod workload;

use std::collections::BTreeMap;

use serde_json::Value;

use super::Finding;
use super::object::{Content, Object};
use crate::Rollout;
use crate::mistake::{FieldPath, Mistake};

/// All mistakes between the objects.
pub(super) fn check(objects: &[Object]) -> Vec<Finding> {
    let mut found = Vec::new();
    let file = File::new(objects, &mut found);
    for object in objects {
        let Content::Rollout(rollout) = &object.content else {
            continue;
        };
        let written = Here { object, rollout };
        let resolved = workload::resolved(&written, &file, &mut found);
        let one = Here { object, rollout: resolved.as_ref().unwrap_or(rollout) };
        service::check(&one, &file, &mut found);
        ingress::check(&one, &file, &mut found);
        virtual_service::check(&one, &file, &mut found);
        analysis::check(&one, &file, &mut found);
    }
    found
}

/// The Rollout whose references are followed.
struct Here<'o> {
    object: &'o Object,
    rollout: &'o Rollout,
}

/// The objects of the text by kind and name.
struct File<'o> {
    by_name: BTreeMap<(&'o str, &'o str), Vec<&'o Object>>,
}

impl<'o> File<'o> {
    fn new(objects: &'o [Object], found: &mut Vec<Finding>) -> File<'o> {
        let mut by_name: BTreeMap<(&str, &str), Vec<&Object>> = BTreeMap::new();
        for object in objects.iter().filter(|object| !object.name.name.is_empty()) {
            let others = by_name.entry((&object.name.kind, &object.name.name)).or_default();
            let is_ours = object.api_version == crate::shape::API_VERSION;
            let same = |other: &&Object| other.api_version == object.api_version && other.shares_namespace(object);
            if is_ours && others.iter().any(same) {
                let path = FieldPath::of("metadata.name");
                let mend = "remove one of the two, or name it otherwise";
                let name = &object.name.name;
                found.push(object.finding(Mistake::wrong(path, name, "is in this file twice", mend)));
            }
            others.push(object);
        }
        File { by_name }
    }

    /// The object of this kind and name in the Rollout's namespace, if it is in the file.
    fn find(&self, kind: &str, name: &str, here: &Here<'_>) -> Option<&'o Object> {
        let named = self.by_name.get(&(kind, name))?;
        named.iter().copied().find(|object| object.shares_namespace(here.object))
    }

    /// The object of this kind and name that has no namespace of its own.
    fn find_in_cluster(&self, kind: &str, name: &str) -> Option<&'o Object> {
        self.by_name.get(&(kind, name))?.first().copied()
    }
}

impl Object {
    /// What the object says, if its kind is not one of Sluice's.
    fn json(&self) -> Option<&Value> {
        match &self.content {
            Content::Other(json) => Some(json),
            _ => None,
        }
    }
}
