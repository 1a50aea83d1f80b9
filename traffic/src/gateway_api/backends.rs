//! What the backends of a rule are to the Rollout.

use serde_json::{Value, json};

use crate::objects::ObjectRef;
use crate::routing::Routing;
use crate::split::Split;
use crate::weigh::{Change, Lack, Part, Weighed, written};

/// The weight of a backend without one.
pub(super) const UNWRITTEN: i64 = 1;

/// How backends are told apart in one route.
#[derive(Clone, Copy)]
pub(super) struct Backends<'a> {
    pub(super) routing: &'a Routing,
    pub(super) split: Option<&'a Split>,
    pub(super) route: &'a ObjectRef,
}

impl Backends<'_> {
    pub(super) fn part(&self, backend: &Value) -> Part {
        let name = backend["name"].as_str().unwrap_or_default();
        let namespace = backend["namespace"].as_str().unwrap_or(&self.route.namespace);
        let is_service = matches!(backend["kind"].as_str(), None | Some("Service" | ""))
            && matches!(backend["group"].as_str(), None | Some(""));
        let foreign = || Part::Foreign(format!("{} {namespace}/{name}", backend["kind"].as_str().unwrap_or("Service")));
        if !is_service || namespace != self.routing.namespace || name.is_empty() {
            return foreign();
        }
        if name == self.routing.canary_service() {
            Part::Canary
        } else if name == self.routing.stable_service() {
            Part::Stable
        } else if self.routing.is_experiment(name) || self.is_wanted(name) {
            Part::Experiment(name.to_owned())
        } else {
            foreign()
        }
    }

    pub(super) fn weighed(&self, rule: &Value) -> Vec<Weighed> {
        let list = rule["backendRefs"].as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter().map(|one| Weighed { part: self.part(one), weight: written(&one["weight"]) }).collect()
    }

    /// Whether a rule refers to both of our Services; only such rules are edited.
    pub(super) fn divides(&self, rule: &Value) -> bool {
        let has = |part: &Part| self.find(rule, part).is_some();
        has(&Part::Stable) && has(&Part::Canary)
    }

    pub(super) fn find<'r>(&self, rule: &'r Value, part: &Part) -> Option<&'r Value> {
        rule["backendRefs"].as_array()?.iter().find(|one| self.part(one) == *part)
    }

    /// The list of backends as a change makes it.
    pub(super) fn changed(&self, rule: &Value, change: &Change) -> Value {
        let mut list = rule["backendRefs"].as_array().cloned().unwrap_or_default();
        for (index, weight) in &change.set {
            list[*index]["weight"] = (*weight).into();
        }
        for index in change.remove.iter().rev() {
            list.remove(*index);
        }
        let stable = self.find(rule, &Part::Stable);
        for one in &change.append {
            // Port, group, kind and namespace are those of stable; its filters are its own.
            let mut backend = stable.cloned().unwrap_or_else(|| json!({}));
            backend["name"] = one.service.as_str().into();
            backend["weight"] = one.weight.into();
            if let Some(fields) = backend.as_object_mut() {
                fields.remove("filters");
            }
            list.push(backend);
        }
        list.into()
    }

    /// One sentence about what a rule lacks.
    pub(super) fn lack(&self, index: usize, lack: Lack) -> String {
        let Lack::Foreign(other) = lack else { return self.lacks_both() };
        format!(
            "spec.rules[{index}].backendRefs has a backend beside the two of the Rollout: {other}; move it to a rule of its own"
        )
    }

    /// One sentence about a route without any rule of ours.
    pub(super) fn lacks_both(&self) -> String {
        let (stable, canary) = (self.routing.stable_service(), self.routing.canary_service());
        format!(
            "no rule of spec.rules refers to both Services, {stable} and {canary}; write both into backendRefs of one rule, \
             {canary} with weight: 0"
        )
    }

    fn is_wanted(&self, name: &str) -> bool {
        self.split.is_some_and(|split| split.additional().iter().any(|one| one.service == name))
    }
}
