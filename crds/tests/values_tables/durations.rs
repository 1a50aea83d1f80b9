//! Durations mean what Go says they mean.

use crate::seeded::Seeded;
use serde_json::json;
use sluice_crds::values::{DurationString, GoDuration, PauseDuration};

const MINUTE: i64 = 60_000_000_000;

#[test]
fn a_duration_is_read_as_go_reads_it() {
    let table = [
        ("0", 0),
        ("-0", 0),
        ("+0", 0),
        ("0s", 0),
        ("30s", 30_000_000_000),
        ("10m", 10 * MINUTE),
        ("1h30m", 90 * MINUTE),
        ("1h1m1s1ms1us1ns", 3_661_001_001_001),
        ("1m1h", 61 * MINUTE),
        ("1s1s", 2_000_000_000),
        ("1.5h", 90 * MINUTE),
        (".5m", 30_000_000_000),
        ("5.m", 5 * MINUTE),
        ("+5m", 5 * MINUTE),
        ("-1.5s", -1_500_000_000),
        ("1µs", 1_000),
        ("1μs", 1_000),
        ("0.3333333333333333333h", 20 * MINUTE),
        ("0.1ns", 0),
        ("1.0000000000000000000000000000001s", 1_000_000_000),
        ("9223372036854775807ns", i64::MAX),
        ("-9223372036854775808ns", i64::MIN),
        ("9223372036.854775807s", i64::MAX),
        ("2562047h47m16.854775807s", i64::MAX),
    ];
    for (text, nanos) in table {
        assert_eq!(text.parse(), Ok(GoDuration::from_nanos(nanos)), "{text}");
    }
}

#[test]
fn what_go_refuses_is_refused_with_the_mend() {
    let table = [
        ("10x", r#""10x" is not a duration; write 30s, 10m or 1h"#),
        ("", r#""" is not a duration; write 30s, 10m or 1h"#),
        ("-", r#""-" is not a duration; write 30s, 10m or 1h"#),
        (".", r#""." is not a duration; write 30s, 10m or 1h"#),
        (".s", r#"".s" is not a duration; write 30s, 10m or 1h"#),
        ("--5m", r#""--5m" is not a duration; write 30s, 10m or 1h"#),
        ("+-5m", r#""+-5m" is not a duration; write 30s, 10m or 1h"#),
        ("1h-30m", r#""1h-30m" is not a duration; write 30s, 10m or 1h"#),
        ("1h 30m", r#""1h 30m" is not a duration; write 30s, 10m or 1h"#),
        ("1h30", r#""1h30" is not a duration; write 30s, 10m or 1h"#),
        ("1e3s", r#""1e3s" is not a duration; write 30s, 10m or 1h"#),
        ("10M", r#""10M" is not a duration; write 30s, 10m or 1h"#),
        ("00", r#""00" is not a duration, it has no unit; write 00s, 00m or 00h"#),
        ("90", r#""90" is not a duration, it has no unit; write 90s, 90m or 90h"#),
        ("5d", r#""5d" is not a duration, there are no days; write 120h"#),
        ("2562048h", r#""2562048h" is too long for a duration; write at most 2562047h"#),
        ("9223372036854775808ns", r#""9223372036854775808ns" is too long for a duration; write at most 2562047h"#),
        ("-9223372036854775809ns", r#""-9223372036854775809ns" is too long for a duration; write at most 2562047h"#),
        (
            "99999999999999999999999h",
            r#""99999999999999999999999h" is too long for a duration; write at most 2562047h"#,
        ),
    ];
    for (text, sentence) in table {
        let mistake = text.parse::<GoDuration>().map_err(|error| error.to_string());
        assert_eq!(mistake, Err(sentence.to_owned()), "{text}");
    }
}

#[test]
fn a_duration_is_printed_as_go_prints_it() {
    let table = [
        (0, "0s"),
        (1, "1ns"),
        (1_100, "1.1µs"),
        (100_000_000, "100ms"),
        (2_200_000, "2.2ms"),
        (1_500_000_000, "1.5s"),
        (30_000_000_000, "30s"),
        (90_000_000_000, "1m30s"),
        (MINUTE, "1m0s"),
        (60 * MINUTE, "1h0m0s"),
        (60 * MINUTE + 1, "1h0m0.000000001s"),
        (-90_500_000_000, "-1m30.5s"),
        (i64::MAX, "2562047h47m16.854775807s"),
        (i64::MIN, "-2562047h47m16.854775808s"),
    ];
    for (nanos, text) in table {
        assert_eq!(GoDuration::from_nanos(nanos).to_string(), text);
    }
}

#[test]
fn a_pause_is_a_number_of_seconds_or_a_duration() {
    let seconds = |seconds| GoDuration::from_seconds(seconds).expect("a short span");
    let table = [
        (json!(30), seconds(30)),
        (json!(0), seconds(0)),
        (json!(30.0), seconds(30)),
        (json!(-5), seconds(-5)),
        (json!("30"), seconds(30)),
        (json!("+30"), seconds(30)),
        (json!("-5"), seconds(-5)),
        (json!("10m"), seconds(600)),
        (json!("1.5h"), seconds(5400)),
        (json!("500ms"), GoDuration::from_nanos(500_000_000)),
        (json!(2_147_483_647), seconds(2_147_483_647)),
    ];
    for (written, span) in table {
        let pause: PauseDuration = serde_json::from_value(written.clone()).expect("a number or a text");
        assert_eq!(pause.parse(), Ok(span), "{written}");
    }
}

#[test]
fn a_pause_that_is_no_duration_says_so_and_can_still_be_read() {
    let table = [
        (json!("soon"), r#""soon" is not a duration; write 30s, 10m or 1h"#),
        (json!("3000000000"), r#""3000000000" is not a duration; write 30s, 10m or 1h"#),
        (json!(3_000_000_000_u64), r#""3000000000" is too long for a duration; write at most 2562047h"#),
    ];
    for (written, sentence) in table {
        let pause: PauseDuration = serde_json::from_value(written.clone()).expect("a number or a text");
        assert_eq!(pause.parse().map_err(|error| error.to_string()), Err(sentence.to_owned()));
        assert_eq!(serde_json::to_value(&pause).ok(), Some(written));
    }
    for written in [json!(true), json!([]), json!({}), json!(0.5), json!(u64::MAX)] {
        assert!(serde_json::from_value::<PauseDuration>(written.clone()).is_err(), "{written}");
    }
}

#[test]
fn a_manifest_keeps_its_text() {
    let written = json!("90m0s");
    let duration: DurationString = serde_json::from_value(written.clone()).expect("a text");
    assert_eq!(duration.parse().map(|span| span.to_string()), Ok("1h30m0s".to_owned()));
    assert_eq!(serde_json::to_value(&duration).ok(), Some(written));
}

#[test]
fn what_is_printed_is_read_as_the_same_span() {
    let mut seeded = Seeded::new(1);
    for _ in 0..20_000 {
        let span = GoDuration::from_nanos(seeded.integer());
        assert_eq!(span.to_string().parse(), Ok(span));
    }
}

#[test]
fn no_text_brings_the_parser_down() {
    let pieces = ["-", "+", ".", "0", "9", "18446744073709551616", "h", "m", "s", "ns", "µ", "µs", "é", "e", " ", "\0"];
    let mut seeded = Seeded::new(2);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..50_000 {
        match seeded.text(&pieces, 6).parse::<GoDuration>() {
            Ok(_) => read += 1,
            Err(mistake) => refused += usize::from(!mistake.to_string().is_empty()),
        }
    }
    assert_eq!(read + refused, 50_000);
    assert!(read > 100 && refused > 100, "both ways are taken: {read} read, {refused} refused");
}
