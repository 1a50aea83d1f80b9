//! A spec that can't be released keeps what runs, at the size that is asked for.

use serde_json::{Value, json};

use super::fixture::{hash, now, rollout, service, set, set_by, sizes, snapshot, status_at, status_of, told};
use crate::plan;

/// Revision, pods wanted, pods available, and for how many pods in all it was sized.
type Running = (i32, i32, i32, i32);

/// The sizes that a plan writes for an invalid spec that asks for so many pods, by revision.
fn resized(replicas: i32, strategy: &Value, stable: Option<i32>, running: &[Running]) -> Vec<(i32, i64)> {
    let image = |revision: i32| format!("web:{revision}");
    let mut rollout = rollout(replicas, &json!({}), &json!({"stableRS": stable.map(|stable| hash(&image(stable)))}));
    rollout["spec"]["strategy"] = strategy.clone();
    rollout["spec"]["selector"] = json!({});
    let sets: Vec<Value> = running
        .iter()
        .map(|(revision, wanted, available, sized_for)| {
            let mut set = set(&image(*revision), *revision, *wanted, *available, *available);
            set["metadata"]["annotations"]["rollout.argoproj.io/desired-replicas"] = json!(sized_for.to_string());
            set
        })
        .collect();
    let plan = plan(&snapshot(&rollout, &sets, &[], &[]), now());
    assert!(plan.why.starts_with("nothing is released until the spec is mended: "), "{}", plan.why);
    let named = sizes(&plan);
    let of = |revision: &i32| named.iter().find(|(name, _)| *name == format!("web-{}", hash(&image(*revision))));
    running.iter().filter_map(|(revision, ..)| Some((*revision, of(revision)?.1))).collect()
}

#[test]
#[expect(clippy::type_complexity, reason = "a table; its comment names the columns")]
fn what_runs_follows_the_replicas() {
    let canary = json!({"canary": {}});
    let blue_green = json!({"blueGreen": {"activeService": "gone"}});
    // (case, strategy, replicas, stable revision, what runs → new sizes)
    let rows: [(&str, &Value, i32, Option<i32>, &[Running], &[(i32, i64)]); 12] = [
        ("nothing is being released", &canary, 8, Some(1), &[(1, 5, 5, 5)], &[(1, 8)]),
        ("fewer", &canary, 2, Some(1), &[(1, 5, 5, 5)], &[(1, 2)]),
        ("none", &canary, 0, Some(1), &[(1, 5, 5, 5)], &[(1, 0)]),
        ("some again", &canary, 4, Some(1), &[(1, 0, 0, 0)], &[(1, 4)]),
        ("in mid-release the shares stay", &canary, 10, Some(1), &[(1, 4, 4, 5), (2, 1, 1, 5)], &[(1, 8), (2, 2)]),
        ("and no revision loses its last pod", &canary, 2, Some(1), &[(1, 4, 4, 5), (2, 1, 1, 5)], &[(1, 1)]),
        ("a crash between the two writes", &canary, 10, Some(1), &[(1, 8, 4, 10), (2, 1, 1, 5)], &[(2, 2)]),
        ("as many as before", &canary, 5, Some(1), &[(1, 4, 4, 5), (2, 1, 1, 5)], &[]),
        ("pods that are needed stay", &canary, 4, Some(1), &[(1, 6, 4, 8), (2, 2, 0, 8)], &[(2, 1)]),
        ("a first release", &canary, 6, None, &[(1, 3, 3, 3)], &[(1, 6)]),
        ("blue-green: each carries all", &blue_green, 6, Some(1), &[(1, 4, 4, 4), (2, 4, 4, 4)], &[(1, 6), (2, 6)]),
        (
            "blue-green: a small preview stays small",
            &blue_green,
            8,
            Some(1),
            &[(1, 4, 4, 4), (2, 1, 1, 4)],
            &[(1, 8), (2, 2)],
        ),
    ];
    for (case, strategy, replicas, stable, running, expected) in rows {
        assert_eq!(resized(replicas, strategy, stable, running), expected, "{case}");
    }
}

#[test]
fn an_autoscaler_goes_on_reading_counts() {
    let mut rollout = rollout(5, &json!({"analysis": {}}), &json!({"phase": "Healthy", "HPAReplicas": 3}));
    rollout["status"]["stableRS"] = json!(hash("web:1"));
    rollout["status"]["currentPodHash"] = json!(hash("web:1"));
    let plan = plan(&snapshot(&rollout, &[set("web:1", 1, 5, 4, 4)], &[], &[]), now());
    assert_eq!(plan.writes, []);
    for (field, count) in [("HPAReplicas", 5), ("replicas", 5), ("updatedReplicas", 5), ("availableReplicas", 4)] {
        assert_eq!(status_of(&plan, field), Some(json!(count)), "{field}");
    }
}

/// A canary of `web:2` at its pause, whose spec got a mistake meanwhile.
fn broken_in_mid_release(status: &Value, mistake: impl FnOnce(&mut Value)) -> Value {
    let canary =
        json!({"stableService": "stable", "canaryService": "canary", "steps": [{"setWeight": 20}, {"pause": {}}]});
    let mut rollout = rollout(10, &canary, &status_at(&canary, 1, status));
    mistake(&mut rollout["spec"]);
    rollout
}

/// What one pass does: sizes by revision, Services that move to stable, whether it says that it is aborted.
fn goes(rollout: &Value) -> (Vec<(i32, i64)>, Vec<String>, bool) {
    let sets = [set("web:1", 1, 8, 8, 8), set("web:2", 2, 2, 2, 2)];
    let services = [service("stable", Some(&hash("web:1"))), service("canary", Some(&hash("web:2")))];
    let plan = plan(&snapshot(rollout, &sets, &[], &services), now());
    assert_eq!(status_of(&plan, "phase"), Some(json!("Degraded")));
    assert!(plan.why.contains("nothing is released until the spec is mended: "), "{}", plan.why);
    let message = status_of(&plan, "message").unwrap_or_default();
    assert!(message.as_str().is_some_and(|message| message.starts_with("InvalidSpec: ")), "{message}");
    let by_revision = |name: &str| if name.ends_with(&hash("web:1")) { 1 } else { 2 };
    let sizes = sizes(&plan).into_iter().map(|(name, size)| (by_revision(&name), size)).collect();
    let to_stable = |write: &&crate::Write| {
        set_by(write, "/spec/selector/rollouts-pod-template-hash") == Some(json!(hash("web:1")))
    };
    let moved = plan.writes.iter().filter(to_stable).map(|write| write.target.name.clone()).collect();
    (sizes, moved, told(&plan).contains(&"RolloutAborted"))
}

#[test]
fn an_abort_goes_back_whatever_is_wrong_with_the_spec() {
    let step = |spec: &mut Value| spec["strategy"]["canary"]["steps"] = json!([{}]);
    let analysis = |spec: &mut Value| {
        spec["strategy"]["canary"]["analysis"] = json!({"templates": [{"templateName": "gone"}]});
    };
    let template = |spec: &mut Value| {
        spec["template"]["metadata"]["labels"] = json!({"app": "other"});
        spec["template"]["spec"]["containers"][0]["image"] = json!("web:3");
    };
    let none = |spec: &mut Value| spec["template"] = Value::Null;
    let surge = |spec: &mut Value| spec["strategy"]["canary"]["maxSurge"] = json!("lots");
    let replicas = |spec: &mut Value| spec["replicas"] = json!(-1);
    let both = |spec: &mut Value| spec["strategy"]["blueGreen"] = json!({"activeService": "stable"});
    // (what is wrong, whether it is aborted, sizes, Services that go back, whether it is told)
    type Row<'a> = (&'a str, &'a dyn Fn(&mut Value), bool, &'a [(i32, i64)], &'a [&'a str], bool);
    let rows: [Row<'_>; 8] = [
        ("a step", &step, true, &[(1, 10), (2, 1)], &["canary"], true),
        ("a step, and nobody aborts", &step, false, &[], &[], false),
        ("a template of an analysis", &analysis, true, &[(1, 10), (2, 1)], &["canary"], true),
        ("another pod template", &template, true, &[(1, 10), (2, 1)], &["canary"], true),
        ("no pod template", &none, true, &[(1, 10), (2, 1)], &["canary"], true),
        ("a surge: as if there were none", &surge, true, &[(2, 1)], &["canary"], true),
        ("a count: nobody knows how many", &replicas, true, &[], &[], false),
        ("two strategies: nobody knows how", &both, true, &[], &[], false),
    ];
    for (case, mistake, aborted, sizes, services, told) in rows {
        let rollout = broken_in_mid_release(&json!({"abort": aborted}), mistake);
        let expected = (sizes.to_vec(), services.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), told);
        assert_eq!(goes(&rollout), expected, "{case}");
    }
}

#[test]
fn an_abort_of_an_invalid_spec_is_remembered_of_the_revision_that_was_released() {
    let rollout = broken_in_mid_release(&json!({"abort": true}), |spec| {
        spec["template"]["metadata"]["labels"] = json!({"app": "other"});
    });
    let sets = [set("web:1", 1, 8, 8, 8), set("web:2", 2, 2, 2, 2)];
    let services = [service("stable", Some(&hash("web:1"))), service("canary", Some(&hash("web:2")))];
    let plan = plan(&snapshot(&rollout, &sets, &[], &services), now());
    let rejected = status_of(&plan, "rejected").unwrap_or_default();
    assert_eq!(rejected[0]["podHash"], json!(hash("web:2")));
    assert_eq!(status_of(&plan, "currentPodHash"), None, "the status speaks of the same revision as before");
    let history = status_of(&plan, "history").unwrap_or_default();
    assert_eq!([&history[0]["result"], &history[0]["images"]], [&json!("Aborted"), &json!(["web:2"])]);
}
