//! What has happened so far, and the page on which a scrape finds it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::behaviour::{Behaviour, Durations};

const PODS: u32 = 20;
const POOL: f64 = 40.0;
const CPU_LIMIT: f64 = 0.5;
const MEMORY_LIMIT: f64 = 268_435_456.0;
const QUERIES_PER_REQUEST: f64 = 3.0;
const USUAL_SECONDS: f64 = 0.02;

/// Upper bounds of buckets in seconds; all limits of the templates are among them.
const BOUNDS: [f64; 10] = [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0, 2.5];

/// Everything that only grows.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals {
    by_code: BTreeMap<&'static str, f64>,
    requests: Histogram,
    queries: Histogram,
    /// Processor seconds of the busiest pod.
    cpu: f64,
}

#[derive(Clone, Debug, Default)]
struct Histogram {
    below: [f64; BOUNDS.len()],
    sum: f64,
    count: f64,
}

impl Totals {
    /// So many seconds pass.
    pub(super) fn advance(&mut self, behaviour: &Behaviour, seconds: f64) {
        let requests = behaviour.requests_per_second * seconds;
        let good = 1.0 - behaviour.errors - behaviour.refusals;
        for (code, share) in [("200", good), ("404", behaviour.refusals), ("500", behaviour.errors)] {
            // As in most services, a code nobody was answered with has no series; one without traffic has one.
            if share > 0.0 {
                *self.by_code.entry(code).or_default() += requests * share;
            }
        }
        self.requests.advance(behaviour.requests, requests);
        self.queries.advance(behaviour.queries, requests * QUERIES_PER_REQUEST);
        self.cpu += behaviour.cpu * CPU_LIMIT * seconds;
    }

    /// The page in the text format that Prometheus reads.
    pub(super) fn page(&self, behaviour: &Behaviour) -> String {
        let mut page = Page::default();
        for (code, count) in &self.by_code {
            page.line("http_requests_total", &format!("code=\"{code}\""), *count);
        }
        page.histogram("http_request_duration_seconds", &self.requests);
        page.histogram("db_client_operation_duration_seconds", &self.queries);
        let used = POOL * behaviour.connections;
        for (state, count) in [("used", used), ("idle", POOL - used)] {
            let labels = format!("db_client_connection_pool_name=\"main\",db_client_connection_state=\"{state}\"");
            page.line("db_client_connection_count", &labels, count);
        }
        page.line("db_client_connection_max", "db_client_connection_pool_name=\"main\"", POOL);
        for pod in 0..PODS {
            page.pod(pod, behaviour, self.cpu);
        }
        page.text
    }
}

impl Histogram {
    fn advance(&mut self, durations: Durations, count: f64) {
        let slow = count * durations.slow_share;
        self.observe(USUAL_SECONDS, count - slow);
        self.observe(durations.slow_seconds, slow);
    }

    fn observe(&mut self, seconds: f64, count: f64) {
        for (bound, below) in BOUNDS.iter().zip(&mut self.below) {
            *below += if seconds <= *bound { count } else { 0.0 };
        }
        self.sum += seconds * count;
        self.count += count;
    }
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, metric: &str, labels: &str, value: f64) {
        // Writing to a text can't fail.
        let _ = writeln!(self.text, "{metric}{{{labels}}} {value}");
    }

    fn histogram(&mut self, metric: &str, histogram: &Histogram) {
        let bucket = format!("{metric}_bucket");
        for (bound, below) in BOUNDS.iter().zip(histogram.below) {
            self.line(&bucket, &format!("le=\"{bound}\""), below);
        }
        self.line(&bucket, "le=\"+Inf\"", histogram.count);
        self.line(&format!("{metric}_sum"), "", histogram.sum);
        self.line(&format!("{metric}_count"), "", histogram.count);
    }

    /// What the kubelet and kube-state-metrics say about a pod; the first one is the busiest.
    fn pod(&mut self, pod: u32, behaviour: &Behaviour, cpu: f64) {
        let busy = if pod == 0 { 1.0 } else { 1.0 / 3.0 };
        let one_if = |is_so: bool| if is_so { 1.0 } else { 0.0 };
        let name = format!("pod=\"web-6f7d8-{pod}\"");
        let container = format!("{name},container=\"web\"");
        self.line("container_cpu_usage_seconds_total", &container, cpu * busy);
        self.line("container_memory_working_set_bytes", &container, behaviour.memory * MEMORY_LIMIT * busy);
        for (resource, limit) in [("cpu", CPU_LIMIT), ("memory", MEMORY_LIMIT)] {
            let labels = format!("{container},resource=\"{resource}\"");
            self.line("kube_pod_container_resource_limits", &labels, limit);
        }
        let is_ready = pod < behaviour.ready;
        self.line("kube_pod_status_ready", &format!("{name},condition=\"true\""), one_if(is_ready));
        self.line("kube_pod_status_ready", &format!("{name},condition=\"false\""), one_if(!is_ready));
        self.line("kube_pod_container_status_running", &container, one_if(pod < behaviour.alive));
    }
}
