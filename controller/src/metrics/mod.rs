//! What is counted. Names that dashboards know from Argo Rollouts stay as they are; labels are bounded, and the
//! series of a Rollout go when it goes.

mod gauges;
mod tally;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use sluice_planner::Event;

use crate::cache::{Name, Watched};
use crate::hub::Hub;
use crate::recorder::Subject;
use gauges::Gauges;
use tally::Tally;

type Labels = Vec<(&'static str, String)>;
type Histograms = Family<Labels, Histogram, fn() -> Histogram>;

/// How a pass ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PassEnd {
    /// It wrote.
    Applied,
    /// There was nothing to write.
    Idle,
    /// The cache has yet to show our own last write.
    Waiting,
    /// The object was not what the plan saw.
    Stale,
    /// A write was refused or has no answer.
    Failed,
    /// This replica stopped leading.
    NotLeading,
    /// A bug.
    Panicked,
    /// The Rollout is not there any more.
    Gone,
}

impl PassEnd {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Idle => "idle",
            Self::Waiting => "waiting",
            Self::Stale => "stale",
            Self::Failed => "failed",
            Self::NotLeading => "not_leading",
            Self::Panicked => "panicked",
            Self::Gone => "gone",
        }
    }
}

/// All that is counted while the controller runs. A clone counts into the same.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    passes: Family<Labels, Tally>,
    reconcile: Histograms,
    reconcile_errors: Family<Labels, Tally>,
    events: Family<Labels, Tally>,
    events_dropped: Tally,
    requests: Family<Labels, Tally>,
    unreadable: Family<Labels, Tally>,
    watch_failures: Family<Labels, Tally>,
    /// Which reasons each Rollout has series for, so that they can be dropped with it.
    told: Arc<Mutex<std::collections::BTreeMap<Name, std::collections::BTreeSet<Labels>>>>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self {
            passes: Family::default(),
            reconcile: Family::new_with_constructor(pass_histogram),
            reconcile_errors: Family::default(),
            events: Family::default(),
            events_dropped: Tally::default(),
            requests: Family::default(),
            unreadable: Family::default(),
            watch_failures: Family::default(),
            told: Arc::default(),
        }
    }

    /// The page that Prometheus reads: what was counted, and the Rollouts as they are now.
    pub(crate) fn page(&self, hub: &Arc<Hub>, leading: bool) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::default();
        registry.register("rollout_reconcile", "Seconds that a pass over a Rollout took", self.reconcile.clone());
        for (name, help, family) in [
            ("rollout_reconcile_error", "Passes over a Rollout that failed", &self.reconcile_errors),
            ("rollout_events_total", "Events told about a Rollout", &self.events),
            ("controller_clientset_k8s_request_total", "Requests to the API server", &self.requests),
            ("sluice_passes_total", "Passes by how they ended", &self.passes),
            ("sluice_unreadable_objects_total", "Objects that could not be read and were skipped", &self.unreadable),
            ("sluice_watch_failures_total", "Times that a watch broke", &self.watch_failures),
        ] {
            registry.register(name, help, family.clone());
        }
        registry.register("sluice_events_dropped_total", "Events that were not posted", self.events_dropped.clone());
        registry.register_collector(Box::new(Gauges { hub: Arc::clone(hub), leading }));
        let mut page = String::new();
        encode(&mut page, &registry)?;
        Ok(page)
    }

    pub(crate) fn pass(&self, name: &Name, end: PassEnd, took: Duration) {
        self.passes.get_or_create(&vec![("outcome", end.as_str().to_owned())]).inc();
        match end {
            PassEnd::Waiting | PassEnd::Gone => {}
            PassEnd::Failed | PassEnd::Panicked => {
                self.reconcile_errors.get_or_create(&of(name)).inc();
                self.reconcile.get_or_create(&of(name)).observe(took.as_secs_f64());
            }
            PassEnd::Applied | PassEnd::Idle | PassEnd::Stale | PassEnd::NotLeading => {
                self.reconcile.get_or_create(&of(name)).observe(took.as_secs_f64());
            }
        }
    }

    pub(crate) fn event(&self, subject: &Subject, event: &Event) {
        let name = Name::new(&subject.namespace, &subject.name);
        let mut labels = of(&name);
        labels.push(("type", event.kind.as_str().to_owned()));
        labels.push(("reason", event.reason.to_owned()));
        self.events.get_or_create(&labels).inc();
        self.told.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default().insert(labels);
    }

    pub(crate) fn event_dropped(&self) {
        self.events_dropped.inc();
    }

    pub(crate) fn request(&self, kind: &str, method: &str, code: u16) {
        let labels = vec![("kind", kind.to_owned()), ("verb", method.to_owned()), ("status_code", code.to_string())];
        self.requests.get_or_create(&labels).inc();
    }

    pub(crate) fn unreadable(&self, kind: Watched) {
        self.unreadable.get_or_create(&vec![("kind", kind.as_str().to_owned())]).inc();
    }

    pub(crate) fn watch_failure(&self, kind: Watched) {
        self.watch_failures.get_or_create(&vec![("kind", kind.as_str().to_owned())]).inc();
    }

    /// The Rollout is gone, and its series go too.
    pub(crate) fn forget(&self, name: &Name) {
        self.reconcile.remove(&of(name));
        self.reconcile_errors.remove(&of(name));
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        for labels in told.into_iter().flatten() {
            self.events.remove(&labels);
        }
    }
}

fn of(name: &Name) -> Labels {
    vec![("namespace", name.namespace.clone()), ("name", name.name.clone())]
}

/// From a pass that writes nothing (well under a millisecond) to one whose every request is slow.
fn pass_histogram() -> Histogram {
    Histogram::new([0.000_5, 0.001, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0])
}

#[cfg(test)]
mod tests {
    use sluice_planner::EventType;
    use sluice_planner::engine::Jitter;

    use super::*;
    use crate::cache::Object;
    use crate::clock::Clock;

    fn hub() -> Arc<Hub> {
        Arc::new(Hub::new(Clock::wall(), Jitter::seeded(1), Metrics::new()))
    }

    fn rollout() -> Object {
        let json = serde_json::json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "1"},
            "spec": {"replicas": 4, "strategy": {"canary": {}}},
            "status": {"phase": "Paused", "availableReplicas": 3, "updatedReplicas": 1, "currentStepIndex": 2,
                "canary": {"weights": {"canary": {"weight": 25}, "stable": {"weight": 75}}}},
        });
        crate::read::read(Watched::Rollout, &json).expect("a Rollout")
    }

    #[tokio::test]
    async fn the_page_has_the_names_that_dashboards_ask_for() {
        let hub = hub();
        hub.apply(rollout());
        let (name, event) = (Name::new("shop", "web"), event());
        hub.metrics().pass(&name, PassEnd::Failed, Duration::from_millis(2));
        hub.metrics().event(&subject(), &event);
        let page = hub.metrics().page(&hub, true).expect("a page");
        for line in [
            r#"rollout_info{namespace="shop",name="web",strategy="canary",traffic_router="",phase="Paused"} 1"#,
            r#"rollout_info_replicas_desired{namespace="shop",name="web"} 4"#,
            r#"rollout_info_replicas_available{namespace="shop",name="web"} 3"#,
            r#"rollout_info_replicas_unavailable{namespace="shop",name="web"} 1"#,
            r#"rollout_info_replicas_updated{namespace="shop",name="web"} 1"#,
            r#"rollout_phase{namespace="shop",name="web",strategy="canary",phase="Paused"} 1"#,
            r#"rollout_phase{namespace="shop",name="web",strategy="canary",phase="Healthy"} 0"#,
            r#"rollout_reconcile_bucket{le="0.005",namespace="shop",name="web"} 1"#,
            r#"rollout_reconcile_error{namespace="shop",name="web"} 1"#,
            r#"rollout_events_total{namespace="shop",name="web",type="Normal",reason="RolloutPaused"} 1"#,
            r#"sluice_rollout_weight{namespace="shop",name="web"} 25"#,
            r#"sluice_rollout_step{namespace="shop",name="web"} 2"#,
            r#"sluice_passes_total{outcome="failed"} 1"#,
            "workqueue_depth 1",
            "sluice_leading 1",
        ] {
            assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
        }
    }

    #[tokio::test]
    async fn the_series_of_a_rollout_go_when_it_goes() {
        let hub = hub();
        hub.apply(rollout());
        let name = Name::new("shop", "web");
        hub.metrics().pass(&name, PassEnd::Failed, Duration::ZERO);
        hub.metrics().event(&subject(), &event());
        hub.remove(Watched::Rollout, &name);
        let page = hub.metrics().page(&hub, false).expect("a page");
        assert!(!page.contains("shop"), "{page}");
    }

    fn subject() -> Subject {
        Subject { namespace: "shop".to_owned(), name: "web".to_owned(), uid: "u".to_owned() }
    }

    fn event() -> Event {
        Event { kind: EventType::Normal, reason: "RolloutPaused", message: "waits".to_owned() }
    }
}
