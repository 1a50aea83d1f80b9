//! What Envoy counts as a gateway: one cluster for each Service, named `namespace/service`.

use super::{Page, error_code, number};
use crate::dataplane::{Entry, Record};
use crate::metrics::labels::Labels;

pub(super) fn export(record: &Record, page: &mut Page) {
    for (answerer, served) in record.answers().filter(|(answerer, _)| answerer.asked.entry == Entry::Gateway) {
        let cluster = format!("{}/{}", answerer.backend.namespace, answerer.backend.service);
        let labels = Labels::of("", &[("job", "envoy"), ("envoy_cluster_name", &cluster)]);
        let error = error_code(answerer.pod.as_deref());
        page.by_code("envoy_cluster_upstream_rq", &labels, "envoy_response_code", served, error);
        let good = served.requests - served.errors.min(served.requests);
        for (class, count) in [("2", good), ("5", served.errors)].into_iter().filter(|(_, count)| *count > 0) {
            let labels = labels.clone().with("envoy_response_code_class", class);
            page.counter("envoy_cluster_upstream_rq_xx", &labels, number(count));
        }
        page.histogram("envoy_cluster_upstream_rq_time", &labels, served, 1.0);
    }
}
