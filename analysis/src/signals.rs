//! Golden signals without PromQL: a metric names what it wants to know of the traffic, and the Rollout that asks says
//! whose traffic that is. What comes out is a plain query, which the run and its measurements show.

use serde_json::Value;
use sluice_crds::analysis::Metric;
use sluice_crds::analysis::provider::{DataPlane, Measure, Signal, SignalOf};
use sluice_crds::mistake::{FieldPath, Mistake};
use sluice_crds::values::DurationString;

/// Puts a query in the place of each signal.
///
/// # Errors
/// The Rollout doesn't name the Services that the traffic is told apart by.
pub fn fill(path: &FieldPath, metrics: &mut [Metric], rollout: &Value) -> Result<(), Vec<Mistake>> {
    let mut mistakes = Vec::new();
    for metric in metrics {
        let Some(prometheus) = metric.provider.as_mut().and_then(|provider| provider.prometheus.as_mut()) else {
            continue;
        };
        let Some(signal) = prometheus.signal.take() else { continue };
        match Traffic::of(path, &metric.name, &signal, rollout) {
            Ok(traffic) => prometheus.query = Some(traffic.query()),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
}

/// Whose traffic is asked about, and what.
struct Traffic<'s> {
    plane: &'s DataPlane,
    measure: &'s Measure,
    namespace: &'s str,
    /// None where it is not asked about.
    canary: Option<&'s str>,
    stable: Option<&'s str>,
    /// The stable Service, which ingress-nginx counts the canary's requests under too.
    main: &'s str,
    window: String,
}

impl<'s> Traffic<'s> {
    fn of(path: &FieldPath, metric: &str, signal: &'s Signal, rollout: &'s Value) -> Result<Self, Mistake> {
        let strategy = &rollout["spec"]["strategy"];
        let (block, [canary, stable]) = match strategy.get("blueGreen").filter(|block| block.is_object()) {
            Some(blue_green) => (blue_green, ["previewService", "activeService"]),
            None => (&strategy["canary"], ["canaryService", "stableService"]),
        };
        let named = |field: &str| block[field].as_str().filter(|name| !name.is_empty());
        let needs = |field: &str| {
            let problem = format!("asks for a signal ({metric}) that is told apart by Services");
            Mistake::about(path.clone(), problem, format!("set {field} in the strategy"))
        };
        let of = signal.of.as_ref().unwrap_or(&SignalOf::Canary);
        let main = named(stable).ok_or_else(|| needs(stable))?;
        let other = match of {
            SignalOf::Stable => None,
            _ => Some(named(canary).ok_or_else(|| needs(canary))?),
        };
        let unknown = || {
            Mistake::about(
                path.clone(),
                format!("asks for a signal ({metric}) that is not known"),
                "see docs/analysis.md",
            )
        };
        Ok(Self {
            plane: signal.data_plane.as_ref().ok_or_else(unknown)?,
            measure: signal.measure.as_ref().ok_or_else(unknown)?,
            namespace: rollout["metadata"]["namespace"].as_str().unwrap_or("default"),
            canary: other,
            stable: (*of != SignalOf::Canary).then_some(main),
            main,
            window: window(signal.window.as_ref()),
        })
    }

    fn query(&self) -> String {
        let window = &self.window;
        let (count, code, errors, buckets, milliseconds) = match self.plane {
            DataPlane::Istio => {
                ("istio_requests_total", "response_code", "5..", "istio_request_duration_milliseconds_bucket", "")
            }
            DataPlane::GatewayApi => (
                "envoy_cluster_upstream_rq_xx",
                "envoy_response_code_class",
                "5",
                "envoy_cluster_upstream_rq_time_bucket",
                "",
            ),
            DataPlane::Nginx | DataPlane::Other(_) => (
                "nginx_ingress_controller_requests",
                "status",
                "5..",
                "nginx_ingress_controller_request_duration_seconds_bucket",
                " * 1000",
            ),
        };
        let whose = self.selector();
        match self.measure {
            Measure::Requests => format!("sum(increase({count}{{{whose}}}[{window}]))"),
            // Where nothing but errors is answered there is no series of successes to divide.
            Measure::SuccessRate | Measure::Other(_) => format!(
                "1 - (sum(rate({count}{{{whose},{code}=~\"{errors}\"}}[{window}])) or vector(0)) \
                 / sum(rate({count}{{{whose}}}[{window}]))"
            ),
            Measure::P50 => self.quantile("0.5", buckets, &whose, milliseconds),
            Measure::P95 => self.quantile("0.95", buckets, &whose, milliseconds),
            Measure::P99 => self.quantile("0.99", buckets, &whose, milliseconds),
        }
    }

    fn quantile(&self, share: &str, buckets: &str, whose: &str, milliseconds: &str) -> String {
        let window = &self.window;
        format!("histogram_quantile({share}, sum by (le) (rate({buckets}{{{whose}}}[{window}]))){milliseconds}")
    }

    fn selector(&self) -> String {
        let (namespace, services) = (self.namespace, self.services());
        match self.plane {
            DataPlane::Istio => format!(
                "reporter=\"destination\",destination_service_namespace=\"{namespace}\",\
                 destination_service_name=~\"{services}\""
            ),
            // Each Envoy names its clusters in its own way, with namespace and Service somewhere in it.
            DataPlane::GatewayApi => {
                format!("envoy_cluster_name=~\"(.*[/_])?{namespace}[/_]({services})([/_].*)?\"")
            }
            DataPlane::Nginx | DataPlane::Other(_) => {
                let upstream = match (self.canary, self.stable) {
                    (Some(canary), None) => format!(",canary=~\"{namespace}-{canary}-[^-]+\""),
                    (None, _) => ",canary=\"\"".to_owned(),
                    (Some(_), Some(_)) => String::new(),
                };
                format!("namespace=\"{namespace}\",service=\"{}\"{upstream}", self.main)
            }
        }
    }

    fn services(&self) -> String {
        let services: Vec<&str> = self.canary.into_iter().chain(self.stable).collect();
        services.join("|")
    }
}

/// As PromQL writes it: in seconds, because it knows no `1.5m`. One with arguments in it stays as it is.
fn window(written: Option<&DurationString>) -> String {
    let Some(written) = written else { return "1m".to_owned() };
    match written.parse() {
        Ok(length) => format!("{}s", (length.nanos() / 1_000_000_000).max(1)),
        Err(_) => written.to_string(),
    }
}
