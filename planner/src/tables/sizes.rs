//! How many pods each revision gets.

use serde_json::json;

use super::fixture::{hash, now, rollout, set, sizes, snapshot, status_at};
use crate::plan;
use crate::strategy::canary::pods;

#[test]
fn pods_come_as_near_to_the_weight_as_they_can() {
    // replicas, weight, with surge → new, stable
    let rows = [
        (10, 0, true, (0, 10)),
        (10, 10, true, (1, 9)),
        (10, 100, true, (10, 0)),
        (10, 25, false, (3, 7)),
        // 3 of 11 are nearer to a quarter than 3 of 10, and 2 of 10 are as far as those.
        (10, 25, true, (3, 8)),
        (10, 99, false, (9, 1)),
        (10, 99, true, (10, 1)),
        (10, 1, true, (1, 10)),
        (5, 20, true, (1, 4)),
        (5, 60, true, (3, 2)),
        (4, 50, false, (2, 2)),
        (3, 50, false, (2, 1)),
        (3, 50, true, (2, 2)),
        (2, 1, false, (1, 1)),
        (1, 5, true, (1, 1)),
        (1, 95, true, (1, 1)),
        (1, 5, false, (0, 1)),
        (1, 95, false, (1, 0)),
        (1, 50, false, (1, 0)),
        (0, 50, true, (0, 0)),
    ];
    for (replicas, weight, surge, expected) in rows {
        assert_eq!(pods(replicas, weight, surge), expected, "{replicas} at {weight} %, surge {surge}");
    }
}

struct Row {
    case: &'static str,
    replicas: i32,
    weight: i32,
    unavailable: i32,
    surge: i32,
    /// wanted, ready, available
    new: (i32, i32, i32),
    stable: (i32, i32, i32),
    other: (i32, i32, i32),
    /// new, stable, other after one pass
    expected: (i64, i64, i64),
}

const NONE: (i32, i32, i32) = (0, 0, 0);
const TEN: (i32, i32, i32) = (10, 10, 10);

const ROWS: [Row; 14] = [
    Row {
        case: "one up and one down fit both budgets",
        replicas: 10,
        weight: 10,
        unavailable: 1,
        surge: 1,
        new: NONE,
        stable: TEN,
        other: NONE,
        expected: (1, 9, 0),
    },
    Row {
        case: "with surge only, new pods come first",
        replicas: 10,
        weight: 30,
        unavailable: 0,
        surge: 3,
        new: NONE,
        stable: TEN,
        other: NONE,
        expected: (3, 10, 0),
    },
    Row {
        case: "without surge, old pods go first",
        replicas: 10,
        weight: 30,
        unavailable: 5,
        surge: 0,
        new: NONE,
        stable: TEN,
        other: NONE,
        expected: (0, 7, 0),
    },
    Row {
        case: "a single pod gets a second one beside it",
        replicas: 1,
        weight: 5,
        unavailable: 0,
        surge: 1,
        new: NONE,
        stable: (1, 1, 1),
        other: NONE,
        expected: (1, 1, 0),
    },
    Row {
        case: "old pods wait for new ones to be available",
        replicas: 10,
        weight: 30,
        unavailable: 0,
        surge: 3,
        new: (3, 3, 1),
        stable: TEN,
        other: NONE,
        expected: (3, 9, 0),
    },
    Row {
        case: "once all are available the old ones go",
        replicas: 10,
        weight: 30,
        unavailable: 0,
        surge: 3,
        new: (3, 3, 3),
        stable: TEN,
        other: NONE,
        expected: (3, 7, 0),
    },
    Row {
        case: "the last pod goes only when another is available",
        replicas: 1,
        weight: 100,
        unavailable: 0,
        surge: 1,
        new: (1, 0, 0),
        stable: (1, 1, 1),
        other: NONE,
        expected: (1, 1, 0),
    },
    Row {
        case: "100% unavailable still leaves one pod",
        replicas: 3,
        weight: 100,
        unavailable: 3,
        surge: 0,
        new: NONE,
        stable: (3, 3, 3),
        other: NONE,
        expected: (0, 1, 0),
    },
    Row {
        case: "one pod without surge goes before the new one comes",
        replicas: 1,
        weight: 100,
        unavailable: 1,
        surge: 0,
        new: NONE,
        stable: (1, 1, 1),
        other: NONE,
        expected: (0, 0, 0),
    },
    Row {
        case: "crashing pods of an older revision go at once",
        replicas: 10,
        weight: 30,
        unavailable: 0,
        surge: 3,
        new: NONE,
        stable: (7, 7, 7),
        other: (3, 0, 0),
        expected: (3, 7, 0),
    },
    Row {
        case: "serving pods of an older revision wait for others",
        replicas: 10,
        weight: 30,
        unavailable: 0,
        surge: 3,
        new: NONE,
        stable: (7, 7, 7),
        other: (3, 3, 3),
        expected: (3, 7, 3),
    },
    Row {
        case: "ready pods that are not available yet are kept",
        replicas: 10,
        weight: 100,
        unavailable: 0,
        surge: 3,
        new: (3, 3, 0),
        stable: (10, 10, 0),
        other: NONE,
        expected: (3, 10, 0),
    },
    Row {
        case: "scaling down keeps the share",
        replicas: 5,
        weight: 20,
        unavailable: 0,
        surge: 1,
        new: (2, 2, 2),
        stable: (8, 8, 8),
        other: NONE,
        expected: (1, 4, 0),
    },
    Row {
        case: "a size that an attacker would choose",
        replicas: i32::MAX,
        weight: 50,
        unavailable: 0,
        surge: i32::MAX,
        new: NONE,
        stable: (i32::MAX, 0, 0),
        other: NONE,
        expected: (0, 1_073_741_824, 0),
    },
];

#[test]
fn one_pass_goes_as_far_as_the_budgets_allow() {
    for row in ROWS {
        let canary = json!({
            "maxSurge": row.surge, "maxUnavailable": row.unavailable,
            "steps": [{"setWeight": row.weight}, {"pause": {}}],
        });
        let of = |image: &str, revision, (wanted, ready, available)| set(image, revision, wanted, ready, available);
        let sets = [of("web:1", 1, row.stable), of("web:2", 3, row.new), of("web:9", 2, row.other)];
        let rollout = rollout(row.replicas, &canary, &status_at(&canary, 0, &json!({})));
        let plan = plan(&snapshot(&rollout, &sets, &[], &[]), now());
        let written = sizes(&plan);
        let after = |image: &str, (wanted, ..): (i32, i32, i32)| {
            let name = format!("web-{}", hash(image));
            written.iter().find(|(set, _)| *set == name).map_or(i64::from(wanted), |(_, to)| *to)
        };
        let got = (after("web:2", row.new), after("web:1", row.stable), after("web:9", row.other));
        assert_eq!(got, row.expected, "{}: {}", row.case, plan.why);
    }
}
