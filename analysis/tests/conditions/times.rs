//! Dates and durations.

use crate::{answers, fails_for, holds, holds_for};

#[test]
fn durations_are_written_as_in_go() {
    holds(&[
        "duration('1h').Seconds() == 3600",
        "duration('90s') == duration('1m30s')",
        "duration('1h') > duration('59m')",
        "duration('1m') + duration('30s') == duration('90s')",
        "duration('1m') - duration('30s') == duration('30s')",
        "duration('1m') * 3 == duration('3m')",
        "3 * duration('1m') == duration('3m')",
        "duration('1h') * 1.5 == duration('90m')",
        "duration('1500ms').Milliseconds() == 1500",
        "duration('90m').Hours() == 1.5",
        "duration('90s').Minutes() == 1.5",
        "duration('1us').Nanoseconds() == 1000",
        "string(duration('90s')) == '1m30s'",
        "duration('90s').String() == '1m30s'",
    ]);
    answers(&[
        (
            "duration('5d') > duration('1h')",
            "1",
            "failure: column 1: \"5d\" is not a duration, there are no days; write 120h",
        ),
        ("duration('1h') > 5", "1", "mistake: column 16: > doesn't go with a duration and a whole number"),
        (
            "duration('1h') * duration('1h') > duration('1h')",
            "1",
            "mistake: column 16: * doesn't go with a duration and a duration",
        ),
        (
            "duration('2562047h') * 2 > duration('1h')",
            "1",
            "failure: column 22: this is beyond the durations and dates there are",
        ),
    ]);
}

#[test]
fn dates_are_read_in_the_usual_forms() {
    holds(&[
        "date('2023-08-14') == date('2023-08-14T00:00:00Z')",
        "date('2023-08-14 10:00:00') == date('2023-08-14T12:00:00+02:00')",
        "date('15:04:05').Hour() == 15",
        "date('15:04:05').Year() == 0",
        "date('14 Aug 23 10:00 UTC') == date('2023-08-14T10:00:00Z')",
        "date('Monday, 14-Aug-23 10:00:00 UTC') == date('2023-08-14T10:00:00Z')",
        "date('Mon, 14 Aug 2023 10:00:00 GMT').Unix() == 1692007200",
        "date('2023-08-14T10:00:00.5Z').UnixMilli() == 1692007200500",
        "date('12.3.2023', '2.1.2006') == date('2023-03-12')",
        "date('03/04/2023 05:06 PM', '01/02/2006 03:04 PM') == date('2023-03-04T17:06:00Z')",
        "date('20230814T100000', '20060102T150405') == date('2023-08-14 10:00:00')",
        "date('2023-08-14 00:00:00', '2006-01-02 15:04:05', 'UTC') == date('2023-08-14')",
        "string(date('2023-08-14 10:00:00')) == '2023-08-14 10:00:00 +0000 UTC'",
    ]);
    answers(&[
        (
            "date('2023-02-30') < now()",
            "1",
            "failure: column 1: \"2023-02-30\" is not a date; write it as 2006-01-02T15:04:05Z",
        ),
        (
            "date('2023-08-14', '2006-01-02', 'Europe/Zurich') < now()",
            "1",
            "failure: column 1: the only zone that date knows by its name is \"UTC\"; write the offset into the date",
        ),
    ]);
}

#[test]
fn now_is_the_time_of_the_judgement() {
    holds(&[
        "now().Year() == 2026",
        "now().Day() == 20",
        "now().Hour() == 12 && now().Minute() == 30 && now().Second() == 45",
        "now().YearDay() == 324",
        "now() - duration('1h') < now()",
        "now() - date('2026-11-20T12:30:00Z') == duration('45s')",
        "now().Sub(date('2026-11-20T12:30:00Z')).Seconds() == 45",
        "now().Add(duration('15s')) == date('2026-11-20T12:31:00Z')",
        "now().After(date('2020-01-01'))",
        "date('2020-01-01').Before(now())",
        "now() == now()",
    ]);
    holds_for(r#"{"at": "2026-11-20T12:30:00Z"}"#, &["date(result.at) > now() - duration('1m')"]);
    fails_for(r#"{"at": "2026-11-20T12:00:00Z"}"#, &["date(result.at) > now() - duration('1m')"]);
    answers(&[
        ("now().Hours() > 1", "1", "failure: column 7: a date has no Hours of this"),
        (
            "now().Secnods() > 1",
            "1",
            "mistake: column 7: dates and durations have no method \"Secnods\"; did you mean Seconds?",
        ),
        ("now(1) > now()", "1", "mistake: column 1: now takes 0 arguments, and 1 are given"),
        ("now() > 5", "1", "mistake: column 7: > doesn't go with a date and a whole number"),
        ("now() + now() > now()", "1", "mistake: column 7: + doesn't go with a date and a date"),
    ]);
}
