//! The verdict on a metric: each rule, and which one wins.

use serde_json::{Value, json};

use crate::support::{Story, metric};

struct Row {
    case: &'static str,
    fields: Value,
    /// What is measured: good, bad, inconclusive, error, nothing.
    measured: &'static str,
    phase: &'static str,
    /// Attempts until the verdict.
    attempts: usize,
    message: &'static str,
}

fn check(rows: &[Row]) {
    for row in rows {
        let story = Story::new(&[metric("m", row.fields.clone())], json!({})).script("m", row.measured).play(3_600);
        assert_eq!(story.phase(), row.phase, "{}: {}", row.case, story.message());
        assert_eq!(story.message(), row.message, "{}", row.case);
        assert_eq!(story.asked["m"].len(), row.attempts, "{}", row.case);
    }
}

#[test]
fn count_and_interval_say_how_often_is_measured() {
    check(&[
        Row {
            case: "once by default",
            fields: json!({}),
            measured: "g",
            phase: "Successful",
            attempts: 1,
            message: "",
        },
        Row {
            case: "as often as count says",
            fields: json!({"count": 3, "interval": "10s"}),
            measured: "g",
            phase: "Successful",
            attempts: 3,
            message: "",
        },
        Row {
            case: "count as a text",
            fields: json!({"count": "3", "interval": "10s"}),
            measured: "g",
            phase: "Successful",
            attempts: 3,
            message: "",
        },
        Row {
            case: "without an end, with only an interval",
            fields: json!({"interval": "10m"}),
            measured: "g",
            phase: "Running",
            attempts: 7,
            message: "",
        },
        Row {
            case: "errors don't count",
            fields: json!({"count": 2, "interval": "10s"}),
            measured: "eegeeg",
            phase: "Successful",
            attempts: 6,
            message: "",
        },
    ]);
}

#[test]
fn failures_are_borne_up_to_their_limit() {
    check(&[
        Row {
            case: "none by default, at the first bad sample",
            fields: json!({"count": 5, "interval": "10s"}),
            measured: "gb",
            phase: "Failed",
            attempts: 2,
            message: "Metric \"m\" assessed Failed due to failed (1) > failureLimit (0): m 0.2 > 0.1",
        },
        Row {
            case: "one more than the limit",
            fields: json!({"count": 5, "interval": "10s", "failureLimit": 2}),
            measured: "bgbgb",
            phase: "Failed",
            attempts: 5,
            message: "Metric \"m\" assessed Failed due to failed (3) > failureLimit (2): m 0.2 > 0.1",
        },
        Row {
            case: "as many as the limit",
            fields: json!({"count": 5, "interval": "10s", "failureLimit": 2}),
            measured: "bgbgg",
            phase: "Successful",
            attempts: 5,
            message: "",
        },
        Row {
            case: "any number with -1",
            fields: json!({"count": 3, "interval": "10s", "failureLimit": -1}),
            measured: "b",
            phase: "Successful",
            attempts: 3,
            message: "",
        },
    ]);
}

#[test]
fn failures_in_a_row_end_a_metric_where_single_ones_do_not() {
    check(&[
        Row {
            case: "three in a row",
            fields: json!({"count": 10, "interval": "30s", "consecutiveFailureLimit": 3}),
            measured: "bbgbbb",
            phase: "Failed",
            attempts: 6,
            message: "Metric \"m\" assessed Failed due to consecutiveFailures (3) reached consecutiveFailureLimit (3): m 0.2 > 0.1",
        },
        Row {
            case: "never three in a row",
            fields: json!({"count": 6, "interval": "30s", "consecutiveFailureLimit": 3}),
            measured: "bbgbbg",
            phase: "Successful",
            attempts: 6,
            message: "",
        },
        Row {
            case: "an error in between says nothing about the value",
            fields: json!({"count": 6, "interval": "30s", "consecutiveFailureLimit": 3}),
            measured: "bbeb",
            phase: "Failed",
            attempts: 4,
            message: "Metric \"m\" assessed Failed due to consecutiveFailures (3) reached consecutiveFailureLimit (3): m 0.2 > 0.1",
        },
        Row {
            case: "beside a limit for all",
            fields: json!({"count": 6, "interval": "30s", "consecutiveFailureLimit": 3, "failureLimit": 1}),
            measured: "bgb",
            phase: "Failed",
            attempts: 3,
            message: "Metric \"m\" assessed Failed due to failed (2) > failureLimit (1): m 0.2 > 0.1",
        },
    ]);
}

#[test]
fn inconclusive_measurements_are_borne_up_to_their_limit() {
    let sentence = "m 0.07 is not < 0.05: neither good nor bad";
    assert_eq!(sentence.len(), 42);
    check(&[
        Row {
            case: "none by default",
            fields: json!({"count": 5, "interval": "10s"}),
            measured: "gi",
            phase: "Inconclusive",
            attempts: 2,
            message: "Metric \"m\" assessed Inconclusive due to inconclusive (1) > inconclusiveLimit (0): m 0.07 is not < 0.05: neither good nor bad",
        },
        Row {
            case: "within the limit",
            fields: json!({"count": 3, "interval": "10s", "inconclusiveLimit": 2}),
            measured: "igi",
            phase: "Successful",
            attempts: 3,
            message: "",
        },
    ]);
}

#[test]
fn errors_in_a_row_end_a_metric_and_single_ones_do_not() {
    check(&[
        Row {
            case: "the fifth by default",
            fields: json!({"count": 5, "interval": "10s"}),
            measured: "ge",
            phase: "Error",
            attempts: 6,
            message: "Metric \"m\" assessed Error due to consecutiveErrors (5) > consecutiveErrorLimit (4): HTTP 503",
        },
        Row {
            case: "a good one in between begins a new row",
            fields: json!({"count": 3, "interval": "10s", "consecutiveErrorLimit": 1}),
            measured: "egegeg",
            phase: "Successful",
            attempts: 6,
            message: "",
        },
        Row {
            case: "so does a bad one",
            fields: json!({"count": 2, "interval": "10s", "consecutiveErrorLimit": 1, "failureLimit": 2}),
            measured: "ebeb",
            phase: "Successful",
            attempts: 4,
            message: "",
        },
        Row {
            case: "none with 0",
            fields: json!({"consecutiveErrorLimit": 0}),
            measured: "e",
            phase: "Error",
            attempts: 1,
            message: "Metric \"m\" assessed Error due to consecutiveErrors (1) > consecutiveErrorLimit (0): HTTP 503",
        },
    ]);
}

#[test]
fn successes_in_a_row_are_enough_where_the_user_says_so() {
    let limit = |count: Option<i64>, more: Value| {
        let mut fields = json!({"interval": "10s", "consecutiveSuccessLimit": 3, "failureLimit": -1});
        if let (Some(fields), Value::Object(more)) = (fields.as_object_mut(), more) {
            fields.extend(more);
            fields.extend(count.map(|count| ("count".to_owned(), json!(count))));
        }
        fields
    };
    check(&[
        Row {
            case: "three in a row",
            fields: limit(None, json!({})),
            measured: "ggbggg",
            phase: "Successful",
            attempts: 6,
            message: "",
        },
        Row {
            case: "an error begins a new row",
            fields: limit(None, json!({})),
            measured: "ggeggg",
            phase: "Successful",
            attempts: 6,
            message: "",
        },
        Row {
            case: "an inconclusive one too",
            fields: limit(None, json!({"inconclusiveLimit": 5})),
            measured: "ggiggg",
            phase: "Successful",
            attempts: 6,
            message: "",
        },
        Row {
            case: "not reached at the end, and failures don't matter",
            fields: limit(Some(4), json!({})),
            measured: "ggbg",
            phase: "Failed",
            attempts: 4,
            message: "Metric \"m\" assessed Failed due to consecutiveSuccess (1) < consecutiveSuccessLimit (3) after the last measurement",
        },
        Row {
            case: "neither limit reached at the end",
            fields: limit(Some(5), json!({"failureLimit": 2})),
            measured: "ggbgg",
            phase: "Inconclusive",
            attempts: 5,
            message: "Metric \"m\" assessed Inconclusive due to consecutiveSuccess (2) < consecutiveSuccessLimit (3) after the last measurement",
        },
    ]);
}

#[test]
fn an_error_wins_over_inconclusive_and_that_over_failed() {
    // One attempt passes several limits at once only when they change under a run, so the counters are given.
    let rows = [
        (json!({"failed": 1, "inconclusive": 1, "consecutiveError": 5}), "Error"),
        (json!({"failed": 1, "inconclusive": 1}), "Inconclusive"),
        (json!({"failed": 1, "consecutiveSuccess": 3}), "Failed"),
        (json!({"consecutiveSuccess": 3}), "Successful"),
    ];
    for (counters, phase) in rows {
        let fields = json!({"interval": "10s", "consecutiveSuccessLimit": 3});
        let mut story = Story::new(&[metric("m", fields)], json!({}));
        let mut result = json!({
            "name": "m", "phase": "Running",
            "measurements": [{"phase": "Successful", "finishedAt": "2026-01-01T11:59:59Z"}],
        });
        if let (Some(result), Value::Object(counters)) = (result.as_object_mut(), counters.clone()) {
            result.extend(counters);
        }
        let status = json!({"phase": "Running", "metricResults": [result]});
        story.run.status = Some(serde_json::from_value(status).expect("a status"));
        let story = story.script("m", "g").play(0);
        assert_eq!(story.phase(), phase, "{counters}");
    }
}
