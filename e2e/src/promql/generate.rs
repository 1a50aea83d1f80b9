//! Queries that nobody thought of, from a seed: every kind of expression inside every other.

use sluice_sandbox::Random;

/// Nested deeper they mostly come to nothing.
const DEEPEST: u32 = 4;

const SELECTORS: [&str; 14] = [
    "temperature",
    "limit",
    "constant",
    "up",
    "up{job=\"web\"}",
    "http_requests_total",
    "http_requests_total{code=~\"5..\"}",
    "resetting_total",
    "jittered_total",
    "gappy_gauge",
    "ended_gauge",
    "mixed_values",
    "http_request_duration_seconds_bucket",
    "pods_info",
];
const MOVED: [&str; 7] = ["", "", "", " offset 1m", " offset -90s", " @ 1767226800", " @ end() offset 4m"];
const RANGES: [&str; 6] = ["[45s]", "[1m]", "[2m30s]", "[5m]", "[10m]", "[1ms]"];
const SUBQUERIES: [&str; 3] = ["[3m:30s]", "[2m:17s]", "[5m:]"];
const OVER_TIME: [&str; 18] = [
    "rate",
    "increase",
    "irate",
    "delta",
    "idelta",
    "deriv",
    "changes",
    "resets",
    "avg_over_time",
    "sum_over_time",
    "min_over_time",
    "max_over_time",
    "count_over_time",
    "last_over_time",
    "present_over_time",
    "stddev_over_time",
    "stdvar_over_time",
    "absent_over_time",
];
/// None of the calendar: what Go makes of times that are no numbers depends on the processor.
const OF_VECTORS: [&str; 11] =
    ["abs", "ceil", "floor", "round", "sgn", "sqrt", "ln", "exp", "absent", "timestamp", "histogram_quantile(0.9, "];
const AGGREGATIONS: [&str; 9] = ["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "quantile(0.3, "];
const GROUPINGS: [&str; 8] = [
    "",
    "",
    "by (pod)",
    "by (job, code)",
    "by (floor)",
    "without (pod)",
    "without (code, le)",
    "by (rollouts_pod_template_hash, le)",
];
const OPERATORS: [&str; 18] = [
    "+", "-", "*", "/", "%", "^", "==", "!=", ">", "<", ">=", "<=", "> bool", "== bool", "<= bool", "and", "or",
    "unless",
];
const MATCHINGS: [&str; 8] =
    ["", "", "", "on (pod)", "on (job)", "ignoring (code)", "on (pod) group_left", "on (pod) group_right (version)"];
const NUMBERS: [&str; 8] = ["0", "1", "-2.5", "20", "1e3", "NaN", "Inf", "time() / 1e9"];

/// So many queries; the same seed gives the same ones.
#[must_use]
pub fn queries(seed: u64, count: usize) -> Vec<String> {
    let mut random = Random::seeded(seed);
    (0..count).map(|_| vector(&mut random, DEEPEST)).collect()
}

fn one<'a>(random: &mut Random, of: &[&'a str]) -> &'a str {
    let index = usize::try_from(random.below(of.len() as u64)).unwrap_or(0);
    of.get(index).copied().unwrap_or_default()
}

/// Called with its parenthesis, or with one to open.
fn opened(function: &str) -> String {
    if function.ends_with(", ") { function.to_owned() } else { format!("{function}(") }
}

fn vector(random: &mut Random, depth: u32) -> String {
    let kind = if depth == 0 { 0 } else { random.below(9) };
    match kind {
        0 => format!("{}{}", one(random, &SELECTORS), one(random, &MOVED)),
        1 | 2 => format!("{}({})", one(random, &OVER_TIME), range(random, depth - 1)),
        3 => {
            let function = opened(one(random, &OF_VECTORS));
            format!("{function}{})", vector(random, depth - 1))
        }
        4 | 5 => {
            let (aggregation, grouping) = (one(random, &AGGREGATIONS), one(random, &GROUPINGS));
            let (name, param) = aggregation.split_once('(').unwrap_or((aggregation, ""));
            format!("{name} {grouping} ({param}{})", vector(random, depth - 1))
        }
        6 => {
            let operator = one(random, &OPERATORS[..15]);
            let (number, vector) = (one(random, &NUMBERS), vector(random, depth - 1));
            if random.chance(500_000) {
                format!("({number}) {operator} ({vector})")
            } else {
                format!("({vector}) {operator} ({number})")
            }
        }
        7 => format!("-({})", vector(random, depth - 1)),
        _ => {
            let (operator, matching) = (one(random, &OPERATORS), one(random, &MATCHINGS));
            format!("({}) {operator} {matching} ({})", vector(random, depth - 1), vector(random, depth - 1))
        }
    }
}

fn range(random: &mut Random, depth: u32) -> String {
    if depth == 0 || random.chance(700_000) {
        return format!("{}{}{}", one(random, &SELECTORS), one(random, &RANGES), one(random, &MOVED));
    }
    format!("({}){}{}", vector(random, depth - 1), one(random, &SUBQUERIES), one(random, &MOVED))
}
