//! The promises over situations drawn from a seed, far stranger than any cluster gets into by itself.

use serde_json::{Value, json};

use super::fixture::{hash, sizes};
use super::fixture::{now, rollout, service, set, snapshot, status_at};
use crate::plan;

/// A small generator of its own: the crate has no randomness.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: i32) -> i32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i32::try_from((self.0 >> 33) % u64::try_from(bound).expect("a bound")).expect("below the bound")
    }

    /// wanted, ready, available
    fn counts(&mut self) -> (i32, i32, i32) {
        let wanted = self.below(8);
        let ready = self.below(wanted + 2);
        (wanted, ready, self.below(ready + 1))
    }
}

struct Case {
    replicas: i32,
    surge: i32,
    unavailable: i32,
    counts: [(i32, i32, i32); 3],
    rollout: Value,
    services: Vec<Value>,
}

const IMAGES: [&str; 3] = ["web:1", "web:2", "web:9"];

fn draw(seed: u64) -> Case {
    let mut draw = Draw(seed);
    let (replicas, surge, unavailable) = (draw.below(8), draw.below(4), draw.below(4));
    let unavailable = if surge == 0 { unavailable.max(1) } else { unavailable };
    let mut canary = json!({
        "maxSurge": surge, "maxUnavailable": unavailable, "stableService": "stable", "canaryService": "canary",
        "steps": [{"setWeight": draw.below(101)}, {"setWeight": draw.below(101)}],
    });
    if draw.below(4) == 0 {
        canary["steps"] = json!([]);
    }
    let mut wishes = json!({});
    if draw.below(4) == 0 {
        wishes["abort"] = json!(true);
    }
    if draw.below(4) == 0 {
        wishes["promoteFull"] = json!(true);
    }
    if draw.below(6) == 0 {
        wishes["stableRS"] = json!(hash(IMAGES[usize::try_from(draw.below(3)).expect("small")]));
    }
    let status = status_at(&canary, draw.below(3), &wishes);
    let mut selected = || hash(IMAGES[usize::try_from(draw.below(3)).expect("small")]);
    let services = vec![service("stable", Some(&selected())), service("canary", Some(&selected()))];
    let counts = [draw.counts(), draw.counts(), draw.counts()];
    Case { replicas, surge, unavailable, counts, rollout: rollout(replicas, &canary, &status), services }
}

#[test]
fn no_write_breaks_a_budget_or_takes_the_last_ready_pod() {
    for seed in 0..4_000 {
        let case = draw(seed);
        let sets: Vec<Value> = IMAGES
            .iter()
            .zip([1, 3, 2])
            .zip(case.counts)
            .map(|((image, revision), (wanted, ready, available))| set(image, revision, wanted, ready, available))
            .collect();
        let plan = plan(&snapshot(&case.rollout, &sets, &[], &case.services), now());
        let mut sizes_now: Vec<i32> = case.counts.iter().map(|counts| counts.0).collect();
        let pair = case.replicas > 1 || (case.replicas == 1 && case.surge > 0);
        let least = (case.replicas - case.unavailable).max(i32::from(pair));
        for (name, to) in sizes(&plan) {
            let to = i32::try_from(to).expect("a count");
            let index = IMAGES.iter().position(|image| name == format!("web-{}", hash(image))).expect("a known set");
            let from = std::mem::replace(&mut sizes_now[index], to);
            let staying = |of: fn(&(i32, i32, i32)) -> i32, sizes: &[i32]| -> i32 {
                case.counts.iter().zip(sizes).map(|(counts, size)| of(counts).min(counts.0).min(*size)).sum()
            };
            let total: i32 = sizes_now.iter().sum();
            if to > from {
                assert!(total <= case.replicas + case.surge, "seed {seed}: {total} pods");
                continue;
            }
            let mut before = sizes_now.clone();
            before[index] = from;
            let (available_before, available) = (staying(|c| c.2, &before), staying(|c| c.2, &sizes_now));
            assert!(available >= least.min(available_before), "seed {seed}: {available} of {available_before} left");
            let (ready_before, ready) = (staying(|c| c.1, &before), staying(|c| c.1, &sizes_now));
            assert!(!pair || ready_before == 0 || ready > 0, "seed {seed}: the last ready pod goes");
        }
    }
}

#[test]
fn every_plan_says_why_and_when_it_writes_what_it_decided_from() {
    for seed in 0..1_000 {
        let case = draw(seed);
        let sets = [set("web:1", 1, 3, 3, 3), set("web:2", 2, 1, 1, 0)];
        let snapshot = snapshot(&case.rollout, &sets, &[], &case.services);
        let first = plan(&snapshot, now());
        assert!(!first.why.is_empty(), "seed {seed}");
        assert_eq!(first, plan(&snapshot, now()), "seed {seed}: the same snapshot, another plan");
        for write in first.writes.iter().chain(&first.status) {
            assert!(!write.reason.is_empty(), "seed {seed}");
            if let crate::Action::Patch(operations) = &write.action {
                assert_eq!(operations[0]["op"], "test", "seed {seed}");
                assert_eq!(operations[0]["path"], "/metadata/uid", "seed {seed}");
            }
        }
    }
}
