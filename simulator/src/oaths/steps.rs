//! No step is skipped that nobody skipped, and none is passed before what it asks for is there.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{StatusWrite, seconds};

/// # Panics
/// The status passes a step too early.
pub(super) fn check(written: &StatusWrite<'_>) {
    let StatusWrite { spec, was, .. } = written;
    let canary = &spec["strategy"]["canary"];
    let hash = was["currentPodHash"].as_str().unwrap_or_default();
    let same = written.will_be("currentPodHash") == hash
        && written.will_be("currentStepHash") == was["currentStepHash"]
        && !hash.is_empty();
    let stable = was["stableRS"].as_str().unwrap_or_default();
    if !canary.is_object() || !same || !written.has_stable() || stable == hash || was["promoteFull"] == true {
        return;
    }
    let steps = canary["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
    let index = |value: &Value| value.as_u64().and_then(|at| usize::try_from(at).ok()).unwrap_or(0);
    let (from, to) = (index(&was["currentStepIndex"]), index(&written.will_be("currentStepIndex")));
    if to <= from || (from == 0 && was["currentStepIndex"].is_null()) {
        return;
    }
    assert!(spec["paused"] != true, "a step is passed although a person has paused the Rollout");
    assert!(was["abort"] != true, "promise 4: an aborted release goes on");
    for (at, step) in steps.iter().enumerate().take(to).skip(from) {
        pass(written, hash, at, step, at == from);
    }
    background(written, hash, from);
}

fn pass(written: &StatusWrite<'_>, hash: &str, at: usize, step: &Value, is_first: bool) {
    if let Some(pause) = step.get("pause") {
        let length = seconds(&pause["duration"]);
        let over = length == Some(0) || (is_first && is_over(written, length));
        assert!(over, "steps[{at}] {step} is passed before it is over");
    }
    if step.get("analysis").is_some() {
        let at = at.to_string();
        let mut runs = written.runs("Step", hash).filter(|run| run["metadata"]["labels"]["step-index"] == at.as_str());
        let passed = runs.any(|run| run["status"]["phase"] == "Successful");
        assert!(passed, "promise 9: steps[{at}] is passed and no analysis of it has succeeded");
    }
    if let Some(weight) = step["setWeight"].as_i64() {
        weigh(written, hash, at, weight);
    }
}

/// Somebody has ended the pause, or its time has.
fn is_over(written: &StatusWrite<'_>, length: Option<i64>) -> bool {
    let pauses = written.was["pauseConditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let began = pauses.first().and_then(|pause| pause["startTime"].as_str()?.parse::<Timestamp>().ok());
    match (began, length) {
        (None, _) => written.was["controllerPause"] == true,
        (Some(began), Some(length)) => began + SignedDuration::from_secs(length) <= written.now,
        (Some(_), None) => false,
    }
}

/// A new revision never passes a step on pods that were not available yet.
fn weigh(written: &StatusWrite<'_>, hash: &str, at: usize, weight: i64) {
    let canary = &written.spec["strategy"]["canary"];
    if canary["replicaProgressThreshold"].is_object() {
        return;
    }
    let replicas = written.replicas();
    let steps = canary["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
    let scale = steps.iter().take(at + 1).rev().map(|step| &step["setCanaryScale"]).find(|scale| scale.is_object());
    let explicit = scale.and_then(|scale| {
        scale["replicas"].as_i64().or_else(|| Some((replicas * scale["weight"].as_i64()? + 99) / 100))
    });
    let is_routed = canary["trafficRouting"].is_object();
    let by_weight = if is_routed { (replicas * weight + 99) / 100 } else { replicas * weight / 100 };
    let asked = explicit.filter(|_| is_routed).unwrap_or(by_weight);
    let proven = written.was["provenReplicas"].as_i64().unwrap_or(0).max(asked_now(written));
    let missing = if proven >= asked { canary["maxUnavailable"].as_i64().unwrap_or(asked / 4) } else { 0 };
    let available = written.available(hash);
    assert!(
        available + missing >= asked,
        "promise 3: steps[{at}] setWeight {weight} is passed with {available} of {asked} pods available"
    );
}

fn asked_now(written: &StatusWrite<'_>) -> i64 {
    written.will_be("provenReplicas").as_i64().unwrap_or(0)
}

/// While what is measured in the background says nothing good, nothing goes on.
fn background(written: &StatusWrite<'_>, hash: &str, from: usize) {
    let analysis = &written.spec["strategy"]["canary"]["analysis"];
    let starts_at = usize::try_from(analysis["startingStep"].as_u64().unwrap_or(0)).unwrap_or(0);
    if !analysis.is_object() || from < starts_at {
        return;
    }
    let name = &written.was["canary"]["currentBackgroundAnalysisRunStatus"]["name"];
    for run in written.runs("Background", hash).filter(|run| run["metadata"]["name"] == *name) {
        let phase = run["status"]["phase"].as_str().unwrap_or_default();
        assert!(
            !matches!(phase, "Failed" | "Error"),
            "promise 9: a step is passed although the background analysis is {phase}"
        );
        let results = run["status"]["metricResults"].as_array().map(Vec::as_slice).unwrap_or_default();
        for result in results {
            let measured = result["measurements"].as_array().and_then(|all| all.last());
            let blind = measured.is_some_and(|last| last["phase"] == "Error");
            assert!(!blind, "promise 9: a step is passed although the background analysis measured nothing");
        }
    }
}
