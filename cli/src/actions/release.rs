//! The verbs that steer a release, each a pure decision: promote, abort, retry, pause, resume, restart.

use jiff::Timestamp;
use serde_json::Value;

use super::change::{Decision, Part};
use super::seen::Seen;

/// Resumes a release that waits; without a wait it passes the step that is under way.
pub(crate) fn promote(seen: Seen<'_>) -> Decision {
    if seen.is_aborted() {
        return aborted("promote");
    }
    let unpause = seen.is_paused_by_spec().then(|| seen.change(Part::Spec).set("/spec/paused", false));
    let status = seen.change_of_step(Part::Status);
    let (status, note) = match seen.pause_reason() {
        Some("InconclusiveAnalysisRun") if seen.is_canary() => (Some(past_the_verdict(seen)), None),
        Some(_) => (Some(status.remove("/status/pauseConditions")), None),
        None if unpause.is_some() || seen.is_stable() => (None, None),
        None if !seen.steps().is_empty() && seen.step() < seen.steps().len() => {
            let (step, count) = (seen.step(), seen.steps().len());
            let what = described(&seen.steps()[step]);
            let note = format!("it was not paused: step {step} of {count} ({what}) is passed without waiting for it");
            (Some(status.set("/status/currentStepIndex", step + 1)), Some(note))
        }
        None => (None, None),
    };
    let changes: Vec<_> = status.into_iter().chain(unpause).collect();
    match (changes.is_empty(), seen.is_stable()) {
        (false, _) => Decision::Write { changes, done: "promoted".to_owned(), note },
        (true, true) => Decision::Nothing(format!("already promoted: {} is stable", seen.revision_named())),
        (true, false) => Decision::Nothing("not promoted: it waits for nobody; --full skips what is left".to_owned()),
    }
}

/// What a run could not tell, a person decides: the step counts as done.
fn past_the_verdict(seen: Seen<'_>) -> super::change::Change {
    let next = (seen.step() + 1).min(seen.steps().len());
    seen.change_of_step(Part::Status)
        .remove("/status/pauseConditions")
        .set("/status/controllerPause", false)
        .set("/status/currentStepIndex", next)
}

/// Skips all that is left.
pub(crate) fn promote_full(seen: Seen<'_>) -> Decision {
    let unpause = seen.is_paused_by_spec().then(|| seen.change(Part::Spec).set("/spec/paused", false));
    let full = !seen.is_stable() && !seen.is_promoted_full();
    let full = full.then(|| seen.change_of_release(Part::Status).set("/status/promoteFull", true));
    let changes: Vec<_> = full.into_iter().chain(unpause).collect();
    match (changes.is_empty(), seen.is_stable()) {
        (false, _) => Decision::write(changes, "fully promoted"),
        (true, true) => Decision::Nothing(format!("already promoted: {} is stable", seen.revision_named())),
        (true, false) => Decision::Nothing("already being promoted fully".to_owned()),
    }
}

pub(crate) fn abort(seen: Seen<'_>) -> Decision {
    if seen.is_stable() {
        return Decision::Nothing(format!(
            "not aborted: nothing is being released, {} is stable",
            seen.revision_named()
        ));
    }
    if seen.is_aborted() && !seen.is_promoted_full() {
        return Decision::Nothing("already aborted".to_owned());
    }
    Decision::write(vec![seen.change_of_release(Part::Status).set("/status/abort", true)], "aborted")
}

pub(crate) fn retry(seen: Seen<'_>) -> Decision {
    if !seen.is_aborted() {
        return Decision::Nothing("not retried: it is not aborted".to_owned());
    }
    Decision::write(vec![seen.change_of_release(Part::Status).set("/status/abort", false)], "retried")
}

pub(crate) fn pause(seen: Seen<'_>) -> Decision {
    if seen.is_paused_by_spec() {
        return Decision::Nothing("already paused".to_owned());
    }
    Decision::write(vec![seen.change(Part::Spec).set("/spec/paused", true)], "paused")
}

/// Takes `pause` back, and nothing else.
pub(crate) fn resume(seen: Seen<'_>) -> Decision {
    if seen.is_paused_by_spec() {
        return Decision::write(vec![seen.change(Part::Spec).set("/spec/paused", false)], "resumed");
    }
    let hint = if seen.pause_reason().is_some() { "; promote passes the pause that its steps ask for" } else { "" };
    Decision::Nothing(format!("not resumed: nobody has paused it{hint}"))
}

/// Pods that were created before then are replaced.
pub(crate) fn restart(seen: Seen<'_>, at: Timestamp, done: &str) -> Decision {
    let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
    Decision::write(vec![seen.change(Part::Spec).set("/spec/restartAt", at.to_string())], done)
}

/// `--if-step` and `--if-revision`: whether the release is where the person thinks it is.
pub(crate) fn guarded(seen: Seen<'_>, step: Option<usize>, revision: Option<u64>) -> Result<(), String> {
    if let Some(wanted) = step.filter(|wanted| *wanted != seen.step()) {
        return Err(format!("it is at step {}, not {wanted}; look again before you go on", seen.step()));
    }
    let there = seen.revision().unwrap_or("none");
    match revision.filter(|wanted| wanted.to_string() != there) {
        Some(wanted) => Err(format!("it is at revision {there}, not {wanted}; look again before you go on")),
        None => Ok(()),
    }
}

fn aborted(verb: &str) -> Decision {
    Decision::Refuse(format!(
        "it is aborted, so there is nothing to {verb}; \"retry rollout\" runs the release again, \"promote --full\" \
         skips its steps"
    ))
}

/// A step by its key and, where that is short, its value.
fn described(step: &Value) -> String {
    let Some((key, value)) = step.as_object().and_then(|step| step.iter().next()) else { return "empty".to_owned() };
    match value {
        Value::Number(number) => format!("{key}: {number}"),
        Value::Object(pause) if key == "pause" => {
            let duration =
                pause.get("duration").map(|text| text.as_str().map_or_else(|| text.to_string(), str::to_owned));
            duration.map_or_else(|| key.clone(), |duration| format!("{key}: {duration}"))
        }
        _ => key.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rollout(strategy: &Value, paused: bool, status: &Value) -> Value {
        json!({
            "metadata": {"uid": "u1", "generation": 2, "annotations": {"rollout.argoproj.io/revision": "3"}},
            "spec": {"strategy": strategy, "paused": paused},
            "status": status,
        })
    }

    fn canary() -> Value {
        json!({"canary": {"steps": [{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}]}})
    }

    /// `status` or `spec`, and the operations that change something.
    fn told(decision: &Decision) -> String {
        match decision {
            Decision::Nothing(why) => format!("nothing: {why}"),
            Decision::Refuse(why) => format!("refused: {why}"),
            Decision::Write { changes, done, note } => {
                let writes = changes.iter().flat_map(|change| {
                    let operations = change.operations().as_array().cloned().unwrap_or_default();
                    operations.into_iter().filter(|operation| operation["op"] != "test").map(|operation| {
                        let path = operation["path"].as_str().unwrap_or_default().to_owned();
                        if operation["op"] == "remove" {
                            format!("-{path}")
                        } else {
                            format!("{path}={}", operation["value"])
                        }
                    })
                });
                let noted = if note.is_some() { " (noted)" } else { "" };
                format!("{} → {done}{noted}", writes.collect::<Vec<_>>().join(" "))
            }
        }
    }

    #[test]
    fn each_verb_writes_what_it_says_and_nothing_twice() {
        let at = |step: i32| json!({"currentPodHash": "n", "stableRS": "o", "currentStepIndex": step});
        let and = |mut status: Value, more: Value| {
            status.as_object_mut().expect("a map").append(&mut more.as_object().expect("a map").clone());
            status
        };
        let waits = |reason: &str| json!({"pauseConditions": [{"reason": reason}], "controllerPause": true});
        let stable = json!({"currentPodHash": "n", "stableRS": "n", "currentStepIndex": 3});
        let aborted = json!({"abort": true, "abortedAt": "2026-01-01T00:00:00Z"});
        let blue_green = json!({"blueGreen": {"activeService": "shop"}});
        type Verb = fn(Seen<'_>) -> Decision;
        // (verb, strategy, spec.paused, status, what comes of it)
        let rows: Vec<(Verb, Value, bool, Value, &str)> = vec![
            (promote, canary(), false, and(at(1), waits("CanaryPauseStep")), "-/status/pauseConditions → promoted"),
            (
                promote,
                canary(),
                true,
                and(at(1), waits("CanaryPauseStep")),
                "-/status/pauseConditions /spec/paused=false → promoted",
            ),
            (promote, canary(), true, at(1), "/spec/paused=false → promoted"),
            (promote, canary(), false, at(0), "/status/currentStepIndex=1 → promoted (noted)"),
            (
                promote,
                canary(),
                false,
                and(at(1), waits("InconclusiveAnalysisRun")),
                "-/status/pauseConditions /status/controllerPause=false /status/currentStepIndex=2 → promoted",
            ),
            (
                promote,
                blue_green.clone(),
                false,
                and(at(0), waits("BlueGreenPause")),
                "-/status/pauseConditions → promoted",
            ),
            (
                promote,
                blue_green,
                false,
                at(0),
                "nothing: not promoted: it waits for nobody; --full skips what is left",
            ),
            (promote, canary(), false, stable.clone(), "nothing: already promoted: revision 3 is stable"),
            (promote_full, canary(), true, at(1), "/status/promoteFull=true /spec/paused=false → fully promoted"),
            (
                promote_full,
                canary(),
                false,
                and(at(1), json!({"promoteFull": true})),
                "nothing: already being promoted fully",
            ),
            (promote_full, canary(), false, stable.clone(), "nothing: already promoted: revision 3 is stable"),
            (abort, canary(), false, at(1), "/status/abort=true → aborted"),
            (abort, canary(), false, and(at(1), aborted.clone()), "nothing: already aborted"),
            (abort, canary(), false, stable, "nothing: not aborted: nothing is being released, revision 3 is stable"),
            (retry, canary(), false, and(at(0), aborted), "/status/abort=false → retried"),
            (retry, canary(), false, at(1), "nothing: not retried: it is not aborted"),
            (pause, canary(), false, at(1), "/spec/paused=true → paused"),
            (pause, canary(), true, at(1), "nothing: already paused"),
            (resume, canary(), true, at(1), "/spec/paused=false → resumed"),
            (
                resume,
                canary(),
                false,
                and(at(1), waits("CanaryPauseStep")),
                "nothing: not resumed: nobody has paused it; promote passes the pause that its steps ask for",
            ),
        ];
        for (verb, strategy, paused, status, expected) in rows {
            let rollout = rollout(&strategy, paused, &status);
            assert_eq!(told(&verb(Seen(&rollout))), expected, "{rollout}");
        }
    }

    #[test]
    fn an_aborted_release_is_not_promoted_silently() {
        let status = json!({"currentPodHash": "n", "stableRS": "o", "abort": true});
        let rollout = rollout(&canary(), false, &status);
        let refused = told(&promote(Seen(&rollout)));
        assert!(refused.starts_with("refused: it is aborted") && refused.contains("retry rollout"), "{refused}");
    }

    #[test]
    fn a_stale_terminal_moves_nothing() {
        let status = json!({"currentPodHash": "n", "stableRS": "o", "currentStepIndex": 2});
        let rollout = rollout(&canary(), false, &status);
        let seen = Seen(&rollout);
        assert_eq!(guarded(seen, Some(2), Some(3)), Ok(()));
        assert!(guarded(seen, Some(1), None).is_err_and(|why| why.starts_with("it is at step 2, not 1")));
        assert!(guarded(seen, None, Some(4)).is_err_and(|why| why.starts_with("it is at revision 3, not 4")));
        let Decision::Write { changes, .. } = promote(seen) else { panic!("it is promoted") };
        let tests: Vec<Value> =
            changes[0].operations().as_array().expect("operations").iter().take(3).cloned().collect();
        assert_eq!(tests[1], json!({"op": "test", "path": "/status/currentPodHash", "value": "n"}));
        assert_eq!(tests[2], json!({"op": "test", "path": "/status/currentStepIndex", "value": 2}));
    }
}
