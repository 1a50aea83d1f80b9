//! Which comparison decided, in a sentence.

use crate::{measured, now};
use sluice_analysis::condition::{Condition, Operator, Value};

fn explained(source: &str, result: &str) -> Option<String> {
    let condition = Condition::compile(source).expect(source);
    condition.explain(&measured(result), now()).map(|comparison| comparison.to_string())
}

#[test]
fn a_comparison_tells_its_two_sides() {
    let comparison = Condition::compile("result[0] >= 0.95").expect("a condition").explain(&measured("[0.91]"), now());
    let comparison = comparison.expect("a comparison");
    assert_eq!(comparison.left, Value::Float(0.91));
    assert_eq!(comparison.operator, Operator::GreaterOrEqual);
    assert_eq!(comparison.right, Value::Float(0.95));
    assert!(!comparison.holds);
}

#[test]
fn the_part_that_decided_is_told() {
    let rows = [
        ("result[0] >= 0.95", "[0.91]", Some("0.91 is not >= 0.95")),
        ("result[0] > 1", "[2.7]", Some("2.7 > 1")),
        ("result == 'ok'", r#""bad""#, Some("\"bad\" is not == \"ok\"")),
        ("result != 'ok'", r#""bad""#, Some("\"bad\" != \"ok\"")),
        ("len(result) == 0 || result[0] >= 0.95", "[0.97]", Some("0.97 >= 0.95")),
        ("len(result) == 0 || result[0] >= 0.95", "[0.91]", Some("0.91 is not >= 0.95")),
        ("len(result) == 0 || result[0] >= 0.95", "[]", Some("0 == 0")),
        ("result[0] > 0.5 && result[1] < 100", "[0.9, 250]", Some("250 is not < 100")),
        ("result[0] > 0.5 && result[1] < 100", "[0.2, 250]", Some("0.2 is not > 0.5")),
        ("isNaN(result[0]) || result[0] > 1", "[2]", Some("2 > 1")),
        ("isNaN(result[0]) || result[0] > 1", "[NaN]", None),
        ("!(result > 5)", "3", Some("3 is not > 5")),
        ("0 <= result <= 1", "1.5", Some("1.5 is not <= 1")),
        ("all(result, # > 0.5)", "[0.9, 0.4, 0.1]", Some("0.4 is not > 0.5")),
        ("any(result, # > 500)", "[3, 501]", Some("501 > 500")),
        ("all(result, # > 0.5)", "[0.9]", None),
        ("let rate = result[0] / result[1]; rate > 0.5", "[1, 4]", Some("0.25 is not > 0.5")),
        ("result.a > 1 ? result.b > 2 : result.b > 3", r#"{"a": 1, "b": 3}"#, Some("3 is not > 3")),
        ("result > duration('1m').Seconds()", "90", Some("90 > 60")),
        ("result == 1000000", "1000000", Some("1000000 == 1000000")),
        ("result >= 0.95", "NaN", None),
        ("result[0] >= 0.95", "[]", None),
        ("result", "true", None),
        ("result == [1]", "[1, 2]", Some("an array of 2 is not == an array of 1")),
    ];
    for (source, result, expected) in rows {
        assert_eq!(explained(source, result).as_deref(), expected, "{source} for {result}");
    }
}
