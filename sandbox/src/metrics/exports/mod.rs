//! What the cluster's parts would show a Prometheus server that scrapes them, each part in its own words.
//!
//! | who | job | metrics |
//! |---|---|---|
//! | pods | `pods` | `up`, `http_requests_total`, `http_request_duration_seconds` |
//! | kube-state-metrics | `kube-state-metrics` | `kube_pod_status_ready`, `…_phase`, `kube_pod_labels`, `kube_pod_container_status_restarts_total` |
//! | ingress-nginx | `ingress-nginx` | `nginx_ingress_controller_requests`, `…_request_duration_seconds` |
//! | Istio | `istio` | `istio_requests_total`, `istio_request_duration_milliseconds`, by both reporters |
//! | Envoy, as a gateway | `envoy` | `envoy_cluster_upstream_rq`, `…_rq_xx`, `…_rq_time` |
//!
//! Histograms carry no status code, because the data plane draws latency and success apart.

mod envoy;
mod istio;
mod kube;
mod nginx;
mod pods;

use serde_json::Value;

use super::labels::Labels;
use crate::dataplane::{BUCKETS_MS, Record, RevisionRecord};

/// One sample of a scrape.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Exported {
    pub(super) labels: Labels,
    pub(super) value: f64,
    /// Counters begin at zero again when whoever counts does.
    pub(super) is_counter: bool,
}

/// All samples of one scrape.
pub(super) fn all(objects: &[&Value], record: &Record) -> Vec<Exported> {
    let mut page = Page::default();
    let pods = pods::pods(objects);
    pods::export(&pods, record, &mut page);
    kube::export(objects, &mut page);
    nginx::export(record, &mut page);
    istio::export(&pods, record, &mut page);
    envoy::export(record, &mut page);
    page.samples
}

/// Samples as they are gathered; the same counter met twice is added up.
#[derive(Debug, Default)]
struct Page {
    samples: Vec<Exported>,
    places: std::collections::BTreeMap<Labels, usize>,
}

impl Page {
    fn gauge(&mut self, labels: Labels, value: f64) {
        self.samples.push(Exported { labels, value, is_counter: false });
    }

    fn counter(&mut self, metric: &str, labels: &Labels, value: f64) {
        let labels = labels.clone().with(super::labels::NAME, metric);
        match self.places.get(&labels).and_then(|place| self.samples.get_mut(*place)) {
            Some(known) => known.value += value,
            None => {
                self.places.insert(labels.clone(), self.samples.len());
                self.samples.push(Exported { labels, value, is_counter: true });
            }
        }
    }

    /// Cumulative buckets, their sum and their count; `unit_ms` is how many milliseconds the metric's unit has.
    fn histogram(&mut self, metric: &str, labels: &Labels, served: &RevisionRecord, unit_ms: f64) {
        if served.latency_buckets.is_empty() {
            return;
        }
        let (mut below, mut sum_ms, mut from_ms) = (0.0, 0.0, 0.0);
        let bounds = BUCKETS_MS.into_iter().map(Some).chain([None]);
        for (bound_ms, count) in bounds.zip(&served.latency_buckets) {
            let count = number(*count);
            below += count;
            // Nobody knows where in a bucket requests lie: the middle is as good as any place.
            sum_ms += count * f64::midpoint(from_ms, bound_ms.unwrap_or(from_ms));
            from_ms = bound_ms.unwrap_or(from_ms);
            let le = bound_ms.map_or("+Inf".to_owned(), |bound_ms| (bound_ms / unit_ms).to_string());
            self.counter(&format!("{metric}_bucket"), &labels.clone().with("le", &le), below);
        }
        self.counter(&format!("{metric}_sum"), labels, sum_ms / unit_ms);
        self.counter(&format!("{metric}_count"), labels, below);
    }

    /// Requests by the status code that they were answered with; a code nobody was answered with has no series.
    fn by_code(&mut self, metric: &str, labels: &Labels, code_label: &str, served: &RevisionRecord, error: &str) {
        let codes = [("200", served.requests - served.errors.min(served.requests)), (error, served.errors)];
        for (code, count) in codes.into_iter().filter(|(_, count)| *count > 0) {
            self.counter(metric, &labels.clone().with(code_label, code), number(count));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn number(count: u64) -> f64 {
    count as f64
}

/// A pod's own errors are 500; where there is no pod to ask, routers answer 503.
fn error_code(pod: Option<&str>) -> &'static str {
    if pod.is_some() { "500" } else { "503" }
}

/// A label of Kubernetes as Prometheus spells it: `app.kubernetes.io/name` is `app_kubernetes_io_name`.
fn label_name(key: &str) -> String {
    key.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}
