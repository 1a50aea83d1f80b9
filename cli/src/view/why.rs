//! `why`: one screen with the verdict, its evidence, what is wrong with pods, who did what last, and what helps.

use jiff::Timestamp;
use serde_json::Value;

use super::ages::age;
use super::evidence;
use super::page::{current_runs, row};
use super::standing::{Standing, Waits};
use super::text::{Cell, labelled, sign, table};
use super::tree::pod_status;
use crate::actions::Seen;
use crate::family::{Family, hash};

/// A pod that is not as it should be, and what was last said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) pod: String,
    pub(crate) state: String,
    pub(crate) said: String,
}

pub(crate) fn page(family: &Family, troubles: &[Trouble], now: Timestamp, width: Option<usize>) -> Vec<Vec<Cell>> {
    let (rollout, standing) = (&family.rollout, Standing::of(&family.rollout));
    let name = rollout["metadata"]["name"].as_str().unwrap_or_default();
    let mut lines = Vec::new();
    let (icon, hue) = sign(&standing.phase);
    lines.push(vec![Cell::new(format!("{icon} {name} is {}", standing.phase), hue)]);
    for sentence in verdict(rollout, &standing) {
        lines.extend(labelled("", sentence.into(), width).into_iter().map(|line| line.into_iter().skip(1).collect()));
    }
    if let Some(countdown) = standing.countdown(now) {
        let label = if standing.phase == "Paused" { "Goes on:" } else { "Judged again:" };
        lines.extend(labelled(label, countdown.into(), width));
    }
    let evidence: Vec<_> = current_runs(family).flat_map(evidence::of_run).collect();
    if !evidence.is_empty() {
        let header = ["METRIC", "STATUS", "VALUE", "LIMIT", "MEASURED"].map(Cell::from).to_vec();
        lines.push(Vec::new());
        lines.extend(table(std::iter::once(header).chain(evidence.iter().map(row)).collect()));
        for metric in evidence.iter().filter(|metric| !metric.message.is_empty()) {
            lines.extend(labelled(&format!("  {}:", metric.metric), metric.message.as_str().into(), width));
        }
    }
    if !troubles.is_empty() {
        lines.push(Vec::new());
        let rows = troubles.iter().map(|Trouble { pod, state, said }| {
            vec![Cell::from(pod.as_str()), Cell::state(state), said.as_str().into()]
        });
        lines.extend(table(
            std::iter::once(["POD", "STATE", "LAST EVENT"].map(Cell::from).to_vec()).chain(rows).collect(),
        ));
    }
    let history = last_ends(rollout, now);
    if !history.is_empty() {
        lines.push(Vec::new());
        lines.extend(table(history));
    }
    lines.push(Vec::new());
    for (index, help) in helps(name, &standing, Seen(rollout)).into_iter().enumerate() {
        lines.extend(labelled(if index == 0 { "What helps:" } else { "" }, help.into(), width));
    }
    lines
}

/// The controller's sentence, and the evidence against a version that was taken back; the message of the phase only
/// where a controller keeps no sentences.
fn verdict(rollout: &Value, standing: &Standing) -> Vec<String> {
    let known = [standing.why.as_str(), evidence_against(rollout).unwrap_or_default()];
    let mut sentences: Vec<String> = known.into_iter().filter(|one| !one.is_empty()).map(str::to_owned).collect();
    if sentences.is_empty() {
        let message = standing.message.as_str();
        sentences.push(if message.is_empty() { "nothing is being released" } else { message }.to_owned());
    }
    sentences
}

/// Why the version that the spec asks for was taken back.
fn evidence_against(rollout: &Value) -> Option<&str> {
    let rejected = rollout["status"]["rejected"].as_array()?.first()?;
    let is_current = rejected["podHash"] == rollout["status"]["currentPodHash"];
    rejected["reason"].as_str().filter(|reason| is_current && !reason.is_empty())
}

fn last_ends(rollout: &Value, now: Timestamp) -> Vec<Vec<Cell>> {
    let outcomes = rollout["status"]["history"].as_array().map_or(&[][..], Vec::as_slice);
    let text = |value: &Value| Cell::from(value.as_str().filter(|text| !text.is_empty()).unwrap_or("-"));
    let above = evidence_against(rollout);
    let rows = outcomes.iter().take(3).map(|one| {
        let is_said = above.is_some() && one["why"].as_str() == above;
        let revision = one["revision"].as_i64().map_or_else(|| "-".to_owned(), |number| number.to_string());
        let result = one["result"].as_str().unwrap_or("-");
        let ended = format!("{} ago", age(&one["to"], now));
        vec![
            revision.into(),
            Cell::new(result, sign(result).1),
            ended.into(),
            text(&one["who"]),
            if is_said { "as above".into() } else { text(&one["why"]) },
        ]
    });
    let rows: Vec<_> = rows.collect();
    let header = ["REVISION", "ENDED AS", "WHEN", "WHO", "WHY"].map(Cell::from).to_vec();
    if rows.is_empty() { rows } else { std::iter::once(header).chain(rows).collect() }
}

/// What a person can do now.
fn helps(name: &str, standing: &Standing, seen: Seen<'_>) -> Vec<String> {
    let all: &[&str] = match (standing.phase.as_str(), standing.waits) {
        _ if seen.is_aborted() => &[
            "apply a version that is mended: it is released like any other",
            "to run this version again: sluice retry rollout {}",
            "to go back in the spec too, where Git doesn't hold it: sluice undo {}",
        ],
        ("Paused", Waits::Verdict) => {
            &["to count the analysis as good: sluice promote {}", "to take the version back: sluice abort {}"]
        }
        ("Paused", Waits::Person) if seen.is_paused_by_spec() => &["to go on where it was paused: sluice resume {}"],
        ("Paused", Waits::Person) => {
            &["to go on to the next step: sluice promote {}", "to take the version back: sluice abort {}"]
        }
        ("Paused", _) => &[
            "nothing is needed: it goes on by itself",
            "to go on at once: sluice promote {}",
            "to take the version back: sluice abort {}",
        ],
        ("Progressing", _) => {
            &["nothing is needed while pods come up and analyses measure", "to take the version back: sluice abort {}"]
        }
        ("Degraded", _) => &[
            "mend what is named above; sluice lint -f FILE finds mistakes in manifests",
            "to take the version back: sluice abort {}",
        ],
        _ => &["nothing is needed"],
    };
    all.iter().map(|help| help.replace("{}", name)).collect()
}

/// Pods of the revision that is being released that are not what they should be.
pub(crate) fn troubled(family: &Family) -> Vec<&Value> {
    let current = family.rollout["status"]["currentPodHash"].as_str();
    let of_release = family.pods.iter().filter(|pod| current.is_some() && hash(pod) == current);
    let is_ready = |pod: &Value| {
        let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
        conditions.into_iter().any(|one| one["type"] == "Ready" && one["status"] == "True")
    };
    of_release.filter(|pod| !is_ready(pod)).collect()
}

/// A pod and the events about it, the latest last.
pub(crate) fn trouble(pod: &Value, events: &[Value]) -> Trouble {
    let when = |event: &Value| {
        let fields = ["lastTimestamp", "eventTime", "firstTimestamp"];
        fields.into_iter().find_map(|field| event[field].as_str().map(str::to_owned)).unwrap_or_default()
    };
    let warnings = events.iter().filter(|event| event["type"] == "Warning");
    let latest = warnings.max_by_key(|event| when(event)).or_else(|| events.iter().max_by_key(|event| when(event)));
    let said = latest.map(|event| {
        let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
        format!("{}: {}", text("reason"), text("message"))
    });
    let state = match pod_status(pod) {
        running if running == "Running" => "NotReady".to_owned(),
        other => other,
    };
    Trouble {
        pod: pod["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
        state,
        said: said.unwrap_or_else(|| "-".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::text::{Style, joined};
    use super::*;

    #[test]
    fn an_abort_is_explained_on_one_screen() {
        let rollout = json!({
            "metadata": {"name": "shop", "generation": 1},
            "spec": {"strategy": {"canary": {"steps": [{"setWeight": 20}]}}},
            "status": {
                "observedGeneration": "1", "phase": "Degraded", "message": "RolloutAborted: Rollout aborted update to revision 2",
                "abort": true, "currentPodHash": "n", "stableRS": "o", "why": "aborted: revision 2 is taken back",
                "rejected": [{"podHash": "n", "reason": "error-rate [0.2], at step 1/1"}],
                "history": [{"revision": 2, "result": "Aborted", "to": "2026-01-01T00:00:00Z", "why": "error-rate [0.2], at step 1/1"}],
            },
        });
        let run = json!({
            "metadata": {"labels": {"rollouts-pod-template-hash": "n"}},
            "spec": {"metrics": [{"name": "error-rate", "failureCondition": "result[0] > 0.05"}]},
            "status": {"metricResults": [{"name": "error-rate", "phase": "Failed", "failed": 2, "message": "2 bad measurements, 1 is borne", "measurements": [{"value": "[0.2]"}]}]},
        });
        let pod = json!({"metadata": {"name": "shop-n-1"}, "status": {"phase": "Running"}});
        let event = json!({"type": "Warning", "reason": "Unhealthy", "message": "Readiness probe failed", "lastTimestamp": "2026-01-01T00:00:00Z"});
        let family = Family { rollout, runs: vec![run], ..Family::default() };
        let now = "2026-01-01T00:01:00Z".parse().expect("a time");
        let expected = "\
✖ shop is Degraded
aborted: revision 2 is taken back
error-rate [0.2], at step 1/1

METRIC      STATUS    VALUE  LIMIT                  MEASURED
error-rate  ✖ Failed  [0.2]  bad: result[0] > 0.05  2 (✖ 2)
  error-rate:    2 bad measurements, 1 is borne

POD       STATE       LAST EVENT
shop-n-1  ◌ NotReady  Unhealthy: Readiness probe failed

REVISION  ENDED AS  WHEN     WHO  WHY
2         Aborted   60s ago  -    as above

What helps:      apply a version that is mended: it is released like any other
                 to run this version again: sluice retry rollout shop
                 to go back in the spec too, where Git doesn't hold it: sluice undo shop
";
        assert_eq!(joined(&page(&family, &[trouble(&pod, &[event])], now, None), Style::default()), expected);
    }
}
