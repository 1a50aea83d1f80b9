//! Nothing measured is no verdict.

use serde_json::{Value, json};
use sluice_analysis::run::unmeasured;

use crate::support::{Story, metric};

fn story(fields: Value, measured: &str) -> Story {
    Story::new(&[metric("errors", fields)], json!({})).script("errors", measured).play(3_600)
}

#[test]
fn a_short_silence_neither_promotes_nor_aborts() {
    let story = story(json!({"count": 3, "interval": "10s"}), "gnnnngg");
    assert_eq!(story.phase(), "Successful", "{}", story.message());
    // Ten seconds to the next, then 10, 20, 40 and 80 while there is nothing.
    assert_eq!(story.asked["errors"], [0, 10, 20, 40, 80, 160, 170]);
    let result = story.result("errors");
    assert_eq!((result.count, result.error, result.consecutive_no_data), (Some(3), Some(4), Some(0)));
}

#[test]
fn a_long_silence_is_for_a_person_to_judge() {
    let story = story(json!({"count": 3, "interval": "10s"}), "n");
    assert_eq!(story.phase(), "Inconclusive");
    assert_eq!(story.took(), Some(150));
    assert_eq!(
        story.message(),
        "Metric \"errors\" assessed Inconclusive due to measurements without data in a row (5) > consecutiveErrorLimit (4): NoData: there is no element 0: there is none at all"
    );
    let measurement = story.result("errors").measurements.iter().flatten().next().expect("a measurement");
    assert_eq!(measurement.phase.as_ref().map(ToString::to_string).as_deref(), Some("Error"));
}

#[test]
fn a_server_that_is_gone_for_two_minutes_changes_nothing() {
    let story = story(json!({"count": 3, "interval": "10s"}), "geeeegg");
    assert_eq!(story.phase(), "Successful");
    assert_eq!(story.asked["errors"], [0, 10, 20, 40, 80, 160, 170]);
}

#[test]
fn an_empty_answer_ends_a_row_of_errors_because_the_server_answers() {
    let story = story(json!({"count": 1, "consecutiveErrorLimit": 2}), "eeneeg");
    assert_eq!(story.phase(), "Successful", "{}", story.message());
}

#[test]
fn errors_between_empty_answers_do_not_hide_how_long_it_is_silent() {
    let story = story(json!({"count": 1, "consecutiveErrorLimit": 2}), "nene");
    assert_eq!(story.phase(), "Error");
    let story = self::story(json!({"count": 1, "consecutiveErrorLimit": 2}), "nenen");
    assert_eq!(story.phase(), "Inconclusive", "{}", story.message());
}

#[test]
fn the_user_may_say_what_no_data_means() {
    let rows = [
        (json!({"onNoData": "success"}), "Successful", 1),
        (json!({"onNoData": "failure"}), "Failed", 1),
        (json!({"onNoData": "inconclusive"}), "Inconclusive", 1),
        (json!({"onNoData": "inconclusive", "count": 2, "interval": "10s", "inconclusiveLimit": 2}), "Successful", 2),
        // 0, 10, 30, 70, 150 and then every 80 seconds of an hour.
        (json!({"onNoData": "wait"}), "Running", 48),
    ];
    for (fields, phase, attempts) in rows {
        let story = story(fields.clone(), "n");
        assert_eq!(story.phase(), phase, "{fields}: {}", story.message());
        assert_eq!(story.asked["errors"].len(), attempts, "{fields}");
        let measurement = story.result("errors").measurements.iter().flatten().next().expect("a measurement");
        assert!(measurement.message.as_deref().is_some_and(|message| message.starts_with("NoData:")), "{fields}");
    }
}

#[test]
fn while_the_latest_attempt_measured_nothing_steps_wait_and_say_why() {
    let running = |measured: &str| story(json!({"interval": "2h", "onNoData": "wait"}), measured);
    assert_eq!(unmeasured(running("g").status()), None);
    assert_eq!(
        unmeasured(running("n").status()).as_deref(),
        Some("errors: NoData: there is no element 0: there is none at all")
    );
    let error = Story::new(&[metric("errors", json!({"interval": "2h"}))], json!({})).script("errors", "e").play(0);
    assert_eq!(unmeasured(error.status()).as_deref(), Some("errors: HTTP 503"));
    let dry = Story::new(&[metric("errors", json!({"interval": "2h"}))], json!({"dryRun": [{"metricName": "err"}]}));
    assert_eq!(unmeasured(dry.script("errors", "e").play(0).status()), None);
}

#[test]
fn a_server_that_drops_our_counters_changes_no_verdict() {
    // With the CRDs of Argo Rollouts, consecutiveNoData and consecutiveFailure are not stored.
    let mut story = Story::new(&[metric("errors", json!({"count": 3, "interval": "10s"}))], json!({}));
    let silent = json!({"phase": "Error", "message": "NoData: nothing", "finishedAt": "2026-01-01T11:00:00Z"});
    let status = json!({"phase": "Running", "startedAt": "2026-01-01T11:00:00Z", "metricResults": [{
        "name": "errors", "phase": "Running", "error": 4, "measurements": [silent, silent, silent, silent],
    }]});
    story.run.status = Some(serde_json::from_value(status).expect("a status"));
    let story = story.script("errors", "n").play(0);
    assert_eq!(story.phase(), "Inconclusive");
}
