//! What applications count themselves, scraped from their pods with the pods' labels.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Page, error_code, label_name};
use crate::dataplane::Record;
use crate::metrics::labels::Labels;

/// A pod that is there to be scraped.
pub(super) struct Pod {
    /// What every sample from it carries.
    pub(super) labels: Labels,
    pub(super) workload: String,
    pub(super) version: String,
    is_up: bool,
}

/// Pods by namespace and name; those that have ended are none.
pub(super) fn pods(objects: &[&Value]) -> BTreeMap<(String, String), Pod> {
    objects.iter().filter_map(|pod| read(pod)).collect()
}

fn read(object: &Value) -> Option<((String, String), Pod)> {
    let meta = &object["metadata"];
    let (namespace, name) = (meta["namespace"].as_str()?, meta["name"].as_str()?);
    if matches!(object["status"]["phase"].as_str(), Some("Succeeded" | "Failed")) {
        return None;
    }
    let own: Vec<(String, &str)> = meta["labels"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((label_name(key), value.as_str()?)))
        .collect();
    let mut labels = own.iter().fold(Labels::default(), |labels, (key, value)| labels.with(key, value));
    for (key, value) in [("job", "pods"), ("namespace", namespace), ("pod", name)] {
        labels = labels.with(key, value);
    }
    let label = |wanted: &str| own.iter().find(|(key, _)| key == wanted).map(|(_, value)| *value);
    let version = label("service_istio_io_canonical_revision").or(label("version")).unwrap_or("latest");
    let running = object["status"]["containerStatuses"].as_array().into_iter().flatten();
    let is_up = running.into_iter().any(|container| container["state"].get("running").is_some());
    let pod = Pod { labels, workload: workload(meta, name), version: version.to_owned(), is_up };
    Some(((namespace.to_owned(), name.to_owned()), pod))
}

/// The Deployment or Rollout behind the pod's ReplicaSet, whose name ends in a hash.
fn workload(meta: &Value, pod: &str) -> String {
    let owners = meta["ownerReferences"].as_array().into_iter().flatten();
    let set = owners.into_iter().find(|owner| owner["kind"] == "ReplicaSet").and_then(|owner| owner["name"].as_str());
    match set {
        Some(set) => set.rsplit_once('-').map_or(set, |(workload, _)| workload).to_owned(),
        None => pod.to_owned(),
    }
}

pub(super) fn export(pods: &BTreeMap<(String, String), Pod>, record: &Record, page: &mut Page) {
    for pod in pods.values() {
        let up = if pod.is_up { 1.0 } else { 0.0 };
        page.gauge(pod.labels.clone().with(crate::metrics::labels::NAME, "up"), up);
    }
    for (answerer, served) in record.answers() {
        let Some(name) = &answerer.pod else { continue };
        // Who can't be scraped shows nothing.
        let pod = pods.get(&(answerer.backend.namespace.clone(), name.clone())).filter(|pod| pod.is_up);
        let Some(pod) = pod else { continue };
        let labels = pod
            .labels
            .clone()
            .with("service", &answerer.backend.service)
            .with("method", &answerer.asked.method)
            .with("path", &answerer.asked.path);
        page.by_code("http_requests_total", &labels, "code", served, error_code(Some(name)));
        page.histogram("http_request_duration_seconds", &labels, served, 1_000.0);
    }
}
