//! Counts, percentages and weights come out as whole replicas, rounded the way that was asked for.

use crate::seeded::Seeded;
use serde_json::json;
use sluice_crds::values::{IntOrPercent, Rounding, Weight, replicas_for};

fn written(value: serde_json::Value) -> IntOrPercent {
    serde_json::from_value(value).expect("a number or a text")
}

#[test]
fn a_percentage_is_rounded_up_or_down_as_asked() {
    let table = [
        (json!(3), 10, 3, 3),
        (json!(0), 10, 0, 0),
        (json!(-1), 10, -1, -1),
        (json!("25%"), 10, 3, 2),
        (json!("25%"), 4, 1, 1),
        (json!("0%"), 10, 0, 0),
        (json!("100%"), 7, 7, 7),
        (json!("150%"), 7, 11, 10),
        (json!("1%"), 1, 1, 0),
        (json!("+25%"), 4, 1, 1),
        (json!("-25%"), 10, -2, -3),
        (json!("050%"), 4, 2, 2),
        (json!("33%"), 0, 0, 0),
        (json!("100%"), i32::MAX, i32::MAX, i32::MAX),
    ];
    for (value, total, up, down) in table {
        let share = written(value);
        assert_eq!(share.resolve(total, Rounding::Up), Ok(up), "{share} of {total} up");
        assert_eq!(share.resolve(total, Rounding::Down), Ok(down), "{share} of {total} down");
    }
}

#[test]
fn what_is_neither_count_nor_percentage_is_named_with_the_mend() {
    let table = [
        (json!("25"), r#""25" is not a number or percentage; write 2 or "25%""#),
        (json!("2.5%"), r#""2.5%" is not a number or percentage; write 2 or "25%""#),
        (json!("%"), r#""%" is not a number or percentage; write 2 or "25%""#),
        (json!("+%"), r#""+%" is not a number or percentage; write 2 or "25%""#),
        (json!("25 %"), r#""25 %" is not a number or percentage; write 2 or "25%""#),
        (json!("25%%"), r#""25%%" is not a number or percentage; write 2 or "25%""#),
        (json!("٢٥%"), r#""٢٥%" is not a number or percentage; write 2 or "25%""#),
        (json!(""), r#""" is not a number or percentage; write 2 or "25%""#),
        (json!(3_000_000_000_u32), r#""3000000000" is too large; write at most 2147483647"#),
        (json!("99999999999999999999%"), r#""99999999999999999999%" is too large; write at most 2147483647"#),
        (json!("9223372036854775807%"), r#""9223372036854775807%" is too large; write at most 2147483647"#),
    ];
    for (value, sentence) in table {
        let mistake = written(value).resolve(1000, Rounding::Up).map_err(|error| error.to_string());
        assert_eq!(mistake, Err(sentence.to_owned()));
    }
}

#[test]
fn surge_and_unavailability_read_a_bare_text_as_percentage() {
    assert_eq!(written(json!("25")).resolve_bare_as_percent(10, Rounding::Up), Ok(3));
    assert_eq!(written(json!("25")).resolve_bare_as_percent(10, Rounding::Down), Ok(2));
    assert_eq!(written(json!("25%")).resolve_bare_as_percent(10, Rounding::Up), Ok(3));
    assert_eq!(written(json!(25)).resolve_bare_as_percent(10, Rounding::Up), Ok(25));
    let mistake = written(json!("a few")).resolve_bare_as_percent(10, Rounding::Up).map_err(|error| error.to_string());
    assert_eq!(mistake, Err(r#""a few" is not a number or percentage; write 2 or "25%""#.to_owned()));
}

#[test]
fn a_manifest_keeps_what_it_wrote() {
    for value in [json!(3), json!("25%"), json!("25"), json!("nonsense"), json!(-7)] {
        assert_eq!(serde_json::to_value(written(value.clone())).ok(), Some(value));
    }
}

#[test]
fn a_weight_is_never_more_than_all_or_less_than_nothing() {
    let table = [
        (101, 100, "101 is not a weight; write a number from 0 to 100"),
        (-1, 100, "-1 is not a weight; write a number from 0 to 100"),
        (i64::MAX, 1000, "9223372036854775807 is not a weight; write a number from 0 to 1000"),
        (0, 0, "0 can't be the largest weight; write 1 or more (the default is 100)"),
        (0, -5, "-5 can't be the largest weight; write 1 or more (the default is 100)"),
    ];
    for (value, max, sentence) in table {
        assert_eq!(Weight::new(value, max).map_err(|error| error.to_string()), Err(sentence.to_owned()));
    }
    assert_eq!(Weight::percent(130), Weight::percent(100));
    assert_eq!(Weight::saturating(5, 0).value(), 1);
}

#[test]
fn weights_compare_as_shares() {
    assert_eq!(Weight::percent(50), Weight::saturating(500, 1000));
    assert!(Weight::percent(33) < Weight::saturating(1, 3));
    assert!(Weight::saturating(u32::MAX, u32::MAX) == Weight::percent(100));
    let share = Weight::saturating(20, 1000);
    assert_eq!(share.rest(), Weight::saturating(980, 1000));
    assert!(share.none().is_none() && share.all().is_all() && !share.is_none() && !share.is_all());
    assert_eq!(Weight::percent(20).to_string(), "20%");
    assert_eq!(share.to_string(), "20/1000");
}

#[test]
fn a_weight_asks_for_whole_replicas() {
    let table = [
        (10, 10, 100, 1, 1),
        (10, 25, 100, 3, 2),
        (1, 5, 100, 1, 0),
        (10, 0, 100, 0, 0),
        (10, 100, 100, 10, 10),
        (10, 120, 100, 10, 10),
        (10, -1, 100, 0, 0),
        (-3, 50, 100, 0, 0),
        (10, 333, 1000, 4, 3),
        (10, 1, 0, 10, 10),
        (i32::MAX, i32::MAX, i32::MAX, i32::MAX, i32::MAX),
        (i32::MAX, 1, i32::MAX, 1, 1),
    ];
    for (total, weight, max, up, down) in table {
        assert_eq!(replicas_for(total, weight, max, Rounding::Up), up, "{weight}/{max} of {total} up");
        assert_eq!(replicas_for(total, weight, max, Rounding::Down), down, "{weight}/{max} of {total} down");
    }
}

#[test]
fn a_share_and_its_rest_never_ask_for_less_than_all_replicas_nor_lose_one() {
    let mut seeded = Seeded::new(3);
    for _ in 0..20_000 {
        let total = seeded.below(5000) as i32;
        let max = 1 + seeded.below(2000) as u32;
        let share = Weight::saturating(seeded.below(2000) as u32, max);
        let (up, rest) = (share.replicas_of(total, Rounding::Up), share.rest().replicas_of(total, Rounding::Down));
        assert_eq!(up + rest, total, "{share} of {total}");
        assert!(up - share.replicas_of(total, Rounding::Down) <= 1);
    }
}

#[test]
fn no_share_brings_the_arithmetic_down() {
    let pieces = ["-", "+", "0", "9", "9223372036854775807", "%", " ", "é"];
    let mut seeded = Seeded::new(4);
    for _ in 0..20_000 {
        let share = match seeded.below(2) {
            0 => IntOrPercent::Int(seeded.integer()),
            _ => IntOrPercent::Text(seeded.text(&pieces, 5)),
        };
        let total = seeded.integer() as i32;
        if let (Ok(up), Ok(down)) =
            (share.resolve_bare_as_percent(total, Rounding::Up), share.resolve_bare_as_percent(total, Rounding::Down))
        {
            assert!(up >= down, "{share} of {total}");
        }
        let _ = replicas_for(total, seeded.integer() as i32, seeded.integer() as i32, Rounding::Up);
    }
}
