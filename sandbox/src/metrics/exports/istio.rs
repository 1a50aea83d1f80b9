//! What Istio's proxies count: the source of requests all of them, the destination those that reached its pod.

use std::collections::BTreeMap;

use super::pods::Pod;
use super::{Page, error_code};
use crate::dataplane::{Answerer, Entry, Record, RevisionRecord};
use crate::metrics::labels::Labels;

pub(super) fn export(pods: &BTreeMap<(String, String), Pod>, record: &Record, page: &mut Page) {
    for (answerer, served) in record.answers().filter(|(answerer, _)| answerer.asked.entry == Entry::Mesh) {
        let name = answerer.pod.clone().unwrap_or_default();
        let pod = pods.get(&(answerer.backend.namespace.clone(), name));
        let source = destination(answerer, pod, Labels::of("", &[("job", "istio"), ("reporter", "source")]));
        count(answerer, served, &source, page);
        if let Some(pod) = pod {
            let at = pod.labels.clone().with("job", "istio").with("reporter", "destination");
            count(answerer, served, &destination(answerer, Some(pod), at), page);
        }
    }
}

fn destination(answerer: &Answerer, pod: Option<&Pod>, labels: Labels) -> Labels {
    let (namespace, service) = (&answerer.backend.namespace, &answerer.backend.service);
    let (workload, version) = pod.map_or(("unknown", "unknown"), |pod| (pod.workload.as_str(), pod.version.as_str()));
    let host = format!("{service}.{namespace}.svc.cluster.local");
    [
        ("destination_canonical_revision", version),
        ("destination_service", &host),
        ("destination_service_name", service),
        ("destination_service_namespace", namespace),
        ("destination_version", version),
        ("destination_workload", workload),
        ("destination_workload_namespace", namespace),
        ("request_protocol", "http"),
        // Envoy's flag for an upstream without a healthy host.
        ("response_flags", if answerer.pod.is_some() { "-" } else { "UH" }),
    ]
    .into_iter()
    .fold(labels, |labels, (key, value)| labels.with(key, value))
}

fn count(answerer: &Answerer, served: &RevisionRecord, labels: &Labels, page: &mut Page) {
    let error = error_code(answerer.pod.as_deref());
    page.by_code("istio_requests_total", labels, "response_code", served, error);
    page.histogram("istio_request_duration_milliseconds", labels, served, 1.0);
}
