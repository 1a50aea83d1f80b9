//! Whatever is sent to the metrics backend, it answers.

use jiff::Timestamp;
use sluice_sandbox::Random;
use sluice_sandbox::api::request::{Body, Request};
use sluice_sandbox::metrics::{Labels, Store, handle};

/// What queries are made of, and what they should not be made of.
const PIECES: [&str; 78] = [
    "up",
    "sum",
    "rate",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "bool",
    "offset",
    "and",
    "or",
    "unless",
    "atan2",
    "topk",
    "quantile",
    "count_values",
    "histogram_quantile",
    "label_replace",
    "label_join",
    "absent",
    "scalar",
    "vector",
    "time",
    "timestamp",
    "predict_linear",
    "clamp",
    "round",
    "start",
    "end",
    "inf",
    "nan",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "@",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "==",
    "!=",
    "=~",
    "!~",
    "<",
    ">=",
    "=",
    "!",
    "\"",
    "'",
    "`",
    "\\",
    "\"a\"",
    "\"\\xzz\"",
    "\"\\u12\"",
    "\"(.*)\"",
    "[5m]",
    "[5m:1m]",
    "5m",
    "1y",
    "0",
    "1",
    "-1e308",
    "0x",
    "99999999999999999999",
    "[99999999999999y]",
    " ",
    "#",
    "é",
    "\0",
];

const TIMES: [&str; 9] =
    ["0", "1767225600", "-1e300", "1e300", "9223372036854775", "-9223372036854775", "inf", "", "x"];

fn ask(store: &Store, path: &str, parameters: &[(&str, &str)]) -> u16 {
    let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let query: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    let response = handle(store, &Request::get(&format!("{path}?{}", query.join("&"))), Timestamp::UNIX_EPOCH);
    assert!(matches!(response.body, Body::Whole(_)));
    response.status
}

fn store() -> Store {
    let mut store = Store::default();
    for second in [1_767_225_600, 1_767_225_615] {
        store.push(Labels::of("up", &[("a", "b"), ("le", "+Inf")]), Timestamp::from_second(second).unwrap(), 1.0);
    }
    store
}

fn one<'a>(random: &mut Random, of: &[&'a str]) -> &'a str {
    of[usize::try_from(random.below(of.len() as u64)).unwrap()]
}

#[test]
fn no_text_is_too_strange_to_be_answered() {
    let store = store();
    let mut random = Random::seeded(5);
    for _ in 0..20_000 {
        let query: String = (0..=random.below(12)).map(|_| one(&mut random, &PIECES)).collect();
        let status = ask(&store, "/api/v1/query", &[("query", &query), ("time", "1767225620")]);
        assert!(matches!(status, 200 | 400 | 422), "{query:?}: {status}");
    }
}

#[test]
fn no_time_is_too_far_away_to_be_answered() {
    let store = store();
    let queries = [
        "up",
        "rate(up[5m])",
        "rate(up[100y] @ 1767225620)",
        "predict_linear(up[5m] @ 1767225620, 60)",
        "sum_over_time(up[5m:1m])",
        "up offset 290000000y",
        "up offset -290000000y",
        "max_over_time(up[290000000y])",
        "up @ 1e18",
        "up @ -1e18",
        "minute()",
        "minute(vector(1e300))",
    ];
    for query in queries {
        for first in TIMES {
            let status = ask(&store, "/api/v1/query", &[("query", query), ("time", first)]);
            assert!(matches!(status, 200 | 400 | 422), "{query} at {first}: {status}");
            for last in TIMES {
                for step in ["1", "1e300", "5m", "1e-9"] {
                    let range = [("query", query), ("start", first), ("end", last), ("step", step)];
                    let status = ask(&store, "/api/v1/query_range", &range);
                    assert!(matches!(status, 200 | 400 | 422), "{range:?}: {status}");
                }
            }
        }
    }
}
