//! Services as a router knows them: the pods that EndpointSlices list.

use std::collections::BTreeMap;

use super::json::{at, list, namespace, text};
use super::objects::{Key, Objects, Pods};
use super::split::Backend;

#[derive(Clone, Debug, Default, PartialEq)]
struct Members {
    ready: Vec<Key>,
    /// Still serving while they terminate: the last resort of kube-proxy.
    leaving: Vec<Key>,
}

/// Which pods each Service has, as last told.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct EndpointTable(BTreeMap<Key, Members>);

impl EndpointTable {
    pub(super) const fn empty() -> Self {
        Self(BTreeMap::new())
    }

    pub(super) fn of(objects: &Objects<'_>) -> Self {
        let mut table = Self::default();
        for service in &objects.services {
            table.0.entry(super::objects::key(service)).or_default();
        }
        for slice in &objects.endpoint_slices {
            let service = text(slice, &["metadata", "labels", "kubernetes.io/service-name"]);
            let members = table.0.entry((namespace(slice).to_owned(), service.to_owned())).or_default();
            for endpoint in list(slice, &["endpoints"]) {
                let says = |what: &str| at(endpoint, &["conditions", what]).as_bool();
                let pod = (
                    text(endpoint, &["targetRef", "namespace"]).to_owned(),
                    text(endpoint, &["targetRef", "name"]).to_owned(),
                );
                if says("ready") != Some(false) {
                    members.ready.push(pod);
                } else if says("serving") == Some(true) && says("terminating") == Some(true) {
                    members.leaving.push(pod);
                }
            }
        }
        table
    }

    pub(super) fn has(&self, namespace: &str, service: &str) -> bool {
        self.0.contains_key(&(namespace.to_owned(), service.to_owned()))
    }

    /// The pods that requests for this backend are sent to.
    pub(super) fn pods_of(&self, backend: &Backend, pods: &Pods) -> Vec<&Key> {
        let Some(members) = self.0.get(&(backend.namespace.clone(), backend.service.clone())) else {
            return Vec::new();
        };
        let chosen = if members.ready.is_empty() { &members.leaving } else { &members.ready };
        chosen
            .iter()
            .filter(|key| {
                // A pod that is gone has no labels any more; who was told of it still sends there.
                backend.subset.is_empty()
                    || pods.0.get(key).is_none_or(|pod| {
                        backend.subset.iter().all(|(label, value)| pod.labels.get(label) == Some(value))
                    })
            })
            .collect()
    }
}
