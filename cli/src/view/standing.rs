//! How a Rollout stands, as its status says it.

use jiff::Timestamp;
use serde_json::Value;

use super::ages::{length, time};
use crate::actions::Seen;

/// What a release that is paused waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    /// It is not paused.
    No,
    /// The end of a pause with a length.
    Time,
    /// A person who promotes or resumes it.
    Person,
    /// A person who judges what an analysis could not tell.
    Verdict,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) phase: String,
    pub(crate) message: String,
    /// The controller's sentence with its numbers; empty where it keeps none.
    pub(crate) why: String,
    pub(crate) waits: Waits,
    pub(crate) is_canary: bool,
    /// Steps done, of all.
    pub(crate) step: Option<(usize, usize)>,
    /// Share of the new revision as it is, and as it is wanted.
    pub(crate) weight: Option<(i64, i64)>,
    pub(crate) next: Option<Timestamp>,
}

impl Standing {
    pub(crate) fn of(rollout: &Value) -> Self {
        let (seen, status) = (Seen(rollout), &rollout["status"]);
        let text = |field: &str| status[field].as_str().unwrap_or_default().to_owned();
        let (phase, message) = if !seen.is_observed() {
            ("Progressing".to_owned(), "waiting for rollout spec update to be observed".to_owned())
        } else if status["controllerPause"] == true && seen.pause_reason().is_none() && !seen.is_paused_by_spec() {
            ("Progressing".to_owned(), "waiting for rollout to unpause".to_owned())
        } else {
            (text("phase"), text("message"))
        };
        let waits = if phase == "Paused" { waits(seen) } else { Waits::No };
        let count = seen.steps().len();
        let step = (seen.is_canary() && count > 0).then(|| (seen.step().min(count), count));
        let next = time(&status["nextTransitionTime"]).filter(|_| seen.is_observed());
        let why = if seen.is_observed() { text("why") } else { String::new() };
        Self { phase, message, why, waits, is_canary: seen.is_canary(), step, weight: weight(rollout), next }
    }

    pub(crate) fn strategy(&self) -> &'static str {
        if self.is_canary { "Canary" } else { "BlueGreen" }
    }

    /// Whether the release is over: promoted or taken back, or stuck.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.phase.as_str(), "Healthy" | "Degraded")
    }

    /// When it goes on by itself, with a countdown.
    pub(crate) fn countdown(&self, now: Timestamp) -> Option<String> {
        let next = self.next?;
        let left = next.duration_since(now).as_secs();
        let when = next.strftime("%H:%M:%S UTC");
        Some(if left > 0 { format!("in {} (at {when})", length(left)) } else { format!("due since {when}") })
    }

    /// The sentence that says most.
    pub(crate) fn sentence(&self) -> &str {
        if self.why.is_empty() { &self.message } else { &self.why }
    }
}

fn waits(seen: Seen<'_>) -> Waits {
    let spec = &seen.0["spec"];
    match seen.pause_reason() {
        Some("InconclusiveAnalysisRun" | "InconclusiveExperiment") => Waits::Verdict,
        _ if seen.is_paused_by_spec() => Waits::Person,
        Some("CanaryPauseStep") => {
            let step = seen.steps().get(seen.step());
            if step.is_some_and(|step| !step["pause"]["duration"].is_null()) { Waits::Time } else { Waits::Person }
        }
        Some("BlueGreenPause") if spec["strategy"]["blueGreen"]["autoPromotionSeconds"].as_i64() > Some(0) => {
            Waits::Time
        }
        _ => Waits::Person,
    }
}

/// By the controller's own column; where it keeps none, by what it says of routers and pods.
fn weight(rollout: &Value) -> Option<(i64, i64)> {
    let (seen, status) = (Seen(rollout), &rollout["status"]);
    if !seen.is_canary() {
        return None;
    }
    let written = status["columns"]["weight"].as_str().and_then(|text| text.split_once('/'));
    if let Some((actual, wanted)) =
        written.and_then(|(actual, wanted)| Some((actual.parse().ok()?, wanted.parse().ok()?)))
    {
        return Some((actual, wanted));
    }
    let number = |value: &Value| value.as_i64();
    let wanted = if seen.is_stable() {
        100
    } else if seen.is_aborted() {
        0
    } else if seen.step() >= seen.steps().len() {
        100
    } else {
        let passed = seen.steps().get(..=seen.step()).unwrap_or_default();
        passed.iter().rev().find_map(|step| number(&step["setWeight"])).unwrap_or(0)
    };
    let routed = number(&status["canary"]["weights"]["canary"]["weight"]);
    let (updated, all) = (number(&status["updatedReplicas"]).unwrap_or(0), number(&status["replicas"]).unwrap_or(0));
    let by_pods = (updated * 100).checked_div(all).unwrap_or(0);
    Some((if seen.is_stable() { 100 } else { routed.unwrap_or(by_pods) }, wanted))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rollout(paused: bool, status: &Value) -> Value {
        json!({
            "metadata": {"generation": 2},
            "spec": {"paused": paused, "strategy": {"canary": {"steps": [{"setWeight": 20}, {"pause": {}}, {"pause": {"duration": "10m"}}]}}},
            "status": status,
        })
    }

    #[test]
    fn a_pause_says_whom_it_waits_for() {
        let paused = |reason: &str, step: i32| json!({"observedGeneration": "2", "phase": "Paused", "currentStepIndex": step, "controllerPause": true, "pauseConditions": [{"reason": reason}]});
        // (spec.paused, status → whom it waits for)
        let rows = [
            (false, paused("CanaryPauseStep", 1), Waits::Person),
            (false, paused("CanaryPauseStep", 2), Waits::Time),
            (true, paused("CanaryPauseStep", 2), Waits::Person),
            (false, paused("InconclusiveAnalysisRun", 2), Waits::Verdict),
            (false, json!({"observedGeneration": "2", "phase": "Progressing"}), Waits::No),
        ];
        for (is_paused, status, expected) in rows {
            assert_eq!(Standing::of(&rollout(is_paused, &status)).waits, expected, "{status}");
        }
    }

    #[test]
    fn a_spec_that_nobody_has_seen_yet_is_not_healthy() {
        let standing = Standing::of(&rollout(false, &json!({"observedGeneration": "1", "phase": "Healthy"})));
        assert_eq!(
            (standing.phase.as_str(), standing.message.as_str()),
            ("Progressing", "waiting for rollout spec update to be observed")
        );
    }

    #[test]
    fn weight_is_told_also_where_only_routers_and_pods_know() {
        let status = json!({"observedGeneration": "2", "currentPodHash": "n", "stableRS": "o", "currentStepIndex": 1});
        let with = |more: Value| {
            let mut status = status.clone();
            status.as_object_mut().expect("a map").append(&mut more.as_object().expect("a map").clone());
            Standing::of(&rollout(false, &status)).weight
        };
        assert_eq!(with(json!({"columns": {"weight": "15/20"}})), Some((15, 20)));
        assert_eq!(with(json!({"canary": {"weights": {"canary": {"weight": 10}}}})), Some((10, 20)));
        assert_eq!(with(json!({"updatedReplicas": 1, "replicas": 4})), Some((25, 20)));
        assert_eq!(with(json!({"abort": true, "updatedReplicas": 0, "replicas": 4})), Some((0, 0)));
    }
}
