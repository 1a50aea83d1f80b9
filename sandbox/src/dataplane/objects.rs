//! What the data plane looks at.

use std::collections::BTreeMap;

use serde_json::Value;

use super::behaviour::Behaviour;
use super::json::{at, labels, list, name, namespace, text};

/// The objects that routing depends on, as the API server holds them.
#[derive(Clone, Debug, Default)]
pub struct Objects<'a> {
    /// `discovery.k8s.io/v1`
    pub endpoint_slices: Vec<&'a Value>,
    /// `gateway.networking.k8s.io/v1`
    pub http_routes: Vec<&'a Value>,
    /// `networking.k8s.io/v1`
    pub ingresses: Vec<&'a Value>,
    /// `networking.istio.io`
    pub destination_rules: Vec<&'a Value>,
    /// `networking.istio.io`
    pub virtual_services: Vec<&'a Value>,
    /// `v1`
    pub pods: Vec<&'a Value>,
    /// `v1`
    pub services: Vec<&'a Value>,
}

/// `namespace/name`
pub(super) type Key = (String, String);

pub(super) fn key(object: &Value) -> Key {
    (namespace(object).to_owned(), name(object).to_owned())
}

/// One pod as a request finds it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pod {
    pub(super) revision: String,
    pub(super) serves: bool,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) behaviour: Behaviour,
}

/// The pods as they really are, whatever routers still believe.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Pods(pub(super) BTreeMap<Key, Pod>);

impl Pods {
    pub(super) fn of(objects: &Objects<'_>) -> Self {
        Self(objects.pods.iter().map(|pod| (key(pod), Pod::of(pod))).collect())
    }
}

impl Pod {
    fn of(pod: &Value) -> Self {
        let labels = labels(pod, &["metadata", "labels"]);
        let revision = ["rollouts-pod-template-hash", "pod-template-hash"]
            .iter()
            .find_map(|label| labels.get(*label))
            .cloned()
            .unwrap_or_default();
        let ready = list(pod, &["status", "conditions"])
            .iter()
            .any(|condition| text(condition, &["type"]) == "Ready" && text(condition, &["status"]) == "True");
        // A pod on its way out serves until its containers stop, although it is no longer ready.
        let leaving = !at(pod, &["metadata", "deletionTimestamp"]).is_null()
            && list(pod, &["status", "containerStatuses"])
                .iter()
                .any(|container| !at(container, &["state", "running"]).is_null());
        Self { revision, serves: ready || leaving, behaviour: Behaviour::of(pod), labels }
    }
}
