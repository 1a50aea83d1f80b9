//! Rollouts.

use serde_json::{Map, Value, json};

use super::{Dice, IMAGES, routers};

/// A Rollout with whatever its strategy needs besides.
pub(super) fn draw(dice: &mut Dice, given: &mut Vec<(String, Value)>) -> Value {
    let strategy = match dice.below(10) {
        0..=2 => json!({"canary": canary(dice)}),
        3 | 4 => json!({"blueGreen": blue_green(dice)}),
        _ => json!({"canary": routers::draw(dice, given)}),
    };
    let mut spec = json!({
        "replicas": dice.below(7),
        "progressDeadlineSeconds": dice.pick(&[30, 60, 600]),
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {
                "labels": {"app": "web"},
                "annotations": {"sandbox.sluice.dev/ready-after": format!("{}s", dice.below(8))},
            },
            "spec": {"containers": [{"name": "web", "image": dice.pick(&IMAGES)}]},
        },
        "strategy": strategy,
    });
    for (field, value) in [
        ("progressDeadlineAbort", json!(true)),
        ("rollbackWindow", json!({"revisions": 2})),
        ("minReadySeconds", json!(3)),
        ("revisionHistoryLimit", json!(1)),
    ] {
        if dice.one_in(4) {
            spec[field] = value;
        }
    }
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": spec,
    })
}

fn canary(dice: &mut Dice) -> Value {
    let mut canary = Map::new();
    if dice.one_in(2) {
        canary.insert("stableService".to_owned(), json!("stable"));
        canary.insert("canaryService".to_owned(), json!("canary"));
    }
    put(&mut canary, budgets(dice));
    canary.insert("steps".to_owned(), steps(dice, Routes::None));
    if dice.one_in(6) {
        canary.insert("analysis".to_owned(), background(dice));
    }
    if dice.one_in(8) {
        canary.insert("replicaProgressThreshold".to_owned(), json!({"type": "Percent", "value": 60}));
    }
    Value::Object(canary)
}

/// Surge and unavailability; whole numbers or nothing.
pub(super) fn budgets(dice: &mut Dice) -> Value {
    dice.pick(&[
        json!({}),
        json!({}),
        json!({"maxSurge": 1, "maxUnavailable": 0}),
        json!({"maxSurge": 0, "maxUnavailable": 1}),
        json!({"maxSurge": 2, "maxUnavailable": 2}),
    ])
}

fn blue_green(dice: &mut Dice) -> Value {
    let mut blue_green = Map::from_iter([("activeService".to_owned(), json!("stable"))]);
    put(
        &mut blue_green,
        dice.pick(&[json!({}), json!({"autoPromotionEnabled": false}), json!({"autoPromotionSeconds": 15})]),
    );
    put(
        &mut blue_green,
        dice.pick(&[
            json!({}),
            json!({"previewService": "canary"}),
            json!({"previewService": "canary", "previewReplicaCount": 1}),
        ]),
    );
    put(
        &mut blue_green,
        dice.pick(&[
            json!({}),
            json!({"scaleDownDelaySeconds": 0, "abortScaleDownDelaySeconds": 0}),
            json!({"scaleDownDelaySeconds": 10, "scaleDownDelayRevisionLimit": 1}),
            json!({"scaleDownDelaySeconds": 20, "abortScaleDownDelaySeconds": 5}),
        ]),
    );
    if dice.one_in(4) {
        blue_green.insert("prePromotionAnalysis".to_owned(), asked());
    }
    if dice.one_in(4) {
        blue_green.insert("postPromotionAnalysis".to_owned(), asked());
    }
    Value::Object(blue_green)
}

/// What stands in front of the Service.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Routes {
    /// Nothing.
    None,
    /// A router that has weights only.
    Weights,
    /// One that has routes of their own for headers, too.
    Headers,
}

/// A list of steps.
pub(super) fn steps(dice: &mut Dice, routes: Routes) -> Value {
    let mut steps = Vec::new();
    for _ in 0..dice.below(6) {
        let step = match (dice.below(10), routes) {
            (0..=3, _) => json!({"setWeight": dice.pick(&[0, 5, 20, 33, 50, 60, 75, 100])}),
            (4, _) => json!({"pause": {}}),
            (5 | 6, _) => json!({"pause": {"duration": dice.pick(&[0, 3, 9, 20])}}),
            (7, _) => json!({"analysis": asked()}),
            (8, Routes::Weights | Routes::Headers) => json!({"setCanaryScale": dice.pick(&[
                json!({"replicas": 2}),
                json!({"weight": 40}),
                json!({"matchTrafficWeight": true}),
            ])}),
            (9, Routes::Headers) => json!({"setHeaderRoute": {
                "name": "mine", "match": [{"headerName": "x", "headerValue": {"exact": "tester"}}],
            }}),
            _ => json!({"setWeight": 10 * dice.below(11)}),
        };
        steps.push(step);
    }
    Value::Array(steps)
}

pub(super) fn background(dice: &mut Dice) -> Value {
    let mut asked = asked();
    asked["startingStep"] = json!(dice.below(3));
    asked
}

fn asked() -> Value {
    json!({"templates": [{"templateName": "errors"}]})
}

pub(super) fn put(into: &mut Map<String, Value>, fields: Value) {
    if let Value::Object(fields) = fields {
        into.extend(fields);
    }
}
