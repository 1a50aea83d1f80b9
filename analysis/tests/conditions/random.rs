//! Whatever is written and whatever is measured: no panic, no hang, and the same answer twice.

use crate::now;
use sluice_analysis::condition::{Condition, Value};

/// A small generator of our own, so that a seed says everything.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("small")
    }

    fn one_of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }
}

const PIECES: [&str; 96] = [
    "result",
    "result[0]",
    "result.a",
    "result?.a",
    "0.95",
    "1",
    "0",
    "-1",
    "1e300",
    "0x7fffffffffffffff",
    "nil",
    "true",
    "false",
    "'a'",
    "\"b\"",
    "`c`",
    "'[0-9]+'",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    ",",
    ";",
    ":",
    "?",
    "?:",
    "??",
    "?.",
    ".",
    "..",
    "#",
    "#acc",
    "#index",
    ".a",
    "+",
    "-",
    "*",
    "/",
    "%",
    "**",
    "^",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "&&",
    "||",
    "and",
    "or",
    "!",
    "not",
    "in",
    "not in",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "|",
    "let x =",
    "x",
    "if",
    "else",
    "len(",
    "all(",
    "any(",
    "filter(",
    "map(",
    "reduce(",
    "count(",
    "sum(",
    "sortBy(",
    "groupBy(",
    "max(",
    "mean(",
    "median(",
    "int(",
    "float(",
    "string(",
    "repeat(",
    "split(",
    "replace(",
    "date(",
    "duration(",
    "now()",
    ".Seconds()",
    "toJSON(",
    "fromJSON(",
    "default(",
    "isNaN(",
    "flatten(",
    "uniq(",
    "1..9",
];

const SOUND: [&str; 12] = [
    "result[0] >= 0.95",
    "len(result) == 0 || result[0] < 0.05",
    "all(result, {# > 0.5})",
    "isNaN(result[0]) || result[0] > 1",
    "let worst = max(result); worst < 5 && worst > -5",
    "reduce(result, #acc + # * #index, 0) > 3",
    "(result[0] ?? 1) == 1 ? true : result[1:3] == [1, 2]",
    "result | filter(# > 0) | map({# * 2}) | sum() > 3",
    "'a' in {a: 1, b: [2]} and 'abc' matches '^a.c$'",
    "date('2023-08-14') < now() - duration('1h30m')",
    "fromJSON('{\"a\": [1, null]}').a[0] == 1",
    "string(sortBy([{a: 2}, {a: 1}], .a, 'desc')) contains 'map'",
];

fn results() -> Vec<Value> {
    let json = serde_json::json!({"a": [1, "x", null], "b": {"a": true}, "c": "text"});
    vec![
        Value::Nil,
        Value::from(0.97),
        Value::from(f64::NAN),
        Value::from(vec![]),
        Value::from(vec![0.1, f64::NAN, f64::INFINITY, -3.0]),
        Value::from("text"),
        Value::try_from(&json).expect("a value"),
    ]
}

/// Compiles and judges; returns whether it was a condition at all.
fn tried(source: &str, results: &[Value]) -> bool {
    match Condition::compile(source) {
        Ok(condition) => {
            for result in results {
                let outcome = condition.judge(result, now());
                assert_eq!(outcome, condition.judge(result, now()), "{source:?} says something else the second time");
                if let Err(failure) = outcome {
                    assert!(failure.to_string().len() < 1_000, "{source:?}: {failure}");
                }
                let sentence = condition.explain(result, now()).map(|comparison| comparison.to_string());
                assert!(sentence.is_none_or(|sentence| sentence.len() < 1_000));
            }
            true
        }
        Err(mistake) => {
            assert!(mistake.place.byte <= source.len(), "{source:?}: {mistake:?}");
            assert!(mistake.to_string().len() < 1_000, "{source:?}: {mistake}");
            false
        }
    }
}

#[test]
fn random_bytes_are_read_without_panic() {
    let results = results();
    for seed in 0..4_000 {
        let mut dice = Dice(seed);
        let length = dice.below(60);
        let bytes: Vec<u8> = (0..length).map(|_| dice.next().to_le_bytes()[0]).collect();
        tried(&String::from_utf8_lossy(&bytes), &results);
    }
}

#[test]
fn random_words_in_a_row_are_judged_without_panic() {
    let results = results();
    let mut conditions = 0;
    for seed in 0..6_000 {
        let mut dice = Dice(seed);
        let length = 1 + dice.below(9);
        let words: Vec<&str> = (0..length).map(|_| dice.one_of(&PIECES)).collect();
        let mut source = words.join(" ");
        // Brackets that are closed go deeper than those that are not.
        let open = source.matches(['(', '[', '{']).count().saturating_sub(source.matches([')', ']', '}']).count());
        source.push_str(&")".repeat(open));
        conditions += usize::from(tried(&source, &results));
    }
    assert!(conditions > 50, "only {conditions} of these are conditions, too few to prove anything");
}

#[test]
fn mutated_conditions_are_judged_without_panic() {
    let results = results();
    let mut conditions = 0;
    for seed in 0..6_000 {
        let mut dice = Dice(seed);
        let mut source: Vec<char> = dice.one_of(&SOUND).chars().collect();
        for _ in 0..=dice.below(3) {
            let at = dice.below(source.len());
            match dice.below(4) {
                0 => drop(source.remove(at)),
                1 => source.insert(at, dice.one_of(&PIECES).chars().next().unwrap_or(' ')),
                2 => {
                    let piece = dice.one_of(&PIECES).chars();
                    drop(source.splice(at..at, piece));
                }
                _ => source.swap(at, 0),
            }
            if source.is_empty() {
                break;
            }
        }
        conditions += usize::from(tried(&source.iter().collect::<String>(), &results));
    }
    assert!(conditions > 300, "only {conditions} of these are conditions, too few to prove anything");
}

#[test]
fn every_way_to_nest_ends_before_the_stack_does() {
    // A worker of the controller has two megabytes.
    let worker = std::thread::Builder::new().stack_size(2 << 20);
    let nested = worker.spawn(|| {
        let ways = [
            ("(", ")"),
            ("[", "]"),
            ("{a: ", "}"),
            ("!", ""),
            ("- ", ""),
            ("not ", ""),
            ("len(", ")"),
            ("all([1], ", ")"),
            ("true ? ", " : false"),
            ("false ?: ", ""),
            ("1 ?? (", ")"),
            ("1 + (", ")"),
            ("2 ** ", ""),
            ("let x = (", "); x"),
            ("if true { ", " } else { true }"),
            ("1 < (", ")"),
            ("true && (", ")"),
            ("[1][", "]"),
            ("[1] | map(", ")"),
        ];
        for (before, behind) in ways {
            for depth in [10, 60, 63, 64, 65, 400, 4_000] {
                tried(&format!("{}true{}", before.repeat(depth), behind.repeat(depth)), &[Value::Nil]);
                tried(&format!("{}result{}", before.repeat(depth), behind.repeat(depth)), &[Value::from(true)]);
            }
        }
        for behind in
            [".a", "[0]", "?.a", "[:]", " + 1", " ?? 1", " | len()", " && true", " < 1", " in [1]", "(", "; true"]
        {
            for depth in [10, 62, 63, 64, 400, 2_000] {
                tried(&format!("result{}", behind.repeat(depth)), &[Value::from(vec![1.0])]);
            }
        }
    });
    assert!(nested.is_ok_and(|nested| nested.join().is_ok()));
}
