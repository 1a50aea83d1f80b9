use serde_json::{Value, json};

use super::*;
use crate::read::read;

fn object(name: &str, version: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": version}})
}

/// A hub that has seen a Rollout and one of its pods.
fn hub() -> Hub {
    let hub = Hub::new(Clock::wall(), Jitter::seeded(1), Metrics::default());
    let mut rollout = object("web", "3");
    rollout["spec"] = json!({});
    hub.apply(read(Watched::Rollout, &rollout).expect("a Rollout"));
    hub.apply(read(Watched::Pod, &object("web-1", "5")).expect("a pod"));
    hub
}

fn waits(hub: &Hub) -> bool {
    matches!(hub.begin(&Name::new("shop", "web")), Begin::Wait(_))
}

#[tokio::test]
async fn an_eviction_is_waited_for_until_the_pod_changes_or_is_gone_whichever_is_seen_first() {
    let (web, pod) = (Name::new("shop", "web"), (Watched::Pod, Name::new("shop", "web-1")));
    let evicted = |hub: &Hub| hub.changed(&web, &pod, Some("5"));

    let late = hub();
    evicted(&late);
    assert!(waits(&late), "the watch still shows the pod as it was");
    late.remove(Watched::Pod, &pod.1);
    assert!(!waits(&late), "it is gone");

    let early = hub();
    early.remove(Watched::Pod, &pod.1);
    evicted(&early);
    assert!(!waits(&early), "it was gone before the answer came");

    let changed = hub();
    changed.apply(read(Watched::Pod, &object("web-1", "7")).expect("a pod"));
    evicted(&changed);
    assert!(!waits(&changed), "its end was seen before the answer came");
}
