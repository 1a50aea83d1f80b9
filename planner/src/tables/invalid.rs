//! A spec that can't be released keeps what runs, at the size that is asked for.

use serde_json::{Value, json};

use super::fixture::{hash, now, rollout, set, sizes, snapshot, status_of};
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
