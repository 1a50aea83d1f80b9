//! Functions of numbers and conversions.

use crate::{answers, fails, holds, holds_for};

#[test]
fn rounding_and_signs() {
    holds(&[
        "abs(-5) == 5",
        "abs(-1.5) == 1.5",
        "type(abs(-5)) == 'int'",
        "ceil(1.5) == 2.0",
        "ceil(-1.5) == -1",
        "floor(1.5) == 1.0",
        "floor(-1.5) == -2",
        "round(1.5) == 2.0",
        "round(-1.5) == -2",
        "round(1.4) == 1",
        "round(2.5) == 3",
        "type(round(2)) == 'float'",
    ]);
}

#[test]
fn the_largest_the_smallest_and_the_middle() {
    holds(&[
        "max(5, 7) == 7",
        "min(5, 7) == 5",
        "max(1, 2.5) == 2.5",
        "min([3, 1, 2]) == 1",
        "max([1, 2], 3, [[4]]) == 4",
        "type(max(1, 2)) == 'int'",
        "mean([1, 2, 3]) == 2.0",
        "mean(1, 2, 3, 4) == 2.5",
        "mean([1, [2, 3]]) == 2",
        "median([1, 2, 3]) == 2.0",
        "median([4, 1, 3, 2]) == 2.5",
        "median([7]) == 7",
        "sum([1, 2, 3]) == 6",
        "sum([]) == 0",
        "sum([0.5, 1]) == 1.5",
        "sum([1, 2, 3], # * 2) == 12",
        "type(sum([1])) == 'int'",
    ]);
    holds_for(
        "[0.1, 0.5, 0.3]",
        &["max(result) == 0.5", "mean(result) < 0.31", "median(result) == 0.3", "sum(result) < 1"],
    );
    answers(&[
        ("max(['a']) > 1", "1", "failure: column 1: max wants numbers, and this is a text"),
        ("mean('a') > 1", "1", "failure: column 1: mean wants numbers, and this is a text"),
        ("sum(['a']) > 1", "1", "failure: column 1: + doesn't go with a number and a text"),
    ]);
}

#[test]
fn texts_become_numbers_and_numbers_texts() {
    holds(&[
        "int('123') == 123",
        "int(1.9) == 1",
        "int(-1.9) == -1",
        "int(7) == 7",
        "float('123.45') == 123.45",
        "float('1e3') == 1000",
        "float(3) == 3",
        "type(float(3)) == 'float'",
        "isInf(float('Inf'))",
        "isNaN(float('NaN'))",
        "string(123) == '123'",
        "string(1.5) == '1.5'",
        "string(1.0) == '1'",
        "string(1000000.0) == '1e+06'",
        "string(123456.0) == '123456'",
        "string(1234567.5) == '1.2345675e+06'",
        "string(0.0001) == '0.0001'",
        "string(0.00001) == '1e-05'",
        "string(true) == 'true'",
        "string(nil) == '<nil>'",
        "string([1, 'a']) == '[1 a]'",
        "string({b: 2, a: 1}) == 'map[a:1 b:2]'",
        "asInt('42') == 42",
        "asInt(42.9) == 42",
        "asFloat('0.5') == 0.5",
        "asFloat(1) == 1.0",
        "type(asInt(1.0)) == 'int'",
    ]);
    holds_for(r#""0.97""#, &["asFloat(result) >= 0.95"]);
    holds_for(r#""97""#, &["asInt(result) >= 95"]);
    answers(&[
        ("int('abc') > 1", "1", "failure: column 1: int can't make a number of the text \"abc\""),
        ("int('1.5') > 1", "1", "failure: column 1: int can't make a number of the text \"1.5\""),
        ("asFloat(result) > 1", r#""n/a""#, "failure: column 1: asFloat can't make a number of the text \"n/a\""),
        ("asInt(result) > 1", "true", "failure: column 1: asInt wants a number, and this is true or false"),
        ("int(1 / 0) > 1", "1", "failure: column 1: int can't make a whole number of inf"),
        ("int(0 / 0) > 1", "1", "no data: int can't make a whole number of NaN"),
    ]);
}

#[test]
fn what_a_value_is_can_be_asked() {
    holds(&[
        "type(42) == 'int'",
        "type(4.2) == 'float'",
        "type('hello') == 'string'",
        "type(true) == 'bool'",
        "type(nil) == 'nil'",
        "type([]) == 'array'",
        "type({}) == 'map'",
        "type(now()) == 'time.Time'",
        "type(duration('1h')) == 'time.Duration'",
        "isNaN(0 / 0)",
        "isInf(1 / 0)",
        "isNil(nil)",
    ]);
    fails(&["isNaN(1.5)", "isNaN(1)", "isInf(0 / 0)", "isInf(1)", "isNil(0)", "isNil('')"]);
    // All numbers of JSON and Prometheus are floats.
    holds_for(r#"{"count": 3}"#, &["type(result.count) == 'float'", "string(result.count) == '3'"]);
    answers(&[
        ("isNaN('a')", "1", "mistake: column 7: isNaN wants a number, and this is a text"),
        ("isNaN(result)", "[1]", "failure: column 1: isNaN wants a number, and this is an array"),
    ]);
}

#[test]
fn bits() {
    holds(&[
        "bitand(0b1010, 0b1100) == 0b1000",
        "bitor(0b1010, 0b1100) == 0b1110",
        "bitxor(0b1010, 0b1100) == 0b110",
        "bitnand(0b1010, 0b1100) == 0b10",
        "bitnot(0b1010) == -0b1011",
        "bitshl(0b101101, 2) == 0b10110100",
        "bitshr(0b101101, 2) == 0b1011",
        "bitushr(-0b101, 2) == 4611686018427387902",
        "bitshl(1, 64) == 0",
        "bitshr(-1, 99) == -1",
    ]);
    answers(&[("bitshl(1, -1) == 0", "1", "failure: column 1: bitshl can't shift by -1")]);
}
