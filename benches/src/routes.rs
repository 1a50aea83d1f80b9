//! What every pass of the controller pays per route: the edits of an HTTPRoute of many rules.

use std::sync::Arc;

use anyhow::ensure;
use serde_json::{Value, json};
use sluice_crds::rollout::TrafficRouting;
use sluice_traffic::{Kind, ObjectRef, Objects, Routing, Seen, Split, edits};

use crate::figure::{Figure, median_of, time};

const CALLS: u32 = 2_000;
const RULES: u32 = 50;

pub(crate) fn measure() -> anyhow::Result<Vec<Figure>> {
    let traffic: TrafficRouting = serde_json::from_value(json!({"gatewayAPI": {"httpRoute": "web"}}))?;
    let routing = Routing::new("web", "shop", "uid", traffic).with_services("web-stable", "web-canary");
    let mut objects = Objects::default();
    objects.insert(ObjectRef::new(Kind::HttpRoute, "shop", "web"), Seen::There(Arc::new(route())));

    let changed = Split::new(100, 20);
    let found = edits(&changed, &routing, &objects);
    ensure!(found.problems.is_empty() && found.edits.len() == 1, "the route is edited: {found:?}");
    let same = Split::new(100, 10);
    ensure!(edits(&same, &routing, &objects).edits.is_empty(), "nothing is written where nothing differs");

    let micros = |split: &Split| {
        let spent = median_of(5, || {
            time(|| {
                for _ in 0..CALLS {
                    std::hint::black_box(edits(split, &routing, &objects));
                }
            })
        });
        spent.as_secs_f64() * 1e6 / f64::from(CALLS)
    };
    Ok(vec![
        Figure::new(format!("edits of an HTTPRoute of {RULES} rules, all weights new"), micros(&changed), "µs")
            .at_most(50.0),
        Figure::new("the same where nothing differs", micros(&same), "µs").at_most(50.0),
    ])
}

fn route() -> Value {
    let backend =
        |name: &str, weight: u32| json!({"group": "", "kind": "Service", "name": name, "port": 80, "weight": weight});
    let rules: Vec<Value> = (0..RULES)
        .map(|number| {
            json!({
                "matches": [{"path": {"type": "PathPrefix", "value": format!("/part-{number}")}}],
                "backendRefs": [backend("web-stable", 90), backend("web-canary", 10)],
            })
        })
        .collect();
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "web", "namespace": "shop", "uid": "uid-of-route"},
        "spec": {"parentRefs": [{"name": "public"}], "rules": rules},
    })
}
