//! What happens meanwhile.

use serde_json::{Value, json};

use super::rollout::{Routes, budgets, steps};
use super::routers::{INGRESSES, ROUTES, VIRTUAL_SERVICES, backends, istio_route};
use super::{Dice, IMAGES};
use crate::cache::KINDS;
use crate::story::{Answers, Happening, What};

const SETS: &str = "/apis/apps/v1/namespaces/default/replicasets";
const PODS: &str = "/api/v1/namespaces/default/pods";
const SERVICES: &str = "/api/v1/namespaces/default/services";
const NODES: [&str; 3] = ["node-1", "node-2", "node-3"];

/// Between two and twenty things, some of them at the same moment.
pub(super) fn draw(dice: &mut Dice, rollout: &Value, given: &[(String, Value)]) -> Vec<Happening> {
    let mut at_ms = 0;
    let mut happenings = Vec::new();
    for _ in 0..2 + dice.below(18) {
        at_ms += if dice.one_in(5) { dice.ms(300) } else { dice.ms(25_000) };
        let what = if dice.one_in(5) { trouble(dice) } else { people(dice, rollout, given) };
        happenings.push(Happening { at_ms, what });
    }
    happenings
}

fn image(dice: &mut Dice) -> Value {
    json!({"template": {"spec": {"containers": [{"name": "web", "image": dice.pick(&IMAGES)}]}}})
}

fn people(dice: &mut Dice, rollout: &Value, given: &[(String, Value)]) -> What {
    match dice.below(24) {
        0..=4 => What::Change(image(dice)),
        5 => What::Wish(json!({"abort": true})),
        6 => What::Wish(json!({"abort": false})),
        7 | 8 => What::Promote { full: false },
        9 => What::Promote { full: true },
        10 => What::Skip { all: dice.one_in(3) },
        11 => What::Undo(1 + dice.below(2)),
        12 => What::Restart,
        13 => What::Scale(dice.below(7)),
        14 => What::Change(json!({"paused": dice.one_in(2)})),
        15 | 16 => What::Change(field(dice, rollout)),
        17 => metrics(dice),
        18 => What::Reapply,
        19 => pods(dice),
        20 => What::Wish(json!({"pauseConditions": null})),
        _ => by_hand(dice, given),
    }
}

fn metrics(dice: &mut Dice) -> What {
    What::Metrics(dice.pick(&[
        Answers::Good,
        Answers::Good,
        Answers::Bad,
        Answers::Between,
        Answers::Silent,
        Answers::NotANumber,
        Answers::Broken,
    ]))
}

/// Another value for some field of the spec.
fn field(dice: &mut Dice, rollout: &Value) -> Value {
    let strategy = &rollout["spec"]["strategy"];
    let (name, is_canary) = if strategy["canary"].is_object() { ("canary", true) } else { ("blueGreen", false) };
    let routing = &strategy["canary"]["trafficRouting"];
    let within = |change: Value| json!({"strategy": {name: change}});
    let metadata =
        dice.pick(&[json!(null), json!({}), json!({"labels": {"role": "a"}}), json!({"annotations": {"role": "b"}})]);
    match dice.below(10) {
        0 => json!({"minReadySeconds": dice.pick(&[0, 2, 5])}),
        1 => json!({"progressDeadlineSeconds": dice.pick(&[30, 90]), "progressDeadlineAbort": dice.one_in(2)}),
        2 => json!({"revisionHistoryLimit": dice.below(3)}),
        3 => json!({"rollbackWindow": dice.pick(&[json!(null), json!({"revisions": 1}), json!({"revisions": 3})])}),
        4 if is_canary => within(budgets(dice)),
        5 if is_canary => {
            let routes = match (routing.is_object(), routing["nginx"].is_object()) {
                (false, _) => Routes::None,
                (true, true) => Routes::Weights,
                (true, false) => Routes::Headers,
            };
            within(json!({"steps": steps(dice, routes)}))
        }
        6 if is_canary && routing.is_object() => within(json!({
            "dynamicStableScale": dice.one_in(2), "scaleDownDelaySeconds": null, "abortScaleDownDelaySeconds": null,
        })),
        6 if !is_canary => within(json!({"autoPromotionEnabled": dice.one_in(2)})),
        7 if routing.is_object() || !is_canary => within(json!({
            "dynamicStableScale": null,
            "scaleDownDelaySeconds": dice.pick(&[0, 8, 30]), "abortScaleDownDelaySeconds": dice.pick(&[0, 8, 30]),
        })),
        8 => {
            let field = dice.pick(if is_canary {
                &["canaryMetadata", "stableMetadata"]
            } else {
                &["previewMetadata", "activeMetadata"]
            });
            within(json!({field: metadata}))
        }
        _ => image(dice),
    }
}

/// A pod fails, is deleted, or stops being ready.
fn pods(dice: &mut Dice) -> What {
    let behaviour = dice.pick(&[
        None,
        Some(json!({"sandbox.sluice.dev/unready-after": "1s"})),
        Some(json!({"sandbox.sluice.dev/crash-after": "2s"})),
        Some(json!({"sandbox.sluice.dev/evict-after": "1s"})),
    ]);
    let change = behaviour.map(|annotations| json!({"metadata": {"annotations": annotations}}));
    What::ByHand { collection: PODS.to_owned(), nth: dice.below(8), change }
}

fn by_hand(dice: &mut Dice, given: &[(String, Value)]) -> What {
    let (stable, canary) = dice.pick(&[(100, 0), (0, 100), (50, 50), (90, 10)]);
    let has = |collection: &str| given.iter().any(|(path, _)| path == collection);
    let subsets = given.iter().any(|(_, object)| object["kind"] == "DestinationRule").then_some(["old", "new"]);
    let hand = |collection: &str, nth: u64, change: Option<Value>| What::ByHand {
        collection: collection.to_owned(),
        nth,
        change,
    };
    match dice.below(8) {
        0 => hand(SETS, dice.below(4), None),
        1 => hand(SETS, dice.below(4), Some(json!({"spec": {"replicas": 2}}))),
        2 => hand(SERVICES, dice.below(3), Some(json!({"spec": {"selector": {"rollouts-pod-template-hash": null}}}))),
        3 | 4 if has(INGRESSES) => {
            let annotations = json!({"nginx.ingress.kubernetes.io/canary-weight": canary.to_string()});
            hand(INGRESSES, dice.below(2), Some(json!({"metadata": {"annotations": annotations}})))
        }
        5 if has(VIRTUAL_SERVICES) => {
            let route = istio_route(subsets, stable, canary);
            hand(VIRTUAL_SERVICES, 0, Some(json!({"spec": {"http": [{"route": route}]}})))
        }
        6 if has(ROUTES) => {
            hand(ROUTES, 0, Some(json!({"spec": {"rules": [{"backendRefs": backends(stable, canary)}]}})))
        }
        _ => pods(dice),
    }
}

/// What goes wrong by itself.
fn trouble(dice: &mut Dice) -> What {
    match dice.below(8) {
        0 | 1 => What::Node { name: dice.pick(&NODES).to_owned(), lost: true },
        2 => What::Node { name: dice.pick(&NODES).to_owned(), lost: false },
        3 | 4 => {
            let kind = if dice.one_in(3) { None } else { Some(dice.pick(&(0..KINDS.len()).collect::<Vec<_>>())) };
            What::Blind { kind, for_ms: dice.ms(30_000) }
        }
        5 => What::Outage { for_ms: dice.ms(60_000) },
        6 => What::Crash { restart_ms: dice.ms(10_000), stale: dice.one_in(2) },
        _ => What::Rival { lag_ms: dice.pick(&[0, 20, 500, 3_000]), for_ms: dice.ms(60_000) },
    }
}
