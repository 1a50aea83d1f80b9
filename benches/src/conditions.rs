//! What every measurement pays: its condition, compiled once and judged each time.

use std::hint::black_box;

use anyhow::ensure;
use jiff::Timestamp;
use sluice_analysis::condition::{Condition, Outcome, Value};

use crate::figure::{Figure, median_of, time};

const CALLS: u32 = 200_000;
const COMPILATIONS: u32 = 20_000;

pub(crate) fn measure() -> anyhow::Result<Vec<Figure>> {
    let usual = "result[0] >= 0.95";
    let guarded = "len(result) == 0 || isNaN(result[0]) || result[0] >= 0.95";
    let compiled = median_of(5, || {
        time(|| {
            for _ in 0..COMPILATIONS {
                black_box(Condition::compile(black_box(guarded)).is_ok());
            }
        })
    });
    Ok(vec![
        Figure::new(format!("judging {usual}"), nanoseconds(usual, &[0.97])?, "ns").at_most(1_000.0),
        Figure::new(format!("judging {guarded}"), nanoseconds(guarded, &[0.97])?, "ns"),
        Figure::new("judging all(result, {# > 0.5}) of ten", nanoseconds("all(result, {# > 0.5})", &[0.97; 10])?, "ns"),
        Figure::new("compiling the second of these", compiled.as_secs_f64() * 1e6 / f64::from(COMPILATIONS), "µs"),
    ])
}

fn nanoseconds(source: &str, floats: &[f64]) -> anyhow::Result<f64> {
    let condition = Condition::compile(source)?;
    let result = Value::from(floats.to_vec());
    let now = Timestamp::UNIX_EPOCH;
    ensure!(condition.judge(&result, now)? == Outcome::True, "{source} holds");
    let spent = median_of(5, || {
        time(|| {
            for _ in 0..CALLS {
                let outcome = black_box(&condition).judge(black_box(&result), now);
                assert!(matches!(outcome, Ok(Outcome::True)));
            }
        })
    });
    Ok(spent.as_secs_f64() * 1e9 / f64::from(CALLS))
}
