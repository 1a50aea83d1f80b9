//! Traffic that routers divide: what one pass makes of what is there, a row a case.

use std::sync::Arc;

use serde_json::{Value, json};
use sluice_traffic::{Kind as RoutingKind, ObjectRef, Seen};

use super::fixture::{hash, now, rollout, service, set, set_by, sizes, snapshot, status_at};
use crate::plan;
use crate::plan::{Kind, Plan};

/// A release of `web:2` over `web:1`, 10 pods, as its routers and Services are.
struct Case {
    case: &'static str,
    /// Beside Services and router: `dynamicStableScale` and what else a row is about.
    canary: Value,
    steps: Value,
    step: i32,
    status: Value,
    /// The weight that the canary destination has.
    weight: i64,
    /// The image behind the canary Service.
    behind_canary: &'static str,
    /// wanted, ready, available
    new: (i32, i32, i32),
    stable: (i32, i32, i32),
    /// The weight that is written, the sizes of new and stable that are, and where the canary Service goes.
    expected: Expected,
}

#[derive(Debug, Default, PartialEq)]
struct Expected {
    weight: Option<i64>,
    new: Option<i64>,
    stable: Option<i64>,
    canary_service: Option<&'static str>,
}

const TEN: (i32, i32, i32) = (10, 10, 10);

impl Default for Case {
    fn default() -> Self {
        Self {
            case: "",
            canary: json!({}),
            steps: json!([{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {}}]),
            step: 0,
            status: json!({}),
            weight: 0,
            behind_canary: "web:2",
            new: (2, 2, 2),
            stable: TEN,
            expected: Expected::default(),
        }
    }
}

fn virtual_service(weight: i64) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": "web", "namespace": "shop", "uid": "route", "resourceVersion": "5", "generation": 1},
        "spec": {"hosts": ["web"], "http": [{"route": [
            {"destination": {"host": "stable"}, "weight": 100 - weight},
            {"destination": {"host": "canary"}, "weight": weight},
        ]}]},
    })
}

fn planned(case: &Case) -> Plan {
    let mut canary = case.canary.clone();
    canary["stableService"] = json!("stable");
    canary["canaryService"] = json!("canary");
    canary["steps"] = case.steps.clone();
    canary["trafficRouting"] = json!({"istio": {"virtualService": {"name": "web"}}});
    let status = status_at(&canary, case.step, &case.status);
    let mut rollout = rollout(10, &canary, &status);
    // What is to be seen here are weights and sizes.
    rollout["metadata"]["finalizers"] = json!(["rollouts.argoproj.io/sluice-routing"]);
    let (new, stable) = (case.new, case.stable);
    let sets = [set("web:1", 1, stable.0, stable.1, stable.2), set("web:2", 2, new.0, new.1, new.2)];
    let services = [service("stable", Some(&hash("web:1"))), service("canary", Some(&hash(case.behind_canary)))];
    let mut snapshot = snapshot(&rollout, &sets, &[], &services);
    let name = ObjectRef::new(RoutingKind::VirtualService, "shop", "web");
    snapshot.routing.insert(name, Seen::There(Arc::new(virtual_service(case.weight))));
    plan(&snapshot, now())
}

fn found(plan: &Plan) -> Expected {
    let size = |image: &str| {
        let name = format!("web-{}", hash(image));
        sizes(plan).into_iter().find(|(set, _)| *set == name).map(|(_, size)| size)
    };
    let route = plan.writes.iter().find(|write| matches!(write.target.kind, Kind::Routing(..)));
    let weight = route.map(|write| {
        let path = "/spec/http/0/route/1/weight";
        set_by(write, path).and_then(|weight| weight.as_i64()).expect("the weight of the canary destination")
    });
    let service = plan.writes.iter().find(|write| write.target.kind == Kind::Service && write.target.name == "canary");
    let selected = service.and_then(|write| set_by(write, "/spec/selector/rollouts-pod-template-hash"));
    let image = selected.map(|selected| if selected == hash("web:1") { "web:1" } else { "web:2" });
    Expected { weight, new: size("web:2"), stable: size("web:1"), canary_service: image }
}

fn check(cases: &[Case]) {
    for case in cases {
        let plan = planned(case);
        assert_eq!(found(&plan), case.expected, "{}: {} {:#?}", case.case, plan.why, plan.writes);
    }
}

#[test]
fn pods_come_first_then_the_destination_then_its_share() {
    check(&[
        Case {
            case: "a step begins with its pods",
            new: (0, 0, 0),
            behind_canary: "web:1",
            expected: Expected { new: Some(2), ..Expected::default() },
            ..Case::default()
        },
        Case { case: "the canary Service waits for a pod", new: (2, 2, 0), behind_canary: "web:1", ..Case::default() },
        Case {
            case: "and moves before there is any traffic",
            new: (2, 1, 1),
            behind_canary: "web:1",
            expected: Expected { canary_service: Some("web:2"), ..Expected::default() },
            ..Case::default()
        },
        Case { case: "one of two pods is too few for the share", new: (2, 1, 1), ..Case::default() },
        Case {
            case: "both pods are there",
            expected: Expected { weight: Some(20), ..Expected::default() },
            ..Case::default()
        },
        Case {
            case: "the share of the last step stays until the pods of this one are there",
            step: 2,
            weight: 20,
            new: (6, 4, 4),
            ..Case::default()
        },
        Case {
            case: "a share that got lost comes back with the pods that it needs",
            step: 2,
            weight: 0,
            new: (6, 4, 4),
            expected: Expected { weight: Some(20), ..Expected::default() },
            ..Case::default()
        },
        Case {
            case: "an unhealthy stable revision holds no good version back",
            stable: (10, 3, 3),
            expected: Expected { weight: Some(20), ..Expected::default() },
            ..Case::default()
        },
        Case {
            case: "the traffic leaves a version whose pods are all lost",
            weight: 20,
            new: (2, 0, 0),
            expected: Expected { weight: Some(0), ..Expected::default() },
            ..Case::default()
        },
    ]);
}

#[test]
fn an_abort_gives_back_what_stable_can_take_and_pods_go_when_they_have_nothing_left() {
    let aborted = json!({"abort": true, "abortedAt": "2026-01-01T11:59:00Z"});
    let abort = |case: &'static str, stable: (i32, i32, i32), new: (i32, i32, i32), weight: i64, expected| Case {
        case,
        status: aborted.clone(),
        stable,
        new,
        weight,
        canary: json!({"abortScaleDownDelaySeconds": 0}),
        expected,
        ..Case::default()
    };
    let to = |weight: i64| Expected { weight: Some(weight), ..Expected::default() };
    check(&[
        abort("all at once with all pods", TEN, (6, 6, 6), 60, to(0)),
        abort("all at once with a quarter missing", (10, 8, 8), (6, 6, 6), 60, to(0)),
        abort("in proportion below that", (10, 5, 5), (6, 6, 6), 60, to(50)),
        abort("never more than there is now", (10, 1, 1), (6, 6, 6), 60, Expected::default()),
        abort("the same for all pods where the canary has even fewer", (10, 2, 2), (6, 1, 1), 60, to(33)),
        abort("nothing where stable has none", (10, 0, 0), (6, 6, 6), 60, Expected::default()),
        abort("to a pod that is only ready, where nothing else serves", (10, 1, 0), (6, 0, 0), 60, to(0)),
        abort(
            "the Service goes back when no traffic is left",
            TEN,
            (6, 6, 6),
            0,
            Expected { canary_service: Some("web:1"), ..Expected::default() },
        ),
        Case {
            case: "pods go when no destination leads to them",
            status: aborted.clone(),
            behind_canary: "web:1",
            canary: json!({"dynamicStableScale": true}),
            new: (6, 6, 6),
            expected: Expected { new: Some(0), ..Expected::default() },
            ..Case::default()
        },
        Case {
            case: "with dynamicStableScale the weight follows each pod",
            status: aborted.clone(),
            canary: json!({"dynamicStableScale": true}),
            stable: (10, 8, 8),
            new: (6, 6, 6),
            weight: 60,
            expected: to(20),
            ..Case::default()
        },
    ]);
}

#[test]
fn with_dynamic_stable_scale_pods_go_only_when_their_share_has_gone() {
    let dynamic = |case: &'static str, weight: i64, new: (i32, i32, i32), stable, expected| Case {
        case,
        canary: json!({"dynamicStableScale": true}),
        step: 2,
        weight,
        new,
        stable,
        expected,
        ..Case::default()
    };
    check(&[
        dynamic(
            "the share moves first",
            20,
            (6, 6, 6),
            (8, 8, 8),
            Expected { weight: Some(60), ..Expected::default() },
        ),
        dynamic("then the pods go", 60, (6, 6, 6), (8, 8, 8), Expected { stable: Some(4), ..Expected::default() }),
        dynamic("and then all is as wanted", 60, (6, 6, 6), (4, 4, 4), Expected::default()),
    ]);
}

#[test]
fn sizes_follow_the_step() {
    let size = |case: &'static str, canary: Value, steps: Value, step: i32, new: i64| Case {
        case,
        canary,
        steps,
        step,
        new: (0, 0, 0),
        behind_canary: "web:1",
        expected: Expected { new: Some(new), ..Expected::default() },
        ..Case::default()
    };
    let scale = |scale: Value| json!([{"setCanaryScale": scale}, {"setWeight": 25}, {"pause": {}}]);
    check(&[
        size("a weight is rounded up", json!({}), json!([{"setWeight": 11}]), 0, 2),
        size("replicas are taken as they are", json!({}), scale(json!({"replicas": 4})), 0, 4),
        size("also for the weight that follows", json!({}), scale(json!({"replicas": 4})), 1, 4),
        size("percent of all pods", json!({}), scale(json!({"weight": 35})), 1, 4),
        size("matchTrafficWeight keeps one", json!({}), scale(json!({"matchTrafficWeight": true})), 0, 1),
        size("and is the weight's size again", json!({}), scale(json!({"matchTrafficWeight": true})), 1, 3),
        size("at least what the user asks", json!({"minPodsPerReplicaSet": 3}), json!([{"setWeight": 5}]), 0, 3),
        size("in batches of a surge that is set", json!({"maxSurge": 2}), json!([{"setWeight": 50}]), 0, 2),
        size("all at once where none is set", json!({}), json!([{"setWeight": 50}]), 0, 5),
        size("all of them behind the last step", json!({}), json!([{"setWeight": 50}]), 1, 10),
    ]);
}
