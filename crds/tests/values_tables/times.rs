//! Times are read and printed as the API server does.

use sluice_crds::values::{micro_time, parse_time, seconds_time};

#[test]
fn a_time_is_printed_in_utc_without_fractions() {
    let table = [
        ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z", "2026-01-31T10:00:00.000000Z"),
        ("2026-01-31T10:00:00+02:00", "2026-01-31T08:00:00Z", "2026-01-31T08:00:00.000000Z"),
        ("2026-01-31T23:30:00-01:30", "2026-02-01T01:00:00Z", "2026-02-01T01:00:00.000000Z"),
        ("2026-01-31T10:00:00.999999999Z", "2026-01-31T10:00:00Z", "2026-01-31T10:00:00.999999Z"),
        ("2026-01-31T10:00:00,5Z", "2026-01-31T10:00:00Z", "2026-01-31T10:00:00.500000Z"),
        ("2026-01-31T10:00:00.1234567890123Z", "2026-01-31T10:00:00Z", "2026-01-31T10:00:00.123456Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
    ];
    for (text, seconds, micros) in table {
        let time = parse_time(text).expect(text);
        assert_eq!(seconds_time(time), seconds);
        assert_eq!(micro_time(time), micros);
    }
}

#[test]
fn what_the_api_server_refuses_is_refused_with_an_example() {
    let refused = [
        "",
        "now",
        "2026-01-31",
        "2026-01-31 10:00:00Z",
        "2026-01-31t10:00:00z",
        "2026-01-31T10:00:00",
        "2026-01-31T10:00Z",
        "2026-02-30T10:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T10:00:60Z",
        "2026-01-31T10:00:00.Z",
        "2026-01-31T10:00:00+0200",
        "20260131T100000Z",
        "2026-01-31T10:00:00Z[UTC]",
        "２026-01-31T10:00:00Z",
    ];
    for text in refused {
        let sentence = format!("{text:?} is not a time; write one like 2026-01-31T10:00:00Z");
        assert_eq!(parse_time(text), Err(sentence));
    }
}
