//! `get rollout`: the page that people know, with why it stands so, when it goes on, and what was measured.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::evidence::{self, Evidence};
use super::standing::Standing;
use super::text::{Cell, Hue, labelled, sign, table};
use super::tree;
use crate::family::{Family, hash};

pub(crate) fn rollout(family: &Family, now: Timestamp, width: Option<usize>) -> Vec<Vec<Cell>> {
    let (rollout, standing) = (&family.rollout, Standing::of(&family.rollout));
    let status = &rollout["status"];
    let mut lines = Vec::new();
    let mut say = |label: &str, value: Cell| lines.extend(labelled(label, value, width));
    let text = |value: &Value| Cell::from(value.as_str().unwrap_or_default());
    say("Name:", text(&rollout["metadata"]["name"]));
    say("Namespace:", text(&rollout["metadata"]["namespace"]));
    say("Status:", Cell::state(&standing.phase));
    for (index, message) in standing.message.lines().enumerate() {
        say(if index == 0 { "Message:" } else { "" }, message.into());
    }
    if !standing.why.is_empty() && standing.why != standing.message {
        say("Why:", standing.why.as_str().into());
    }
    if let Some(countdown) = standing.countdown(now) {
        say("Next:", countdown.into());
    }
    say("Strategy:", standing.strategy().into());
    if standing.is_canary {
        let (done, all) = standing.step.unwrap_or((0, 0));
        let (actual, wanted) = standing.weight.unwrap_or((0, 0));
        say("  Step:", format!("{done}/{all}").into());
        say("  SetWeight:", wanted.to_string().into());
        say("  ActualWeight:", actual.to_string().into());
    }
    for (index, (image, hue)) in images(family).into_iter().enumerate() {
        say(if index == 0 { "Images:" } else { "" }, Cell::new(image, hue));
    }
    let count = |value: &Value| Cell::from(value.as_i64().unwrap_or(0).to_string());
    say("Replicas:", Cell::from(""));
    say("  Desired:", rollout["spec"]["replicas"].as_i64().unwrap_or(1).to_string().into());
    say("  Current:", count(&status["replicas"]));
    say("  Updated:", count(&status["updatedReplicas"]));
    say("  Ready:", count(&status["readyReplicas"]));
    say("  Available:", count(&status["availableReplicas"]));
    let measured = measurements(family);
    if !measured.is_empty() {
        lines.push(Vec::new());
        lines.extend(measured);
    }
    lines.push(Vec::new());
    lines.extend(tree::of_rollout(family, now));
    lines
}

/// Images of the revisions that have a role or pods, and of which they are.
fn images(family: &Family) -> Vec<(String, Hue)> {
    let mut images: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for set in &family.sets {
        let roles = tree::roles(&family.rollout, set);
        if roles.is_empty() && set["status"]["replicas"].as_i64().unwrap_or(0) == 0 {
            continue;
        }
        let containers = set.pointer("/spec/template/spec/containers").and_then(Value::as_array);
        for image in containers.into_iter().flatten().filter_map(|container| container["image"].as_str()) {
            images.entry(image).or_default().extend(&roles);
        }
    }
    let told = |(image, roles): (&str, BTreeSet<&str>)| {
        let hue = match roles.first() {
            Some(&("canary" | "preview")) => Hue::Waiting,
            Some(_) => Hue::Good,
            None => Hue::Plain,
        };
        let roles = roles.into_iter().collect::<Vec<_>>().join(", ");
        (if roles.is_empty() { image.to_owned() } else { format!("{image} ({roles})") }, hue)
    };
    images.into_iter().map(told).collect()
}

/// The runs of the revision that is being released, or was last.
pub(crate) fn current_runs(family: &Family) -> impl Iterator<Item = &Value> {
    let current = family.rollout["status"]["currentPodHash"].as_str();
    family.runs.iter().filter(move |run| current.is_some() && hash(run) == current)
}

fn measurements(family: &Family) -> Vec<Vec<Cell>> {
    let mut rows: Vec<Vec<Cell>> = current_runs(family).flat_map(evidence::of_run).map(|one| row(&one)).collect();
    if !rows.is_empty() {
        rows.insert(0, ["METRIC", "STATUS", "VALUE", "LIMIT", "MEASURED"].map(Cell::from).to_vec());
    }
    table(rows)
}

pub(crate) fn row(evidence: &Evidence) -> Vec<Cell> {
    let Evidence { metric, phase, value, limit, measured, counts, .. } = evidence;
    let or_dash = |text: &str| Cell::from(if text.is_empty() { "-" } else { text });
    let value = Cell::new(or_dash(value).text, sign(phase).1);
    let told = if *measured > 0 { format!("{measured} ({})", counts.told()) } else { "none yet".to_owned() };
    vec![metric.as_str().into(), Cell::state(phase), value, or_dash(limit), told.into()]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::text::{Style, joined};
    use super::*;

    fn set(name: &str, uid: &str, revision: i32, image: &str, wanted: i32) -> Value {
        json!({
            "metadata": {
                "name": format!("shop-{name}"), "uid": uid, "creationTimestamp": "2026-01-01T00:00:00Z",
                "labels": {"rollouts-pod-template-hash": name}, "annotations": {"rollout.argoproj.io/revision": revision.to_string()},
                "ownerReferences": [{"uid": "r", "controller": true}],
            },
            "spec": {"replicas": wanted, "template": {"spec": {"containers": [{"name": "web", "image": image}]}}},
            "status": {"replicas": wanted, "availableReplicas": 4.min(wanted)},
        })
    }

    fn family() -> Family {
        let rollout = json!({
            "metadata": {"name": "shop", "namespace": "demo", "uid": "r", "generation": 3, "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"replicas": 5, "strategy": {"canary": {"steps": [{"setWeight": 20}, {"pause": {"duration": "10m"}}]}}},
            "status": {
                "observedGeneration": "3", "phase": "Paused", "message": "CanaryPauseStep", "currentStepIndex": 1,
                "pauseConditions": [{"reason": "CanaryPauseStep"}], "controllerPause": true, "currentPodHash": "new", "stableRS": "old",
                "why": "step 1 of 2: pause for 10m", "nextTransitionTime": "2026-01-01T00:10:00Z", "columns": {"weight": "20/20"},
                "replicas": 5, "updatedReplicas": 1, "readyReplicas": 5, "availableReplicas": 5,
            },
        });
        let pod = json!({
            "metadata": {"name": "shop-new-abc", "creationTimestamp": "2026-01-01T00:00:00Z", "ownerReferences": [{"uid": "s2", "controller": true}]},
            "spec": {"containers": [{}]},
            "status": {"phase": "Pending", "containerStatuses": [{"ready": false, "restartCount": 2, "state": {"waiting": {"reason": "ImagePullBackOff"}}}]},
        });
        let run = json!({
            "metadata": {
                "name": "shop-new-2", "uid": "a", "creationTimestamp": "2026-01-01T00:00:00Z", "ownerReferences": [{"uid": "r", "controller": true}],
                "labels": {"rollouts-pod-template-hash": "new"}, "annotations": {"rollout.argoproj.io/revision": "2"},
            },
            "spec": {"metrics": [{"name": "error-rate", "failureCondition": "result[0] > 0.05"}]},
            "status": {"phase": "Running", "metricResults": [{"name": "error-rate", "phase": "Running", "successful": 4, "measurements": [{"value": "[0.01]"}]}]},
        });
        let sets = vec![set("old", "s1", 1, "shop:1.0", 4), set("new", "s2", 2, "shop:2.0", 1)];
        Family { rollout, sets, pods: vec![pod], runs: vec![run], ..Family::default() }
    }

    #[test]
    fn the_page_is_the_one_that_people_know_and_says_why() {
        let now = "2026-01-01T00:05:00Z".parse().expect("a time");
        let expected = "\
Name:            shop
Namespace:       demo
Status:          ॥ Paused
Message:         CanaryPauseStep
Why:             step 1 of 2: pause for 10m
Next:            in 5m (at 00:10:00 UTC)
Strategy:        Canary
  Step:          1/2
  SetWeight:     20
  ActualWeight:  20
Images:          shop:1.0 (stable)
                 shop:2.0 (canary)
Replicas:
  Desired:       5
  Current:       5
  Updated:       1
  Ready:         5
  Available:     5

METRIC      STATUS     VALUE   LIMIT                  MEASURED
error-rate  ✔ Running  [0.01]  bad: result[0] > 0.05  4 (✔ 4)

NAME                       KIND         STATUS              AGE  INFO
⟳ shop                     Rollout      ॥ Paused            5m
├──# revision:2
│  ├──⧉ shop-new           ReplicaSet   ✔ Healthy           5m   canary
│  │  └──□ shop-new-abc    Pod          ⚠ ImagePullBackOff  5m   ready:0/1,restarts:2
│  └──α shop-new-2         AnalysisRun  ✔ Running           5m   ✔ 4
└──# revision:1
   └──⧉ shop-old           ReplicaSet   ✔ Healthy           5m   stable
";
        let page = joined(&rollout(&family(), now, None), Style::default());
        assert_eq!(without_gaps(&page), without_gaps(expected));
        assert!(
            page.contains("\n│  │  └──□ shop-new-abc  Pod          ⚠ ImagePullBackOff  5m   ready:0/1,restarts:2\n"),
            "{page}"
        );
    }

    /// Widths of columns are what `table` is tested for.
    fn without_gaps(page: &str) -> Vec<Vec<&str>> {
        page.lines().map(|line| line.split_whitespace().collect()).collect()
    }

    #[test]
    fn an_object_without_anything_is_a_page_too() {
        let family = Family { rollout: json!({"metadata": {"name": "shop"}}), ..Family::default() };
        let page = joined(&rollout(&family, Timestamp::UNIX_EPOCH, Some(10)), Style::default());
        assert!(page.contains("waiting for rollout"), "{page}");
    }
}
