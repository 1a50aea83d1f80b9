//! No data is no verdict.

use crate::{answers, fails_for, holds_for};

#[test]
fn an_element_that_is_not_there_is_no_data() {
    answers(&[
        ("result[0] >= 0.95", "[]", "no data: there is no element 0: there is none at all"),
        ("result[0] < 0.05", "[]", "no data: there is no element 0: there is none at all"),
        ("!(result[0] < 0.05)", "[]", "no data: there is no element 0: there is none at all"),
        ("result[7] > 1", "[1, 2, 3]", "no data: there is no element 7: there are 3"),
        ("result[-4] > 1", "[1, 2, 3]", "no data: there is no element -4: there are 3"),
        ("result[0] == 1", "[]", "no data: there is no element 0: there is none at all"),
        ("result[0] != 1", "[]", "no data: there is no element 0: there is none at all"),
        ("(result[0] ?? 1) == 1", "[]", "no data: there is no element 0: there is none at all"),
        ("result[0] + 1 > 1", "[]", "no data: there is no element 0: there is none at all"),
        ("first(result) > 0.9", "[]", "no data: there is nothing on the left of >"),
        ("first(result) != 0.9", "[]", "no data: there is nothing here"),
        ("max(result) < 5", "[]", "no data: there is nothing on the left of <"),
        ("mean(result) < 0.05", "[]", "no data: there is nothing to take the mean of"),
        ("median(result) < 0.05", "[]", "no data: there is nothing to take the median of"),
        ("find(result, # > 5) != 3", "[1]", "no data: there is nothing here"),
        ("result[0] > 1 ? true : false", "[]", "no data: there is no element 0: there is none at all"),
    ]);
}

#[test]
fn nan_is_no_data_where_it_decides() {
    let nan = "no data: >= can't be answered for NaN";
    answers(&[
        ("result[0] >= 0.95", "[NaN]", nan),
        ("!(result[0] >= 0.95)", "[NaN]", nan),
        ("result >= 0.95", "NaN", nan),
        ("0.95 >= result[0]", "[NaN]", nan),
        ("result[0] / result[1] >= 0.95", "[0, 0]", nan),
        ("max(result) >= 1", "[1, NaN, 2]", nan),
        ("mean(result) >= 1", "[1, NaN, 2]", nan),
        ("median(result) >= 1", "[1, NaN, 2]", nan),
        ("sum(result) >= 1", "[1, NaN, 2]", nan),
        ("all(result, # >= 0.5)", "[0.9, NaN]", nan),
        ("any(result, # >= 0.95)", "[0.9, NaN]", nan),
        ("none(result, # >= 0.95)", "[0.9, NaN]", nan),
        ("one(result, # >= 0.5)", "[0.9, NaN]", nan),
        ("count(result, # >= 0.5) > 0", "[0.9, NaN]", nan),
        ("len(filter(result, # >= 0.5)) > 0", "[0.9, NaN]", nan),
        ("0 <= result[0] <= 1", "[NaN]", "no data: <= can't be answered for NaN"),
        ("result[0] == 1", "[NaN]", "no data: NaN is equal to nothing and different from nothing"),
        ("result[0] != 1", "[NaN]", "no data: NaN is equal to nothing and different from nothing"),
        ("1 in result", "[NaN, 2]", "no data: whether NaN is among these numbers can't be said"),
        ("sort(result)[0] < 1", "[NaN, 2]", "no data: NaN has no place in an order"),
        ("asInt(result[0]) > 1", "[NaN]", "no data: asInt can't make a whole number of NaN"),
    ]);
}

#[test]
fn the_rest_may_decide_without_what_is_missing() {
    holds_for(
        "[NaN]",
        &[
            "isNaN(result[0]) || result[0] >= 0.95",
            "result[0] >= 0.95 || isNaN(result[0])",
            "result[0] >= 0.95 || true",
            "!(result[0] >= 0.95 && false)",
            "isNaN(result[0]) ? true : result[0] >= 0.95",
            "all(filter(result, !isNaN(#)), # > 0.5)",
        ],
    );
    fails_for("[NaN]", &["result[0] >= 0.95 && false", "!isNaN(result[0]) && result[0] >= 0.95"]);
    holds_for("[]", &["len(result) == 0 || result[0] > 1", "result[0] > 1 || len(result) == 0"]);
    fails_for("[]", &["len(result) > 0 && result[0] > 1", "result[0] > 1 && len(result) > 0"]);
    holds_for("[NaN, 1]", &["any(result, # > 0.5)", "1 in result"]);
    fails_for("[NaN, 0.1]", &["all(result, # > 0.5)"]);
    fails_for("[NaN, 1, 1]", &["one(result, # > 0.5)"]);
    fails_for("[NaN, 1]", &["none(result, # > 0.5)"]);
    answers(&[
        ("result[0] > 1 || false", "[]", "no data: there is no element 0: there is none at all"),
        ("result[0] > 1 && true", "[]", "no data: there is no element 0: there is none at all"),
        ("result[0] > 1 || result[1] > 1", "[NaN, 0]", "no data: > can't be answered for NaN"),
        // What is asked wrongly behind missing data may be wrong because they are missing.
        ("result[0] > 1 || 1 % 0 == 0", "[]", "no data: there is no element 0: there is none at all"),
        ("1 % 0 == 0 || result[0] > 1", "[]", "failure: column 3: there is no remainder by zero"),
    ]);
}

#[test]
fn a_member_that_is_not_there_is_no_data() {
    let body = r#"{"data": {"rate": 0.97}, "error": null}"#;
    answers(&[
        ("result.missing > 1", body, "no data: there is nothing on the left of >"),
        ("1 > result.missing", body, "no data: there is nothing on the right of >"),
        ("result.missing == 'ok'", body, "no data: there is no \"missing\""),
        ("result.missing != 'bad'", body, "no data: there is no \"missing\""),
        ("result['missing'] != 'bad'", body, "no data: there is no \"missing\""),
        ("result.data.missing != 1", body, "no data: there is no \"missing\""),
        ("result.missing.rate > 1", body, "no data: there is nothing to look into"),
        ("result.error.code > 1", body, "no data: there is nothing to look into"),
        ("result.missing", body, "no data: there is no \"missing\""),
        ("!result.missing", body, "no data: there is no \"missing\""),
        ("result.missing contains 'a'", body, "no data: there is no \"missing\""),
        ("result.missing not contains 'a'", body, "no data: there is no \"missing\""),
        ("result.missing not in ['a']", body, "no data: there is no \"missing\""),
        ("'a' not in result.missing", body, "no data: there is no \"missing\""),
        ("all(result.missing, # > 1)", body, "no data: there is no \"missing\""),
        ("len(result.missing) == 0", body, "no data: len wants an array, a map or a text, and there is nothing"),
        ("asFloat(result.missing) > 1", body, "no data: asFloat wants a number, and there is nothing"),
        ("result.missing + 1 > 1", body, "no data: there is nothing on the left of +"),
        ("-result.missing > 1", body, "no data: there is no number behind the sign"),
        ("result > 1", "null", "no data: there is nothing on the left of >"),
        ("result != 'bad'", "null", "no data: nothing was measured"),
        ("result[0] > 1", "null", "no data: there is nothing to look into"),
        ("let m = result.missing; m != 1", body, "no data: there is nothing here"),
        ("any([nil], # != 1)", body, "no data: there is nothing here"),
    ]);
}

#[test]
fn an_author_who_speaks_of_absence_is_heard() {
    let body = r#"{"data": {"rate": 0.97}, "error": null}"#;
    holds_for(
        body,
        &[
            "result.missing == nil",
            "nil == result.missing",
            "result.data != nil",
            "isNil(result.missing)",
            "isNil(result.data.list[0])",
            "(result.missing ?? 1) == 1",
            "result?.missing != 'bad'",
            "result.missing?.rate == nil",
            "default(result.missing, 5) == 5",
            "default(result.data.rate, 5) == 0.97",
            "'missing' not in result",
            "result.error == nil || result.error.code < 500",
            // What the server says is null is an answer.
            "result.error != 'fatal'",
            "get(result, 'missing') == nil",
        ],
    );
    holds_for("null", &["default(result, 0) == 0", "isNil(result)", "result == nil"]);
    holds_for("[]", &["default(result[0], 1) >= 0.95", "isNil(result[0])"]);
    fails_for(body, &["result?.missing == 'ok'", "result.data == nil", "result.error == 'fatal'"]);
}
