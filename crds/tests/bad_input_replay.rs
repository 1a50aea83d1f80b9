//! The corpus, and thousands of mutations of it, fed to everything that reads what a user wrote. Each mutation comes
//! from a seed that a failure names, so that it can be run again alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::{fs, str};

use serde_json::{Map, Value, json};
use sluice_crds::fuzz;

/// Pieces of text that parsers stumble over.
const TOKENS: &[&str] = &[
    "---\n",
    "...\n",
    "&a ",
    "*a",
    "<<: *a\n",
    "!!binary ",
    "!!str ",
    "{",
    "}",
    "[",
    "]",
    "|\n",
    ">-\n",
    "\t",
    "\r\n",
    ": ",
    "- ",
    "? ",
    "'",
    "\"",
    "\\",
    "#",
    "%YAML 1.2\n",
    "~",
    "null",
    "yes",
    "0755",
    "1e999",
    "-9223372036854775809",
    ".nan",
    "{{args.x}}",
    "{{",
    "}}",
    "\u{0}",
    "\u{feff}",
    "\u{202e}",
    "é",
    "\u{1f600}",
    "spec:\n",
    "  steps:\n",
    "pause: {}",
];

/// Values that stand where others are meant.
fn odd_values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1.5),
        json!(1e300),
        json!(""),
        json!("10x"),
        json!("{{args.x}}"),
        json!("a\u{0}b\u{202e}"),
        json!("x".repeat(300)),
        json!([]),
        json!({}),
        json!([null, {}, [], "a", 5]),
        json!({"": {"a/b": null}, "name": "x"}),
    ]
}

/// SplitMix64: small, seeded, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.roll() % (bound.max(1) as u64)).unwrap_or(0)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

fn corpus(extension: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = ["tests/corpus", "tests/data/manifests"]
        .iter()
        .flat_map(|folder| fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).into_iter().flatten())
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no corpus of {extension} files");
    paths.iter().map(|path| fs::read(path).unwrap_or_default()).collect()
}

/// Every object of the corpus as JSON.
fn objects() -> Vec<Value> {
    let texts = corpus("yaml").into_iter().filter_map(|bytes| String::from_utf8(bytes).ok());
    let objects: Vec<Value> = texts
        .flat_map(|text| text.split("\n---\n").map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|document| serde_saphyr::from_str::<Value>(&document).ok())
        .filter(Value::is_object)
        .collect();
    assert!(objects.len() > 10, "only {} objects in the corpus", objects.len());
    objects
}

/// Runs one input and, if it breaks, says which it was.
fn run(target: fn(&[u8]), input: &[u8], what: &str) {
    if catch_unwind(AssertUnwindSafe(|| target(input))).is_err() {
        panic!("{what} breaks on:\n{}", String::from_utf8_lossy(input));
    }
}

fn mutate_bytes(input: &[u8], others: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        let end = (at + dice.below(40)).min(bytes.len());
        match dice.below(6) {
            0 => drop(bytes.drain(at..end)),
            1 => drop(bytes.splice(at..at, dice.pick(TOKENS).bytes())),
            2 => drop(bytes.splice(at..end, dice.pick(TOKENS).bytes())),
            3 => {
                let copy = bytes[at..end].to_vec();
                let to = dice.below(bytes.len() + 1);
                drop(bytes.splice(to..to, copy));
            }
            4 => {
                let other = dice.pick(others);
                let from = dice.below(other.len());
                let piece = other[from..(from + dice.below(200)).min(other.len())].to_vec();
                drop(bytes.splice(at..end, piece));
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << dice.below(8);
                }
            }
        }
    }
    bytes
}

/// Changes one value somewhere in the tree: another one in its place, a field renamed, taken out or moved.
fn mutate_json(value: &mut Value, odd: &[Value], dice: &mut Dice) {
    match value {
        Value::Object(fields) if !fields.is_empty() && dice.below(8) > 0 => {
            let keys: Vec<String> = fields.keys().cloned().collect();
            let key = dice.pick(&keys).clone();
            match dice.below(12) {
                0 => drop(fields.remove(&key)),
                1 => rename(fields, &key, dice),
                2 => drop(fields.insert(format!("{key}s"), json!({ "a": 1 }))),
                3 => drop(fields.insert(dice.pick(&keys).clone(), fields[&key].clone())),
                _ => mutate_json(&mut fields[&key], odd, dice),
            }
        }
        Value::Array(items) if !items.is_empty() && dice.below(8) > 0 => {
            let at = dice.below(items.len());
            match dice.below(8) {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                2 => items.insert(at, dice.pick(odd).clone()),
                _ => mutate_json(&mut items[at], odd, dice),
            }
        }
        _ => *value = dice.pick(odd).clone(),
    }
}

fn rename(fields: &mut Map<String, Value>, key: &str, dice: &mut Dice) {
    if let Some(value) = fields.remove(key) {
        let at = dice.below(key.len() + 1);
        let at = (0..=at).rev().find(|at| key.is_char_boundary(*at)).unwrap_or(0);
        fields.insert(format!("{}{}", &key[..at], key[at..].to_uppercase()), value);
    }
}

#[test]
fn texts_of_the_corpus_and_their_mutations_are_linted_without_harm() {
    let corpus = corpus("yaml");
    for (index, input) in corpus.iter().enumerate() {
        run(fuzz::text, input, &format!("file {index} of the corpus"));
    }
    for seed in 0..1_000 {
        let mut dice = Dice(seed);
        let input = mutate_bytes(&corpus[dice.below(corpus.len())], &corpus, &mut dice);
        run(fuzz::text, &input, &format!("lint, seed {seed},"));
    }
}

#[test]
fn objects_of_the_corpus_and_their_mutations_are_read_without_harm() {
    let objects = objects();
    let odd = odd_values();
    for seed in 0..700 {
        let mut dice = Dice(seed);
        let mut object = dice.pick(&objects).clone();
        for _ in 0..=dice.below(3) {
            mutate_json(&mut object, &odd, &mut dice);
        }
        let input = object.to_string();
        run(fuzz::json, input.as_bytes(), &format!("reading, seed {seed},"));
        run(fuzz::text, input.as_bytes(), &format!("lint, seed {seed},"));
        let template = object.pointer("/spec/template").unwrap_or(&object).to_string();
        run(fuzz::hash, template.as_bytes(), &format!("the hash, seed {seed},"));
    }
}

#[test]
fn small_values_and_their_mutations_are_read_without_harm() {
    let lines: Vec<Vec<u8>> = corpus("txt")
        .concat()
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(<[u8]>::to_vec)
        .collect();
    for line in &lines {
        run(fuzz::small_values, line, "a small value of the corpus");
    }
    for seed in 0..20_000 {
        let mut dice = Dice(seed);
        let input = mutate_bytes(&lines[dice.below(lines.len())], &lines, &mut dice);
        run(fuzz::small_values, &input, &format!("a small value, seed {seed},"));
    }
}
