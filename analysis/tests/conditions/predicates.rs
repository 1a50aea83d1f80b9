//! Questions about each element of an array.

use crate::{answers, fails, fails_for, holds, holds_for};

#[test]
fn all_any_one_and_none() {
    holds(&[
        "all([1, 2], # > 0)",
        "all([1, 2], {# > 0})",
        "all([], # > 0)",
        "any([1, 2], # > 1)",
        "one([1, 2, 3], # == 2)",
        "none([1, 2], # > 2)",
        "none([], # > 2)",
    ]);
    fails(&[
        "all([1, 2], # > 1)",
        "any([], true)",
        "any([1, 2], # > 2)",
        "one([2, 2], # == 2)",
        "one([], true)",
        "none([1, 2], # > 1)",
    ]);
    holds_for("[0.6, 0.7]", &["all(result, {# > 0.5})", "all(result, # > 0.5 && # < 1)", "none(result, # < 0.5)"]);
    fails_for("[0.6, 0.4]", &["all(result, {# > 0.5})"]);
}

#[test]
fn finding_counting_and_changing() {
    holds(&[
        "filter(0..9, {# % 2 == 0}) == [0, 2, 4, 6, 8]",
        "map([1, 2], # * 2) == [2, 4]",
        "map(1..3, #index) == [0, 1, 2]",
        "count([1, 2, 3], # > 1) == 2",
        "count([true, false, true]) == 2",
        "find([1, 2, 3, 4], # > 2) == 3",
        "find([1], # > 2) == nil",
        "findIndex([1, 2, 3, 4], # > 2) == 2",
        "findIndex([1], # > 2) == nil",
        "findLast([1, 2, 3, 4], # > 2) == 4",
        "findLastIndex([1, 2, 3, 4], # > 2) == 3",
        "filter([1, 2, 3], #index > 0) == [2, 3]",
    ]);
}

#[test]
fn reducing() {
    holds(&[
        "reduce(1..9, #acc + #) == 45",
        "reduce(1..9, #acc + #, 0) == 45",
        "reduce([], #acc + #, 7) == 7",
        "reduce([5], #acc + #) == 5",
        "reduce([1, 2, 3], #acc + #index, 0) == 3",
        "reduce(['a', 'b'], #acc + #, '') == 'ab'",
    ]);
    answers(&[("reduce([], #acc + #) == 0", "1", "no data: there is nothing to reduce, and nothing to begin with")]);
}

#[test]
fn members_of_the_element_begin_with_a_dot() {
    holds_for(
        r#"[{"name": "a", "errors": 0, "tags": ["x"]}, {"name": "b", "errors": 2, "tags": []}]"#,
        &[
            "any(result, .errors > 1)",
            "filter(result, .errors > 1)[0].name == 'b'",
            "filter(result, {.errors > 1})[0].name == 'b'",
            "map(result, .name) == ['a', 'b']",
            "all(result, .name in ['a', 'b'])",
            "count(result, len(.tags) > 0) == 1",
            "find(result, .name == 'b').errors == 2",
            "sum(result, .errors) == 2",
            "any(result, any(.tags, # == 'x'))",
            "all(result, {let n = .name; any(['a', 'b'], # == n)})",
            "sum(map(result, .errors)) < 5",
        ],
    );
    fails_for(r#"[{"ok": true}, {"ok": false}]"#, &["all(result, .ok)", "none(result, .ok)"]);
}

#[test]
fn predicates_are_written_right_or_told_where_they_are_not() {
    answers(&[
        (
            "# > 1",
            "1",
            "mistake: column 1: \"#\" has no meaning outside of a predicate; write it as in all(result, {# > 0.5})",
        ),
        (
            ".a > 1",
            "1",
            "mistake: column 1: \".\" has no meaning outside of a predicate; write it as in all(result, {# > 0.5})",
        ),
        (
            "all(result, #acc > 1)",
            "[1]",
            "mistake: column 13: #acc has no meaning here; there are # and #index, and within reduce also #acc",
        ),
        (
            "all(result)",
            "[1]",
            "mistake: column 11: expected a predicate, found \")\"; write it as in all(result, {# > 0.5})",
        ),
        ("all(result, # + 1)", "[1]", "failure: column 15: this has to be true or false, and it is a number"),
        (
            "all(result, 5)",
            "[1]",
            "mistake: column 13: a predicate has to give true or false, and this is a whole number",
        ),
        ("all(result, # > 1)", "1", "failure: column 5: a predicate is asked about an array, and this is a number"),
        ("all('abc', # > 1)", "1", "mistake: column 5: predicates want an array, and this is a text"),
        ("count(result) > 1", "[1]", "failure: column 1: count counts what is true, and this is a number"),
        ("all(result, {# > 1)", "[1]", "mistake: column 19: expected a closing }, found \")\""),
    ]);
}
