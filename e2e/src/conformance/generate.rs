//! Cases drawn from a seed: sequences of writes by several managers to one object, in every form of
//! patch, that no person would think of.

use serde_json::{Value, json};

use super::case::{Case, Step};

/// A generator that gives the same numbers for the same seed everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let index = usize::try_from(self.roll(from.len() as u64)).unwrap_or(0);
        from[index]
    }
}

/// So many cases of `steps` requests each.
#[must_use]
pub fn cases(seed: u64, count: u64, steps: usize) -> Vec<Case> {
    (0..count).map(|index| one(seed.wrapping_mul(1_000_003).wrapping_add(index), steps)).collect()
}

fn one(seed: u64, steps: usize) -> Case {
    let mut dice = Dice(seed);
    let deployment = dice.roll(2) == 0;
    let path =
        if deployment { "/apis/apps/v1/namespaces/{ns}/deployments/x" } else { "/api/v1/namespaces/{ns}/configmaps/x" };
    let make = |dice: &mut Dice| if deployment { deployment_step(dice, path) } else { config_map_step(dice, path) };
    let mut all = vec![first(deployment, path)];
    all.extend((1..steps).map(|_| make(&mut dice)));
    Case { case: format!("generated from seed {seed}"), steps: all }
}

fn first(deployment: bool, path: &str) -> Step {
    let body = if deployment {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": {
            "paused": true, "replicas": 0, "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "one", "image": "i:1"}]}},
        }})
    } else {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"k0": "v0"}})
    };
    Step { apply: Some(format!("{path}?fieldManager=alpha")), body: Some(body), ..Step::default() }
}

fn config_map_step(dice: &mut Dice, path: &str) -> Step {
    let manager = dice.pick(&["alpha", "beta", "gamma"]);
    let key = dice.pick(&["k0", "k1", "k2", "k3"]);
    let value = dice.pick(&["v0", "v1", "v2"]);
    match dice.roll(5) {
        0 => patch(path, manager, "merge", &json!({"data": {key: value}})),
        1 => patch(path, manager, "merge", &json!({"data": {key: null}, "metadata": {"labels": {"l": value}}})),
        2 => patch(path, manager, "json", &json!([{"op": "add", "path": format!("/data/{key}"), "value": value}])),
        3 => apply(
            path,
            manager,
            dice,
            &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {key: value}}),
        ),
        _ => apply(
            path,
            manager,
            dice,
            &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "annotations": {key: value}}, "data": {key: value, "k2": "v1"}}),
        ),
    }
}

fn deployment_step(dice: &mut Dice, path: &str) -> Step {
    let manager = dice.pick(&["alpha", "beta", "gamma"]);
    let container = dice.pick(&["one", "two", "three"]);
    let image = dice.pick(&["i:1", "i:2"]);
    let (env, value) = (dice.pick(&["A", "B", "C"]), dice.pick(&["1", "2"]));
    let pods = |containers: Value| json!({"spec": {"template": {"spec": {"containers": containers}}}});
    let mut applied = |spec: Value| {
        let mut body = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}});
        body["spec"] = spec["spec"].clone();
        apply(path, manager, dice, &body)
    };
    match value.len() as u64 + u64::from(image.ends_with('2')) * 2 + u64::from(env == "B") {
        1 => applied(pods(json!([{"name": container, "image": image, "env": [{"name": env, "value": value}]}]))),
        2 => patch(
            path,
            manager,
            "strategic",
            &pods(
                json!([{"name": container, "image": image, "ports": [{"containerPort": container_port(container)}]}]),
            ),
        ),
        3 => applied(json!({"spec": {"minReadySeconds": 3, "template": {"metadata": {"annotations": {env: value}}}}})),
        _ => patch(
            path,
            manager,
            "strategic",
            &pods(
                json!([{"name": container, "image": image, "env": [{"name": env, "value": value}, {"name": "D", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}]),
            ),
        ),
    }
}

/// A port of its own for each: two containers with one port are warned of in an order that nobody needs.
fn container_port(container: &str) -> u16 {
    match container {
        "one" => 81,
        "two" => 82,
        _ => 83,
    }
}

fn patch(path: &str, manager: &str, kind: &str, body: &Value) -> Step {
    Step {
        patch: Some(format!("{path}?fieldManager={manager}")),
        patch_type: Some(kind.to_owned()),
        body: Some(body.clone()),
        ..Step::default()
    }
}

fn apply(path: &str, manager: &str, dice: &mut Dice, body: &Value) -> Step {
    let force = if dice.roll(2) == 0 { "&force=true" } else { "" };
    Step { apply: Some(format!("{path}?fieldManager={manager}{force}")), body: Some(body.clone()), ..Step::default() }
}
