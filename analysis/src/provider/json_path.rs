//! JSONPath as kubectl reads it: `{$.data.items[0].ok}`, wildcards, recursive descent, slices and filters.

mod filter;
mod parse;

use serde_json::Value as Json;

use filter::Filter;

/// A path longer than this is not one that a person wrote.
const LONGEST: usize = 2_000;
/// Values that are looked at on the way; a filter below a recursive descent could otherwise take for ever.
const MOST_LOOKS: usize = 1_000_000;

/// A path, read once and used for every answer.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath {
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Field(String),
    Index(i64),
    Slice {
        start: Option<i64>,
        end: Option<i64>,
        step: i64,
    },
    /// Several of them, in the order in which they are written.
    Union(Vec<Step>),
    All,
    /// The value itself and everything below it.
    Descend,
    Filter(Filter),
}

impl JsonPath {
    /// Reads a path; what is wrong with it is said in words behind the text.
    pub fn read(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("has {} characters, and {LONGEST} are read", text.len()));
        }
        let text = text.trim();
        let inside = match text.strip_prefix('{') {
            Some(rest) => rest.strip_suffix('}').ok_or("has a { that is never closed")?,
            None => text,
        };
        let steps = parse::path(inside.trim())?;
        Ok(Self { steps })
    }

    /// All values at the path, in the order of the text.
    pub fn all<'j>(&self, json: &'j Json) -> Result<Vec<&'j Json>, String> {
        let mut room = MOST_LOOKS;
        find(&self.steps, json, json, &mut room)
    }

    /// The first value at the path.
    pub(crate) fn first<'j>(&self, json: &'j Json) -> Result<Option<&'j Json>, String> {
        Ok(self.all(json)?.first().copied())
    }
}

/// All values at a path, in the order of the text.
fn find<'j>(steps: &[Step], root: &'j Json, start: &'j Json, room: &mut usize) -> Result<Vec<&'j Json>, String> {
    let mut here = vec![start];
    for step in steps {
        let mut next = Vec::new();
        for value in here {
            go(step, root, value, &mut next, room)?;
            *room = room.checked_sub(next.len() + 1).ok_or("looks at too many values")?;
        }
        here = next;
    }
    Ok(here)
}

fn go<'j>(
    step: &Step,
    root: &'j Json,
    value: &'j Json,
    next: &mut Vec<&'j Json>,
    room: &mut usize,
) -> Result<(), String> {
    match (step, value) {
        (Step::Field(name), Json::Object(fields)) => next.extend(fields.get(name)),
        (Step::Index(index), Json::Array(items)) => next.extend(position(*index, items.len()).map(|at| &items[at])),
        (Step::Slice { start, end, step }, Json::Array(items)) => slice(items, *start, *end, *step, next),
        (Step::All, _) => next.extend(children(value)),
        (Step::Union(steps), _) => {
            for step in steps {
                go(step, root, value, next, room)?;
            }
        }
        (Step::Descend, _) => {
            let mut waiting = vec![value];
            while let Some(value) = waiting.pop() {
                next.push(value);
                let below = waiting.len();
                waiting.extend(children(value));
                waiting[below..].reverse();
                *room = room.checked_sub(1).ok_or("looks at too many values")?;
            }
        }
        (Step::Filter(filter), _) => {
            for child in children(value) {
                if filter.holds(root, child, room)? {
                    next.push(child);
                }
            }
        }
        (Step::Field(_) | Step::Index(_) | Step::Slice { .. }, _) => {}
    }
    Ok(())
}

fn children(value: &Json) -> Vec<&Json> {
    match value {
        Json::Array(items) => items.iter().collect(),
        Json::Object(fields) => fields.values().collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Vec::new(),
    }
}

/// Where an index points; a negative one counts from the end.
fn position(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    let at = if index < 0 { index.checked_add(length)? } else { index };
    if (0..length).contains(&at) { usize::try_from(at).ok() } else { None }
}

fn slice<'j>(items: &'j [Json], start: Option<i64>, end: Option<i64>, step: i64, next: &mut Vec<&'j Json>) {
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let bound = |at: i64| (if at < 0 { at.saturating_add(length) } else { at }).clamp(0, length);
    let (mut at, end) = (bound(start.unwrap_or(0)), bound(end.unwrap_or(length)));
    while at < end {
        next.extend(usize::try_from(at).ok().and_then(|at| items.get(at)));
        at = at.saturating_add(step);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_find_what_kubectl_finds() {
        let json = json!({
            "ok": true, "none": null, "a.b": 7, "it's": 8,
            "data": {"errors": 3, "items": [
                {"name": "a", "score": 1, "tags": ["x"]}, {"name": "b", "score": 2.5}, {"name": "c", "score": 9},
            ]},
            "deep": [{"more": {"score": 42}}],
        });
        let rows = [
            ("{$}", Some(json.clone())),
            ("{$.ok}", Some(json!(true))),
            ("{.ok}", Some(json!(true))),
            ("$.ok", Some(json!(true))),
            ("{.none}", Some(json!(null))),
            ("{$.data.errors}", Some(json!(3))),
            ("{$['data']['errors']}", Some(json!(3))),
            ("{$[\"data\"].errors}", Some(json!(3))),
            ("{.a\\.b}", Some(json!(7))),
            ("{['it\\'s']}", Some(json!(8))),
            ("{.data.items[0].name}", Some(json!("a"))),
            ("{.data.items[-1].name}", Some(json!("c"))),
            ("{.data.items[1:].name}", Some(json!("b"))),
            ("{.data.items[-1:].name}", Some(json!("c"))),
            ("{.data.items[0:3:2]}", Some(json!({"name": "a", "score": 1, "tags": ["x"]}))),
            ("{.data.items[2,0].name}", Some(json!("c"))),
            ("{.data.items[*].score}", Some(json!(1))),
            ("{.data.*}", Some(json!(3))),
            ("{..more.score}", Some(json!(42))),
            ("{..score}", Some(json!(1))),
            ("{.data.items[?(@.name==\"b\")].score}", Some(json!(2.5))),
            ("{.data.items[?(@.name=='c')].score}", Some(json!(9))),
            ("{.data.items[?(@.score > 2)].name}", Some(json!("b"))),
            ("{.data.items[?(@.score>=2.5)].name}", Some(json!("b"))),
            ("{.data.items[?(@.score != 1)].name}", Some(json!("b"))),
            ("{.data.items[?(@.tags)].name}", Some(json!("a"))),
            ("{.data.items[?(@.tags[0]=='x')].name}", Some(json!("a"))),
            ("{.data.items[?(@.score==$.data.errors)].name}", None),
            ("{.data.items[?(@.name==true)].name}", None),
            ("{.data.items[9]}", None),
            ("{.data.items.name}", None),
            ("{.missing.more}", None),
            ("{.ok.more}", None),
        ];
        for (path, expected) in rows {
            let read = JsonPath::read(path).unwrap_or_else(|problem| panic!("{path} {problem}"));
            assert_eq!(read.first(&json), Ok(expected.as_ref()), "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_told_in_words() {
        let rows = [
            ("{$.a", "has a { that is never closed"),
            ("{range .items[*]}{.name}{end}", "has more than one part in braces; write one path such as {$.data.ok}"),
            ("{.a[}", "has a [ that is never closed"),
            ("{.a[x]}", "has [x], which is no index; write [0], [*] or ['x']"),
            ("{.a[0:4:0]}", "has [0:4:0], whose step is not 1 or more"),
            ("{.a[?(@.b==)]}", "has a filter without a value; write one such as [?(@.name==\"a\")]"),
            ("{.a[?@.b]}", "has a filter without parentheses; write one such as [?(@.name==\"a\")]"),
            ("{.a['b}", "has a [ that is never closed"),
            ("{a b}", "has a blank where . or [ belongs"),
            ("{$.}", "ends with a dot"),
        ];
        for (path, expected) in rows {
            assert_eq!(JsonPath::read(path).err().as_deref(), Some(expected), "{path}");
        }
    }

    #[test]
    fn a_filter_below_a_recursive_descent_comes_to_an_end() {
        let json = json!({"a": (0..3_000).collect::<Vec<i32>>()});
        let path = JsonPath::read("{..[?(@==$..*)]}").expect("a path");
        assert_eq!(path.first(&json), Err("looks at too many values".to_owned()));
    }

    #[test]
    fn any_text_is_read_or_refused() {
        let seeds = ["{$.a..b[?(@.c>1)][0:1,'x']}", "[[[[[", "{..}", "{.[?(", "{[?(@]}", "$[-9223372036854775808:]"];
        for seed in seeds {
            for end in (0..=seed.len()).filter(|end| seed.is_char_boundary(*end)) {
                if let Ok(path) = JsonPath::read(&seed[..end]) {
                    let _ = path.first(&json!({"a": [{"b": [1, 2]}]}));
                }
            }
        }
    }
}
