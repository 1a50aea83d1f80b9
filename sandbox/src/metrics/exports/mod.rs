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
        // A request that nobody answered took no time that could be counted.
        if served.latency_buckets.iter().all(|count| *count == 0) {
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

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use serde_json::json;

    use super::*;
    use crate::dataplane::{DataPlane, Entry, Flow, Objects};

    /// What a scrape shows of this metric after ten seconds of such traffic: `labels value`, without what is the same
    /// everywhere.
    fn scraped(flow: Flow, metric: &str, shown: &[&str]) -> Vec<String> {
        let pod = json!({
            "metadata": {"namespace": "shop", "name": "web-abc-1", "labels": {"rollouts-pod-template-hash": "abc"},
                "ownerReferences": [{"kind": "ReplicaSet", "name": "web-abc"}]},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [{"name": "web", "state": {"running": {}}}]},
        });
        let services = ["web", "empty"].map(|name| json!({"metadata": {"namespace": "shop", "name": name}}));
        let slice = json!({
            "metadata": {"namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}},
            "endpoints": [{"conditions": {"ready": true}, "targetRef": {"namespace": "shop", "name": "web-abc-1"}}],
        });
        let route = json!({
            "metadata": {"namespace": "shop", "name": "web"},
            "spec": {"rules": [{"backendRefs": [{"name": "web", "weight": 3}, {"name": "empty", "weight": 1}]}]},
        });
        let now = Timestamp::UNIX_EPOCH;
        let mut plane = DataPlane::new(now);
        let objects = Objects {
            pods: vec![&pod],
            services: services.iter().collect(),
            endpoint_slices: vec![&slice],
            http_routes: vec![&route],
            ..Objects::default()
        };
        plane.observe(&objects, now);
        // What routers are told takes a while to reach them.
        let told = now + SignedDuration::from_secs(60);
        plane.send(flow, told);
        plane.advance_to(told + SignedDuration::from_secs(10));
        let samples = all(&[&pod], plane.record());
        let of_metric = samples.iter().filter(|sample| sample.labels.metric() == metric);
        let text = |sample: &Exported| {
            let labels: Vec<&str> = shown.iter().map(|label| sample.labels.get(label)).collect();
            format!("{} {}", labels.join(","), sample.value)
        };
        of_metric.map(text).collect()
    }

    #[test]
    fn a_gateway_counts_for_each_service_and_answers_itself_where_no_pod_is() {
        let flow = || Flow::get("load", Entry::Gateway, "shop.test", 40);
        let shown = ["envoy_cluster_name", "envoy_response_code"];
        assert_eq!(scraped(flow(), "envoy_cluster_upstream_rq", &shown), ["shop/empty,503 100", "shop/web,200 300"]);
        let shown = ["envoy_cluster_name", "envoy_response_code_class"];
        assert_eq!(scraped(flow(), "envoy_cluster_upstream_rq_xx", &shown), ["shop/empty,5 100", "shop/web,2 300"]);
        assert_eq!(scraped(flow(), "envoy_cluster_upstream_rq_time_count", &["envoy_cluster_name"]), ["shop/web 300"]);
    }

    #[test]
    fn a_mesh_counts_at_the_source_and_at_the_pod() {
        let flow = || Flow::get("load", Entry::Mesh, "web.shop", 40);
        let shown = ["reporter", "destination_service", "destination_workload", "rollouts_pod_template_hash"];
        assert_eq!(
            scraped(flow(), "istio_requests_total", &shown),
            ["source,web.shop.svc.cluster.local,web, 400", "destination,web.shop.svc.cluster.local,web,abc 400"]
        );
        let shown = ["reporter", "response_code", "response_flags"];
        let lost = Flow::get("load", Entry::Mesh, "empty.shop", 40);
        assert_eq!(scraped(lost, "istio_requests_total", &shown), ["source,503,UH 400"]);
    }

    #[test]
    fn a_pod_counts_what_it_answers_and_how_long_that_takes() {
        let flow = || Flow::get("load", Entry::Service, "web.shop", 40);
        let shown = ["service", "code", "path", "rollouts_pod_template_hash"];
        assert_eq!(scraped(flow(), "http_requests_total", &shown), ["web,200,/,abc 400"]);
        let buckets = scraped(flow(), "http_request_duration_seconds_bucket", &["le"]);
        assert_eq!((buckets.len(), buckets.last().map(String::as_str)), (17, Some("+Inf 400")));
        assert!(buckets.contains(&"0.02 200".to_owned()), "{buckets:?}");
    }
}
