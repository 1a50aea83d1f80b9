//! Steps that a plugin carries out: when it is called, and what its answers do.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::fixture::{hash, now, rollout, set, snapshot, status_at, status_of};
use crate::plan;
use crate::plan::Plan;
use crate::plugins::{Answer, Reply};
use crate::snapshot::Snapshot;

const BEGAN: &str = "2026-01-01T11:00:00Z";
/// In seconds.
const BEGAN_AT: i64 = 1_767_265_200;

fn canary() -> Value {
    json!({"steps": [
        {"plugin": {"name": "team/checks", "config": {"limit": 3}}},
        {"plugin": {"name": "team/data"}},
        {"setWeight": 50},
    ]})
}

/// A release at a step, whose plugins have said this so far.
fn release(step: i32, plugins: &Value, more: &Value) -> Snapshot {
    let mut status = status_at(&canary(), step, more);
    status["canary"] = json!({"stepPluginStatuses": plugins});
    let sets = [set("web:1", 1, 10, 10, 10), set("web:2", 2, 0, 0, 0)];
    let mut snapshot = snapshot(&rollout(10, &canary(), &status), &sets, &[], &[]);
    snapshot.plugins = Arc::new(BTreeSet::from(["team/checks", "team/data"].map(str::to_owned)));
    snapshot
}

fn ran(index: i32, name: &str, more: &Value) -> Value {
    let mut status = json!({
        "index": index, "name": name, "operation": "Run", "phase": "Running", "startedAt": BEGAN, "executions": 1,
        "updatedAt": "2026-01-01T11:59:50Z", "backoff": "30s",
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        status[key] = value.clone();
    }
    status
}

fn begun() -> Value {
    json!({"index": 0, "name": "team/checks", "operation": "Run", "phase": "Running", "startedAt": BEGAN})
}

fn key(index: i32, operation: &str, tries: i32) -> String {
    format!("rollout-uid/{}/{index}/{operation}/{BEGAN_AT}/{tries}", hash("web:2"))
}

fn answered(mut snapshot: Snapshot, key: String, reply: Result<Value, &str>) -> Plan {
    let reply = reply.map_err(str::to_owned).and_then(|reply| Reply::read(&reply));
    snapshot.called = Some(Answer { key, reply, at: now() });
    plan(&snapshot, now())
}

/// What a plan makes of the plugins' statuses; those that are stored, where it changes nothing.
fn plugins(plan: &Plan) -> Value {
    status_of(plan, "canary").map_or(Value::Null, |canary| canary["stepPluginStatuses"].clone())
}

#[test]
fn a_step_is_written_down_before_its_plugin_is_called() {
    let first = plan(&release(0, &Value::Null, &json!({})), now());
    assert_eq!(first.call, None);
    let written = plugins(&first);
    assert_eq!((&written[0]["name"], &written[0]["phase"]), (&json!("team/checks"), &json!("Running")));
    let second = plan(&release(0, &json!([begun()]), &json!({})), now());
    let call = second.call.expect("a call");
    assert_eq!((call.plugin.as_str(), call.key), ("team/checks", key(0, "Run", 0)));
    assert_eq!(call.body["operation"], "Run");
    assert_eq!(call.body["config"], json!({"limit": 3}));
    assert_eq!(call.body["rollout"]["podTemplateHash"], hash("web:2"));
    assert_eq!(call.body["step"], json!({"index": 0, "count": 3}));
}

#[test]
#[expect(clippy::type_complexity, reason = "a table; its comment names the columns")]
fn an_answer_says_how_it_goes_on() {
    let large = json!({"phase": "Running", "status": "x".repeat(9_000)});
    // (answer → phase, message, asked again after)
    let rows: [(Result<Value, &str>, &str, Option<&str>, Option<&str>); 10] = [
        (Ok(json!({"phase": "Running", "message": "2 of 3"})), "Running", Some("2 of 3"), Some("30s")),
        (Ok(json!({"phase": "Running", "requeueAfter": "1m"})), "Running", None, Some("60s")),
        (Ok(json!({"phase": "Running", "requeueAfter": "1s"})), "Running", None, Some("10s")),
        (Ok(json!({"phase": "Successful"})), "Successful", None, None),
        (Ok(json!({"phase": "Failed", "message": "3 > 2"})), "Failed", Some("3 > 2"), None),
        (Ok(json!({"phase": "Error", "message": "busy"})), "Error", Some("busy"), Some("30s")),
        (Err("no answer within 10s"), "Error", Some("no answer within 10s"), Some("30s")),
        (
            Ok(json!({"phase": "Done"})),
            "Error",
            Some("phase \"Done\" is none of Running, Successful, Failed and Error"),
            Some("30s"),
        ),
        (
            Ok(json!({"phase": "Running", "requeueAfter": 5})),
            "Error",
            Some("requeueAfter: 5 is not a duration such as \"30s\""),
            Some("30s"),
        ),
        (
            Ok(large),
            "Error",
            Some("its status is larger than 8192 bytes, which a Rollout has no room for"),
            Some("30s"),
        ),
    ];
    for (reply, phase, message, again) in rows {
        let case = format!("{reply:?}");
        let plan = answered(release(0, &json!([begun()]), &json!({})), key(0, "Run", 0), reply);
        let status = &plugins(&plan)[0];
        let said = (status["phase"].as_str(), status["message"].as_str(), status["backoff"].as_str());
        assert_eq!(said, (Some(phase), message, again), "{case}");
        assert_eq!(status["executions"], 1, "{case}");
        assert_eq!(status["finishedAt"].is_null(), again.is_some(), "{case}");
        assert_eq!(plan.call, None, "{case}");
    }
}

#[test]
fn errors_in_a_row_are_answered_with_longer_pauses_and_one_good_answer_ends_the_row() {
    // (the last phase and pause → the next after an error, and after a word that it runs)
    for (phase, before, error, running) in
        [("Running", "60s", "30s", "30s"), ("Error", "30s", "60s", "30s"), ("Error", "240s", "300s", "30s")]
    {
        let stored = json!([ran(0, "team/checks", &json!({"phase": phase, "backoff": before}))]);
        let after =
            |reply| plugins(&answered(release(0, &stored, &json!({})), key(0, "Run", 1), reply))[0]["backoff"].clone();
        assert_eq!(after(Err("gone")), error, "{phase} {before}");
        assert_eq!(after(Ok(json!({"phase": "Running"}))), running, "{phase} {before}");
    }
}

#[test]
fn a_plugin_that_runs_is_asked_again_when_it_is_time_and_what_it_noted_is_given_back() {
    let waits = plan(&release(0, &json!([ran(0, "team/checks", &json!({}))]), &json!({})), now());
    assert_eq!((waits.call, waits.wake_at.map(|at| at.to_string())), (None, Some("2026-01-01T12:00:20Z".to_owned())));
    assert_eq!(
        waits.why,
        "step 1/3 (plugin: team/checks): waiting for plugin team/checks, which says Running; asked 1 times, next at \
         2026-01-01T12:00:20Z"
    );
    let noted = json!({"updatedAt": "2026-01-01T11:59:00Z", "status": {"id": 7}});
    let due = plan(&release(0, &json!([ran(0, "team/checks", &noted)]), &json!({})), now());
    let call = due.call.expect("a call");
    assert_eq!((call.key, &call.body["status"]), (key(0, "Run", 1), &json!({"id": 7})));
}

#[test]
fn an_answer_to_another_call_changes_nothing() {
    let plan = answered(
        release(0, &json!([begun()]), &json!({})),
        key(0, "Run", 4),
        Ok(json!({"phase": "Failed", "message": "old"})),
    );
    assert_eq!(plugins(&plan), Value::Null);
    assert!(plan.call.is_some());
}

#[test]
fn a_plugin_that_is_done_lets_the_next_step_begin_and_one_that_failed_takes_the_release_back() {
    let good =
        answered(release(0, &json!([begun()]), &json!({})), key(0, "Run", 0), Ok(json!({"phase": "Successful"})));
    assert_eq!(status_of(&good, "currentStepIndex"), Some(json!(1)));
    assert_eq!(plugins(&good)[1]["name"], "team/data", "which begins");
    let bad = Ok(json!({"phase": "Failed", "message": "error rate 4%"}));
    let bad = answered(release(0, &json!([begun()]), &json!({})), key(0, "Run", 0), bad);
    assert_eq!(status_of(&bad, "abort"), Some(json!(true)));
    let rejected = status_of(&bad, "rejected").expect("evidence");
    let reason = rejected[0]["reason"].as_str().unwrap_or_default();
    assert!(reason.starts_with("plugin team/checks failed: error rate 4%"), "{reason}");
}

#[test]
fn an_abort_tells_those_that_ran_the_last_one_first_and_gives_up_after_ten_tries() {
    let both =
        [ran(0, "team/checks", &json!({"phase": "Successful", "finishedAt": BEGAN})), ran(1, "team/data", &json!({}))];
    let aborted = json!({"abort": true, "abortedAt": "2026-01-01T11:59:00Z"});
    let first = plan(&release(0, &json!(both), &aborted), now());
    let begun = &plugins(&first)[2];
    assert_eq!((&begun["index"], &begun["operation"]), (&json!(1), &json!("Abort")));
    let abort = |more: &Value| {
        let mut status = ran(1, "team/data", &json!({"operation": "Abort", "phase": "Error", "updatedAt": BEGAN}));
        status["executions"] = more.clone();
        json!([both[0], both[1], status])
    };
    let called = plan(&release(0, &abort(&json!(3)), &aborted), now()).call.expect("a call");
    assert_eq!((called.plugin.as_str(), called.key), ("team/data", key(1, "Abort", 3)));
    let gives_up = answered(release(0, &abort(&json!(9)), &aborted), key(1, "Abort", 9), Err("gone"));
    assert!(plugins(&gives_up)[2]["finishedAt"].is_string());
    let mut over = abort(&json!(10));
    over[2]["finishedAt"] = json!(BEGAN);
    let next = plan(&release(0, &over, &aborted), now());
    assert_eq!((&plugins(&next)[3]["index"], &plugins(&next)[3]["operation"]), (&json!(0), &json!("Abort")));
}

#[test]
fn a_plugin_whose_step_is_skipped_while_it_runs_is_told_to_end() {
    let plan = plan(&release(0, &json!([ran(0, "team/checks", &json!({}))]), &json!({"promoteFull": true})), now());
    let ends = &plugins(&plan)[1];
    assert_eq!((&ends["index"], &ends["operation"]), (&json!(0), &json!("Terminate")));
}

#[test]
fn a_plugin_that_nobody_has_configured_is_refused_with_those_that_are_there() {
    // (configured, the end of the sentence)
    for (known, said) in [
        (vec![], "there are none; start it with --step-plugin NAME=URL"),
        (vec!["team/data", "a/b"], "there are a/b, team/data; start it with --step-plugin NAME=URL"),
    ] {
        let mut snapshot = release(0, &Value::Null, &json!({}));
        snapshot.plugins = Arc::new(known.into_iter().map(str::to_owned).collect());
        let plan = plan(&snapshot, now());
        let message = status_of(&plan, "message").unwrap_or_default();
        let named =
            "spec.strategy.canary.steps[0].plugin.name: \"team/checks\" is no plugin that this controller knows; ";
        let message = message.as_str().unwrap_or_default();
        assert!(message.contains(&format!("{named}{said}")), "{message}");
    }
}
