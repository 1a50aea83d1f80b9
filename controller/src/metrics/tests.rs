use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use sluice_planner::EventType;
use sluice_planner::engine::Jitter;

use super::*;
use crate::cache::Object;
use crate::clock::Clock;
use crate::hub::Hub;

fn hub() -> Arc<Hub> {
    Arc::new(Hub::new(Clock::wall(), Jitter::seeded(1), Metrics::default()))
}

fn rollout() -> Object {
    let json = json!({
        "metadata": {"name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "1"},
        "spec": {"replicas": 4, "strategy": {"canary": {}}},
        "status": {"phase": "Paused", "availableReplicas": 3, "updatedReplicas": 1, "currentStepIndex": 2,
            "exposure": {"percentSeconds": 12_300, "percent": 25}},
    });
    crate::read::read(Watched::Rollout, &json).expect("a Rollout")
}

fn at(ms: u64) -> Moment {
    Duration::from_millis(ms)
}

/// A pass from 10 ms to 12 ms after the start that fails.
fn failed_pass(metrics: &Metrics, name: &Name) {
    metrics.pass_begins(Work::Rollouts, name, at(3), at(10));
    metrics.pass(Work::Rollouts, name, PassEnd::Failed, at(12));
}

#[tokio::test]
async fn the_page_has_the_names_that_dashboards_ask_for() {
    let hub = hub();
    hub.apply(rollout());
    let (metrics, name) = (hub.metrics(), Name::new("shop", "web"));
    failed_pass(metrics, &name);
    metrics.event(&subject(), &event());
    metrics.request("rollouts", Verb::Patch, 200);
    metrics.pass_begins(Work::Rollouts, &name, at(0), at(1_000));
    let page = metrics.page(&hub, true, at(3_500));
    for line in [
        r#"rollout_info{namespace="shop",name="web",strategy="canary",traffic_router="",phase="Paused"} 1"#,
        r#"rollout_info_replicas_desired{namespace="shop",name="web"} 4"#,
        r#"rollout_info_replicas_available{namespace="shop",name="web"} 3"#,
        r#"rollout_info_replicas_unavailable{namespace="shop",name="web"} 1"#,
        r#"rollout_info_replicas_updated{namespace="shop",name="web"} 1"#,
        r#"rollout_phase{namespace="shop",name="web",strategy="canary",phase="Paused"} 1"#,
        r#"rollout_phase{namespace="shop",name="web",strategy="canary",phase="Healthy"} 0"#,
        "# TYPE rollout_reconcile histogram",
        r#"rollout_reconcile_bucket{namespace="shop",name="web",le="0.001"} 0"#,
        r#"rollout_reconcile_bucket{namespace="shop",name="web",le="0.005"} 1"#,
        "# TYPE rollout_reconcile_error counter",
        r#"rollout_reconcile_error{namespace="shop",name="web"} 1"#,
        "# TYPE rollout_events_total counter",
        r#"rollout_events_total{namespace="shop",name="web",type="Normal",reason="RolloutPaused"} 1"#,
        "# TYPE rollout_duration_seconds histogram",
        "# TYPE controller_clientset_k8s_request_total counter",
        r#"controller_clientset_k8s_request_total{kind="rollouts",verb="Patch",status_code="200"} 1"#,
        r#"sluice_rollout_weight{namespace="shop",name="web"} 25"#,
        r#"sluice_rollout_exposure_seconds{namespace="shop",name="web"} 123"#,
        r#"sluice_rollout_step{namespace="shop",name="web"} 2"#,
        r#"sluice_passes_total{outcome="failed"} 1"#,
        r#"workqueue_depth{name="Rollouts"} 1"#,
        r#"workqueue_adds_total{name="Rollouts"} 1"#,
        r#"workqueue_retries_total{name="Rollouts"} 1"#,
        r#"workqueue_queue_duration_seconds_bucket{name="Rollouts",le="0.01"} 2"#,
        r#"workqueue_work_duration_seconds_count{name="Rollouts"} 1"#,
        r#"workqueue_unfinished_work_seconds{name="Rollouts"} 2.5"#,
        r#"workqueue_longest_running_processor_seconds{name="Rollouts"} 2.5"#,
        r#"sluice_watch_broken_seconds{kind="Pod"} 0"#,
        "sluice_leading 1",
    ] {
        assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
    }
    for name in ["argo_rollouts_controller_info{version=", "build_info{version="] {
        assert!(page.lines().any(|line| line.starts_with(name)), "{name} is not in\n{page}");
    }
}

#[tokio::test]
async fn every_family_is_there_once_and_says_what_it_is() {
    let hub = hub();
    hub.apply(rollout());
    failed_pass(hub.metrics(), &Name::new("shop", "web"));
    let page = hub.metrics().page(&hub, true, at(20));
    let typed: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let once: std::collections::BTreeSet<&str> = typed.iter().copied().collect();
    assert_eq!(typed.len(), once.len(), "{typed:?}");
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().expect("a name");
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
        assert!(once.contains(family) || once.contains(name), "{line} has no type");
    }
}

#[tokio::test]
async fn the_series_of_a_rollout_go_when_it_goes() {
    let hub = hub();
    hub.apply(rollout());
    let name = Name::new("shop", "web");
    failed_pass(hub.metrics(), &name);
    hub.metrics().event(&subject(), &event());
    hub.remove(Watched::Rollout, &name);
    let page = hub.metrics().page(&hub, true, at(20));
    assert!(!page.contains("shop"), "{page}");
}

#[tokio::test]
async fn only_the_leader_tells_how_the_rollouts_are() {
    let hub = hub();
    hub.apply(rollout());
    let page = hub.metrics().page(&hub, false, at(20));
    assert!(!page.contains("rollout_info"), "{page}");
    assert!(page.lines().any(|line| line == "sluice_leading 0"), "{page}");
}

fn subject() -> Subject {
    Subject { kind: Watched::Rollout, namespace: "shop".to_owned(), name: "web".to_owned(), uid: "u".to_owned() }
}

fn event() -> Event {
    Event { kind: EventType::Normal, reason: "RolloutPaused", message: "waits".to_owned() }
}
