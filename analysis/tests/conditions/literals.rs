//! Numbers, texts, arrays, maps, comments and variables as they are written.

use crate::{answers, fails, holds, holds_for};

#[test]
fn numbers_are_written_in_four_bases_and_with_underscores() {
    holds(&[
        "42 == 42.0",
        "0x2A == 42",
        "0X2a == 42",
        "0o52 == 42",
        "0b101010 == 42",
        "1_000_000 == 1000000",
        "0xFF_FF == 65535",
        "007 == 7",
        ".5 == 0.5",
        "1. == 1",
        "1e3 == 1000",
        "1.5e-3 == 0.0015",
        "2E+2 == 200",
        "9223372036854775807 > 0",
        "-5 == 0 - 5",
        "+5 == 5",
    ]);
    fails(&["1 == 1.0000001", "0x10 == 10", "-1 == 1"]);
}

#[test]
fn texts_have_three_kinds_of_quotes() {
    holds(&[
        r#""foo" == 'foo'"#,
        "`foo` == 'foo'",
        r#"'say "hi"' == "say \"hi\"""#,
        r"'a\'b' == `a'b`",
        r"len('a\nb') == 3",
        r"'\t' == '	'",
        r"'\\' == `\`",
        r"len(`\n`) == 2",
        r"'\u00e9' == 'é'",
        r"'\u{1F600}' == '😀'",
        r"'\x41\102' == 'AB'",
        r"'\U0001F600' == '😀'",
        "`a``b` == 'a' + '`' + 'b'",
        "'' == ``",
        "`two\nlines` == 'two\\nlines'",
    ]);
}

#[test]
fn arrays_and_maps_are_written_as_in_the_docs() {
    holds(&[
        "[1, 2, 3] == [1, 2, 3,]",
        "[] == []",
        "len([1, [2, 3]]) == 2",
        "{a: 1, b: 2} == {'a': 1, \"b\": 2,}",
        "{} == {}",
        "{1: 'x'}['1'] == 'x'",
        "{('a' + 'b'): 1}.ab == 1",
        "{a: {b: 2}}.a.b == 2",
        "nil == nil",
    ]);
    fails(&["[1, 2] == [2, 1]", "{a: 1} == {a: 2}", "{a: 1} == {b: 1}", "[1] == [1, 2]"]);
}

#[test]
fn comments_say_nothing() {
    holds(&[
        "true // never false",
        "/* not */ true",
        "1 /* one */ + 1 == 2 // two",
        "true /* a\nb */",
        "// first\ntrue",
    ]);
}

#[test]
fn variables_are_named_once_and_used_behind() {
    holds(&[
        "let x = 42; x * 2 == 84",
        "let x = 42; let y = 2; x * y == 84",
        "let name = 'A,B' | lower() | split(','); 'hi ' + name[0] == 'hi a'",
        "(let x = 1; x + 1) == 2",
        "let notReady = 0; notReady == 0",
        "let nilv = 1; let trueRate = 2; let inner = 3; nilv + trueRate + inner == 6",
        "let orders = 1; let android = 2; orders < android",
        "all([1, 2], {let twice = # * 2; twice > 1})",
        "false; true",
        "true;",
    ]);
    holds_for("[0.5, 0.7]", &["let worst = min(result); worst >= 0.5", "let r = result; r[1] > r[0]"]);
    answers(&[
        ("let x = 1; let x = 2; x > 1", "1", "mistake: column 16: there is a variable x already; choose another name"),
        ("let result = 1; true", "1", "mistake: column 5: result is a name of the language; choose another"),
        ("let len = 1; true", "1", "mistake: column 5: len is a name of the language; choose another"),
        ("let in = 1; true", "1", "mistake: column 5: expected the name of a variable, found \"in\""),
        ("let x 1; true", "1", "mistake: column 7: expected = and a value, found \"1\""),
        ("let x = 1", "1", "mistake: column 10: expected ; behind the value of this variable, found the end"),
        (
            "(let x = 1; x > 0) && x > 0",
            "1",
            "mistake: column 23: there is no \"x\" here; what was measured is called result",
        ),
    ]);
}
