//! What the destinations of a VirtualService are to the Rollout.

use serde_json::{Value, json};

use super::host::{host_for, service_of};
use crate::routing::Routing;
use crate::split::Split;
use crate::weigh::{Change, Lack, Part, Weighed, written};

/// Istio gives a destination without a weight nothing, unless it is the only one.
pub(super) const UNWRITTEN: i64 = 0;

/// Subset-level routing: one host, two subsets.
#[derive(Clone, Copy)]
pub(super) struct SubsetNames<'a> {
    /// Service and namespace.
    pub(super) host: (&'a str, &'a str),
    pub(super) stable: &'a str,
    pub(super) canary: &'a str,
    /// Subsets that stay as they are.
    pub(super) kept: &'a [String],
}

/// How destinations are told apart in one VirtualService.
#[derive(Clone, Copy)]
pub(super) struct Destinations<'a> {
    pub(super) routing: &'a Routing,
    /// Namespace of the VirtualService.
    pub(super) namespace: &'a str,
    pub(super) subsets: Option<SubsetNames<'a>>,
}

impl<'a> Destinations<'a> {
    pub(super) fn part(&self, destination: &Value, split: Option<&Split>) -> Part {
        let (host, subset) = (destination["host"].as_str().unwrap_or_default(), destination["subset"].as_str());
        let foreign =
            || Part::Foreign([Some(host), subset].into_iter().flatten().collect::<Vec<_>>().join(", subset "));
        let Some(service) = service_of(host, self.namespace) else { return foreign() };
        if let Some(names) = self.subsets.filter(|names| names.host == service) {
            return match subset {
                Some(subset) if subset == names.canary => Part::Canary,
                Some(subset) if subset == names.stable => Part::Stable,
                Some(subset) if names.kept.iter().any(|kept| kept == subset) => Part::Kept,
                _ => foreign(),
            };
        }
        if service.1 != self.routing.namespace {
            return foreign();
        }
        let by_service = self.subsets.is_none();
        let wanted = split.is_some_and(|split| split.additional().iter().any(|one| one.service == service.0));
        match service.0 {
            name if by_service && name == self.routing.canary_service() => Part::Canary,
            name if by_service && name == self.routing.stable_service() => Part::Stable,
            name if wanted || self.routing.is_experiment(name) => Part::Experiment(name.to_owned()),
            _ => foreign(),
        }
    }

    pub(super) fn weighed(&self, route: &Value, split: Option<&Split>) -> Vec<Weighed> {
        let list = route["route"].as_array().map(Vec::as_slice).unwrap_or_default();
        let of = |one: &Value| Weighed { part: self.part(&one["destination"], split), weight: written(&one["weight"]) };
        list.iter().map(of).collect()
    }

    /// Which destination of a route is this part.
    pub(super) fn find<'r>(&self, route: &'r Value, part: &Part) -> Option<&'r Value> {
        let list = route["route"].as_array()?;
        list.iter().find(|one| self.part(&one["destination"], None) == *part)
    }

    /// The list of destinations as a change makes it.
    pub(super) fn changed(&self, route: &Value, change: &Change) -> Value {
        let mut list = route["route"].as_array().cloned().unwrap_or_default();
        for (index, weight) in &change.set {
            list[*index]["weight"] = (*weight).into();
        }
        for index in change.remove.iter().rev() {
            list.remove(*index);
        }
        let port = self.find(route, &Part::Stable).map(|stable| stable["destination"]["port"].clone());
        for one in &change.append {
            let mut destination = json!({"host": host_for(&one.service, &self.routing.namespace, self.namespace)});
            if let Some(port) = port.as_ref().filter(|port| !port.is_null()) {
                destination["port"] = port.clone();
            }
            list.push(json!({"destination": destination, "weight": one.weight}));
        }
        list.into()
    }

    /// One sentence about what a route lacks.
    pub(super) fn lack(&self, place: &str, lack: Lack) -> String {
        match lack {
            Lack::Stable => self.lack_of(place, self.routing.stable_service(), self.subsets.map(|names| names.stable)),
            Lack::Canary => self.lack_of(place, self.routing.canary_service(), self.subsets.map(|names| names.canary)),
            Lack::Foreign(other) => format!(
                "{place}.route has a destination beside the two of the Rollout: {other}; move it to a route of its own{}",
                if self.subsets.is_some() {
                    ", or name its subset in destinationRule.additionalSubsetNames"
                } else {
                    ""
                }
            ),
        }
    }

    fn lack_of(&self, place: &str, service: &str, subset: Option<&str>) -> String {
        if let (Some(subset), Some(names)) = (subset, self.subsets) {
            let host = host_for(names.host.0, names.host.1, self.namespace);
            return format!(
                "{place}.route has no destination with host {host} and subset {subset}; add one with weight: 0"
            );
        }
        let host = host_for(service, &self.routing.namespace, self.namespace);
        format!("{place}.route has no destination with host {host}; add one with weight: 0")
    }
}
