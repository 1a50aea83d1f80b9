//! What is wrong with a condition is told before it is ever judged, with the place and the mend.

use crate::answers;
use sluice_analysis::condition::{Condition, LONGEST_SOURCE};

fn told(source: &str) -> String {
    Condition::compile(source).expect_err(source).to_string()
}

#[test]
fn a_caret_stands_under_the_place() {
    let cases = [
        ("result[0 < 0.05", "column 16: expected a closing ], found the end\n  result[0 < 0.05\n                 ^"),
        ("result] < 1", "column 7: this ] closes nothing; take it away or open its bracket\n  result] < 1\n        ^"),
        (
            "len(result) > 0 &&\nresullt[0] > 1",
            "line 2, column 1: there is no \"resullt\" here; did you mean result?\n  resullt[0] > 1\n  ^",
        ),
        ("'é' == reslt", "column 8: there is no \"reslt\" here; did you mean result?\n  'é' == reslt\n         ^"),
    ];
    for (source, expected) in cases {
        assert_eq!(told(source), expected);
    }
}

#[test]
fn a_long_line_is_shown_around_the_place() {
    let source = format!("{} && nope && {}", vec!["true"; 40].join(" && "), vec!["true"; 40].join(" && "));
    let told = told(&source);
    let lines: Vec<&str> = told.lines().collect();
    let (line, caret) = (lines[1], lines[2]);
    assert!(line.starts_with("  …") && line.ends_with('…'), "{line}");
    let place = caret.chars().position(|letter| letter == '^').expect("a caret");
    assert_eq!(line.chars().skip(place).take(4).collect::<String>(), "nope");
}

#[test]
fn unknown_names_come_with_a_guess() {
    let cases = [
        ("resutl > 1", "there is no \"resutl\" here; did you mean result?"),
        ("Result > 1", "there is no \"Result\" here; did you mean result?"),
        ("value > 1", "there is no \"value\" here; what was measured is called result"),
        ("length(result) > 1", "there is no function \"length\"; did you mean len?"),
        ("lne(result) > 1", "there is no function \"lne\"; did you mean len?"),
        ("isNan(result)", "there is no function \"isNan\"; did you mean isNaN?"),
        ("avg(result) > 1", "there is no function \"avg\"; did you mean mean?"),
        ("histogram(result) > 1", "there is no function \"histogram\""),
        ("result == null", "there is no \"null\" here; did you mean nil?"),
        ("result == True", "there is no \"True\" here; did you mean true?"),
        ("let limit = 1; limti > 1", "there is no \"limti\" here; did you mean limit?"),
        ("len > 1", "len is a function; call it: len(result)"),
        ("result | nope()", "there is no function \"nope\"; did you mean none?"),
    ];
    for (source, expected) in cases {
        let mistake = Condition::compile(source).expect_err(source);
        let sentence = mistake.to_string();
        assert!(sentence.lines().next().is_some_and(|line| line.ends_with(expected)), "{source}: {sentence}");
    }
}

#[test]
fn texts_that_are_no_conditions() {
    answers(&[
        (
            "",
            "1",
            "mistake: column 1: expected a value, found the end; write a number, a text, result, a function or a bracket",
        ),
        (
            "   ",
            "1",
            "mistake: column 4: expected a value, found the end; write a number, a text, result, a function or a bracket",
        ),
        (
            "result >",
            "1",
            "mistake: column 9: expected a value, found the end; write a number, a text, result, a function or a bracket",
        ),
        (
            "result > > 1",
            "1",
            "mistake: column 10: expected a value, found \">\"; write a number, a text, result, a function or a bracket",
        ),
        (
            "result[]",
            "1",
            "mistake: column 8: expected a value, found \"]\"; write a number, a text, result, a function or a bracket",
        ),
        (
            "result 1",
            "1",
            "mistake: column 8: expected an operator or the end, found \"1\"; write an operator such as && between two values",
        ),
        ("result = 1", "1", "mistake: column 8: = gives a name to a variable; write == to compare"),
        ("result == 'x", "1", "mistake: column 11: this text never ends; close it with ' on the same line"),
        ("result == 'x\ny'", "1", "mistake: column 11: this text never ends; close it with ' on the same line"),
        ("result == `x", "1", "mistake: column 11: this text never ends; close it with `"),
        ("true /* open", "1", "mistake: column 6: this comment never ends; write */"),
        (r"result == '\q'", "1", r"mistake: column 12: this escape is unknown; write \n, \t, \\, \' or \u00e9"),
        ("result & 1", "1", "mistake: column 8: & alone means nothing; write && or and"),
        ("result @ 1", "1", "mistake: column 8: '@' has no meaning in a condition"),
        (
            "result > 5m",
            "1",
            "mistake: column 10: \"5m\" is not a number; names begin with a letter, and units stand in the query",
        ),
        (
            "result > 5%",
            "1",
            "mistake: column 12: expected a value, found the end; write a number, a text, result, a function or a bracket",
        ),
        (
            "0xZ > 1",
            "1",
            "mistake: column 1: \"0xZ\" is not a number; names begin with a letter, and units stand in the query",
        ),
        ("0x > 1", "1", "mistake: column 1: \"0x\" is not a whole number of base 16 in 64 bits"),
        ("0b12 > 1", "1", "mistake: column 1: \"0b12\" is not a whole number of base 2 in 64 bits"),
        (
            "9223372036854775808 > 1",
            "1",
            "mistake: column 1: \"9223372036854775808\" is too large for a whole number; write 9223372036854775808.0 for a number with a fraction",
        ),
        ("1e999 > 1", "1", "mistake: column 1: \"1e999\" is not a number in 64 bits"),
        (
            "result > {{args.limit}}",
            "1",
            "mistake: column 10: {{…}} was not replaced by the value of an argument; the metric's args have to give it",
        ),
        (
            "{,} == {}",
            "1",
            "mistake: column 2: expected the key of a map: a name, a text, a number or (…), found \",\"",
        ),
        ("{a 1} == {}", "1", "mistake: column 4: expected a : behind the key, found \"1\""),
        ("[1 2] == []", "1", "mistake: column 4: expected a comma or a closing ], found \"2\""),
        (
            "result.1 > 1",
            "1",
            "mistake: column 7: expected an operator or the end, found \".1\"; write an operator such as && between two values",
        ),
        ("result. > 1", "1", "mistake: column 9: expected the name of a member, found \">\""),
        ("true ? 1", "1", "mistake: column 9: expected the : of this choice, found the end"),
        ("if true { true }", "1", "mistake: column 17: expected else, found the end"),
        ("len(result", "1", "mistake: column 11: expected a comma or a closing ), found the end"),
        ("(result > 1", "1", "mistake: column 12: expected a closing ), found the end"),
        ("result | 5", "1", "mistake: column 10: expected the name of a function, found \"5\""),
    ]);
}

#[test]
fn functions_are_given_what_they_take() {
    answers(&[
        ("len() > 1", "1", "mistake: column 1: len takes 1 argument, and 0 are given"),
        ("len(result, 1) > 1", "1", "mistake: column 1: len takes 1 argument, and 2 are given"),
        ("split('a') == []", "1", "mistake: column 1: split takes 2 to 3 arguments, and 1 are given"),
        ("max() > 1", "1", "mistake: column 1: max takes at least 1 argument, and 0 are given"),
        ("default(result) > 1", "1", "mistake: column 1: default takes 2 arguments, and 1 are given"),
        ("abs('a') > 1", "1", "mistake: column 5: abs wants a number, and this is a text"),
        ("keys([1]) == []", "1", "mistake: column 6: keys wants a map, and this is an array"),
    ]);
}

#[test]
fn a_condition_gives_true_or_false() {
    answers(&[
        (
            "0.95",
            "1",
            "mistake: column 1: this condition gives a number with a fraction and has to give true or false; compare it with something",
        ),
        (
            "'ok'",
            "1",
            "mistake: column 1: this condition gives a text and has to give true or false; compare it with something",
        ),
        (
            "nil",
            "1",
            "mistake: column 1: this condition gives nil and has to give true or false; compare it with something",
        ),
        (
            "len(result)",
            "1",
            "mistake: column 1: this condition gives a whole number and has to give true or false; compare it with something",
        ),
        ("result + 1", "1", "failure: column 8: this condition gives a number and has to give true or false"),
        (
            "true ? 1 : 2",
            "1",
            "mistake: column 6: this condition gives a whole number and has to give true or false; compare it with something",
        ),
        ("result > 1 && 5", "1", "mistake: column 15: && and || want true or false, and this is a whole number"),
        (
            "result > 1 ? 1 : 2",
            "1",
            "mistake: column 12: this condition gives a whole number and has to give true or false; compare it with something",
        ),
    ]);
}

#[test]
fn limits_are_told() {
    let long = format!("true || {}", "true || ".repeat(LONGEST_SOURCE / 8));
    assert!(
        told(&long).starts_with(
            "column 1: this condition has 8200 bytes, and 8192 are read; put the calculation into the query"
        )
    );
    let deep = format!("{}1{} > 0", "(".repeat(200), ")".repeat(200));
    assert!(told(&deep).contains("lie within one another more than 64 deep; write it flatter"), "{}", told(&deep));
    let spine = format!("{} > 0", vec!["1"; 200].join(" + "));
    assert!(told(&spine).contains("more than 64 deep"), "{}", told(&spine));
    // Conditions in a row are not deep.
    let row = vec!["result > 1"; 500].join(" || ");
    assert!(Condition::compile(&row).is_ok());
}

#[test]
fn evaluations_are_bounded() {
    let (steps, memory) = ("this takes more than 1000000 steps", "this makes more than 16 MiB of values");
    let cases = [
        ("len(1..20000000) > 1", memory),
        ("len(1..9223372036854775807) > 1", memory),
        ("let row = 1..2000; all(row, {all(row, true)})", steps),
        ("len(repeat('x', 1000000000)) > 1", memory),
        ("len(reduce(1..60, #acc + #acc, 'xx')) > 1", memory),
        ("len(reduce(1..300, [#acc], [])) > 1", "arrays and maps lie within one another more than 160 deep"),
        ("let a = reduce(1..40, [#acc, #acc], 1); a == a", steps),
        ("len(string(reduce(1..40, [#acc, #acc], 1))) > 1", "this makes more than 16 MiB of text"),
        ("len(toJSON(reduce(1..40, [#acc, #acc], 1))) > 1", memory),
        ("len(flatten(reduce(1..40, [#acc, #acc], 1))) > 1", memory),
        ("len(replace(repeat('a', 10000), 'a', repeat('b', 10000))) > 1", memory),
        ("any(1..1000, 'aaaa' matches ('a' + string(#)))", steps),
        ("len(uniq(1..2000)) > 1", steps),
    ];
    for (source, expected) in cases {
        let answer = crate::answer(source, "1");
        assert!(answer.starts_with("failure: ") && answer.ends_with(expected), "{source}: {answer}");
    }
}
