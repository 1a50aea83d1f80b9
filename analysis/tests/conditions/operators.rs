//! How tightly operators bind, and what they make of their two sides.

use crate::{answers, fails, fails_for, holds, holds_for};

#[test]
fn what_people_write_most() {
    holds_for(
        "[0.97]",
        &["result[0] >= 0.95", "result[0] > 0.95 && result[0] <= 1", "len(result) == 0 || result[0] >= 0.95"],
    );
    fails_for(
        "[0.9]",
        &["result[0] >= 0.95", "isNaN(result[0]) || result[0] >= 0.95", "len(result) == 0 || result[0] >= 0.95"],
    );
    holds_for(
        "0.97",
        &["result >= 0.95", "result > 0.95 and result < 1", "default(result, 0) >= 0.95", "not (result < 0.95)"],
    );
    holds_for("[]", &["len(result) == 0 || result[0] >= 0.95", "len(result) == 0"]);
    holds_for(r#""ok""#, &["result == 'ok'", "result in ['ok', 'fine']", "result != 'bad'"]);
    holds_for("true", &["result", "result == true", "!(!result)"]);
    holds_for(
        r#"{"status": "ok", "errors": 3, "rates": [0.1, 0.2]}"#,
        &[
            "result.status == 'ok'",
            "result['errors'] < 5",
            "result.rates[1] == 0.2",
            "asInt(result.errors) == 3",
            "'status' in result",
        ],
    );
}

#[test]
fn multiplication_before_addition_before_comparison_before_logic() {
    holds(&[
        "1 + 2 * 3 == 7",
        "(1 + 2) * 3 == 9",
        "2 * 3 + 4 == 10",
        "10 - 2 - 3 == 5",
        "100 / 10 / 2 == 5",
        "2 ** 3 ** 2 == 512",
        "2 ^ 3 == 8",
        "-2 ** 2 == -4",
        "2 ** -1 == 0.5",
        "2 * 3 ** 2 == 18",
        "7 % 4 * 2 == 6",
        "1 + 1 == 2 && 2 + 2 == 4",
        "true || false && false",
        "false && false || true",
        "!false && true",
        "1..2 + 1 == [1, 2, 3]",
        "not true == false",
        "not (1 > 2)",
        "1 < 2 == true",
        "-1 < 1 and 1 > -1",
    ]);
    fails(&["(true || false) && false", "not true", "! true || false"]);
}

#[test]
fn comparisons_may_stand_in_a_row() {
    holds(&["1 < 2 < 3", "1 < 2 <= 2 < 3", "3 > 2 > 1", "0 < 0.5 < 1"]);
    fails(&["1 < 3 < 2", "3 < 2 < 5"]);
    holds_for("[0.5]", &["0 <= result[0] <= 1"]);
}

#[test]
fn whole_numbers_and_others_compare_by_their_value() {
    holds(&[
        "1 == 1.0",
        "1 < 1.5",
        "2 > 1.5",
        "1 != 1.5",
        "3 / 2 == 1.5",
        "type(4 / 2) == 'float'",
        "type(4 * 2) == 'int'",
        "type(4 * 2.0) == 'float'",
        "1 in [1.0]",
        "'a' < 'b'",
        "'B' < 'a'",
        "'abc' <= 'abc'",
        "9223372036854775807 + 1 < 0",
        "0.1 + 0.2 != 0.3",
        "1 / 0 > 1e308",
        "isInf(-1 / 0)",
    ]);
}

#[test]
fn in_looks_into_arrays_and_the_keys_of_maps() {
    holds(&[
        "1 in [1, 2]",
        "3 not in [1, 2]",
        "not (3 in [1, 2])",
        "'a' in {a: 1}",
        "'b' not in {a: 1}",
        "nil in [nil]",
        "[1] in [[1], [2]]",
        "2 in 1..3",
        "1 in [1] == true",
    ]);
    fails(&["'a' in []", "'a' in ['b', 1]"]);
    fails_for(r#"{"code": 200}"#, &["result.code in ['200']"]);
    answers(&[
        ("'1' in [1, 2]", "1", "failure: column 8: none of these can be equal to a text"),
        ("result not in ['ok', 'fine']", "1", "failure: column 15: none of these can be equal to a number"),
        (
            "'a' in 'abc'",
            "1",
            "mistake: column 8: in looks into an array or a map, not into a text; texts have contains",
        ),
        ("'a' in result", "1", "failure: column 8: in looks into an array or a map, not into a number"),
        ("1 in result", r#"{"a": 1}"#, "failure: column 1: the keys of a map are texts, and this is a number"),
    ]);
}

#[test]
fn texts_are_tested_by_words() {
    holds(&[
        "'hello' contains 'ell'",
        "'hello' not contains 'elf'",
        "'hello' startsWith 'he'",
        "'hello' endsWith 'lo'",
        "'hello' not startsWith 'lo'",
        "'hello' not endsWith 'he'",
        "'v1.2.3' matches '^v[0-9]+'",
        "'hello' not matches '^H'",
        "'Hello' matches '(?i)^h'",
        "'a' + 'b' == 'ab'",
        "'a' + 'b' contains 'ab'",
        "let p = '^h'; 'hello' matches p",
    ]);
    answers(&[
        ("'a' matches '('", "1", "mistake: column 13: this is not a pattern, unclosed group"),
        ("'a' matches '(((a{100}){100}){100})'", "1", "mistake: column 13: this pattern needs too much memory"),
        ("result contains 'a'", "1", "failure: column 1: contains wants a text, and this is a number"),
        ("1 contains 'a'", "1", "mistake: column 1: tests of texts want a text, and this is a whole number"),
    ]);
}

#[test]
fn choices_take_one_side_only() {
    holds(&[
        "true ? true : false",
        "1 > 2 ? false : true",
        "(true ? 1 : 2) == 1",
        "(false ? 1 : true ? 2 : 3) == 2",
        "(false ?: 3) == 3",
        "true ?: 1 % 0 == 0",
        "if 1 > 2 { false } else { true }",
        "if 1 > 2 { false } else if 2 > 3 { false } else { true }",
        "(true ?.5 : 1) == 0.5",
        "true ? true : 1 % 0 == 0",
    ]);
}

#[test]
fn nil_is_replaced_by_what_stands_behind_two_question_marks() {
    holds(&[
        "(nil ?? 1) == 1",
        "(2 ?? 1) == 2",
        "nil ?? nil ?? true",
        "1 == nil ?? 1",
        "1 + (nil ?? 1) == 2",
        "{a: nil}.a ?? true",
        "{}.a ?? true",
        "{}?.a?.b?.c ?? true",
        "{a: nil}.a?.b == nil",
        "{a: nil}.a?.b.c.d == nil",
        "{a: nil}.a?.[0] == nil",
        "{a: [1]}?.a[0] == 1",
    ]);
    holds_for(r#"{"user": null}"#, &["(result.user?.name ?? 'nobody') == 'nobody'", "result.user?.name == nil"]);
    answers(&[
        (
            "result[0] ?? 0 >= 0.95",
            "[1]",
            "mistake: column 16: it isn't clear what belongs to the ?? before this; put the ?? and its two sides in parentheses",
        ),
        (
            "nil ?? 1 == 1",
            "1",
            "mistake: column 10: it isn't clear what belongs to the ?? before this; put the ?? and its two sides in parentheses",
        ),
    ]);
}

#[test]
fn a_pipe_hands_its_left_side_on_as_the_first_argument() {
    holds(&[
        "' A ' | trim() | lower() == 'a'",
        "[3, 1, 2] | sort() | first() == 1",
        "[1, 2, 3] | filter(# > 1) | len() == 2",
        "[1, 2, 3] | map({# * 2}) | sum() == 12",
        "[1, 2, 3] | sum() == 6",
        "-1 | abs() == 1",
        "[1, 2, 3] | reduce(#acc + #, 10) == 16",
    ]);
}

#[test]
fn elements_are_counted_from_either_end_and_cut_out() {
    holds(&[
        "[1, 2, 3][0] == 1",
        "[1, 2, 3][-1] == 3",
        "[1, 2, 3, 4, 5][1:4] == [2, 3, 4]",
        "[1, 2, 3, 4, 5][1:-1] == [2, 3, 4]",
        "[1, 2, 3][:2] == [1, 2]",
        "[1, 2, 3][1:] == [2, 3]",
        "[1, 2, 3][:] == [1, 2, 3]",
        "[1, 2, 3][2:1] == []",
        "[1, 2, 3][0:99] == [1, 2, 3]",
        "[1, 2, 3][-99:1] == [1]",
        "'hello'[1:3] == 'el'",
        "'hello'[-2:] == 'lo'",
        "{a: 1}['a'] == 1",
        "[[1, 2], [3]][0][1] == 2",
        "1..3 == [1, 2, 3]",
        "3..1 == []",
        "2..2 == [2]",
        "-1..1 == [-1, 0, 1]",
    ]);
}

#[test]
fn what_does_not_go_together_is_said_with_its_place() {
    answers(&[
        (
            "1 + 'a' == 2",
            "1",
            "mistake: column 3: + doesn't go with a whole number and a text; asFloat and asInt make a number of a text",
        ),
        ("result + 'a' == 2", "1", "failure: column 8: + doesn't go with a number and a text"),
        ("result >= 0.95", r#""0.97""#, "failure: column 8: >= doesn't go with a text and a number"),
        ("result == 'ok'", "1", "failure: column 8: a number is never equal to a text"),
        ("result[0] == 'ok'", "[1]", "failure: column 11: a number is never equal to a text"),
        ("result >= 0.95", "[0.97]", "failure: column 8: >= doesn't go with an array and a number"),
        ("result > 0.5 && result", "1", "failure: column 17: this has to be true or false, and it is a number"),
        ("true < false", "1", "mistake: column 6: < doesn't go with true or false and true or false"),
        ("5 % 0 == 1", "1", "failure: column 3: there is no remainder by zero"),
        ("result % 2 == 1", "5", "failure: column 8: % wants whole numbers; make them whole with int(…)"),
        (
            "5.5 % 2 == 1",
            "1",
            "mistake: column 5: % doesn't go with a number with a fraction and a whole number; int makes a whole number",
        ),
        ("-'a' == 1", "1", "mistake: column 2: a sign wants a number, and this is a text"),
        ("!1", "1", "mistake: column 2: ! and not want true or false, and this is a whole number"),
        ("[1] == 1", "1", "mistake: column 5: == doesn't go with an array and a whole number"),
        ("'a'..'b' == []", "1", "mistake: column 1: a range wants a whole number, and this is a text"),
        ("result.a", "1", "failure: column 8: a number has no member \"a\""),
        ("result['a']", "[1]", "failure: column 7: an array has no member \"a\""),
        ("result[0]", "1", "failure: column 7: a number has no elements"),
        ("result[nil]", "[1]", "no data: there is nothing where an index is wanted"),
        ("result[0:1]", "1", "failure: column 7: a number has no slices"),
        ("'é'[0:1] == ''", "1", "failure: column 4: this slice cuts through a letter"),
        ("result", "1", "failure: column 1: this condition gives a number and has to give true or false"),
    ]);
    // What a server answered may be of any kind, and the language compares it without complaint.
    fails_for(r#"{"code": 200}"#, &["result.code == '200'"]);
    holds_for(r#"{"code": 200}"#, &["result.code != '200'", "result.code == 200"]);
}
