//! Arguments: `{{args.name}}` in a metric becomes its value.

mod experiment_run;
mod field_ref;
mod merge;
mod new_run;
mod secret;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sluice_crds::analysis::Metric;
use sluice_crds::mistake::{FieldPath, Mistake};

pub use experiment_run::{ExperimentFacts, new_experiment_run};
pub use merge::{Merged, Templates, merge};
pub use new_run::{RolloutFacts, new_run, resolved};
pub use secret::needed_secrets;
pub(crate) use secret::resolve;

/// The largest metric, in bytes of text after its arguments are filled in: an argument that is used a thousand times
/// must not become an object that nobody can store.
const LARGEST: usize = 1 << 20;

/// Values of arguments by name.
pub(crate) type Values = BTreeMap<String, String>;

/// The metric with its arguments filled in, in keys and texts at any depth.
pub(crate) fn fill_in(path: &FieldPath, metric: &Metric, values: &Values) -> Result<Metric, Vec<Mistake>> {
    let mut filling = Filling { values, missing: BTreeSet::new(), room: LARGEST };
    let json = serde_json::to_value(metric).map_err(|error| vec![unreadable(path, &error)])?;
    let json = filling.value(json);
    let mut mistakes: Vec<Mistake> = filling
        .missing
        .iter()
        .map(|name| {
            let problem = format!("uses {{{{args.{name}}}}}, which has no value");
            Mistake::about(path.clone(), problem, format!("add {name} to spec.args with its value"))
        })
        .collect();
    if filling.room == 0 {
        let problem = format!("is larger than {LARGEST} bytes with its arguments filled in");
        mistakes.push(Mistake::about(path.clone(), problem, "give shorter values"));
    }
    if mistakes.is_empty() {
        serde_json::from_value(json).map_err(|error| vec![unreadable(path, &error)])
    } else {
        Err(mistakes)
    }
}

fn unreadable(path: &FieldPath, error: &serde_json::Error) -> Mistake {
    Mistake::about(path.clone(), format!("can't be read with its arguments filled in: {error}"), "check its types")
}

/// The names of the arguments that a metric uses.
pub(crate) fn used_by(metric: &Metric) -> BTreeSet<String> {
    let values = Values::new();
    let mut filling = Filling { values: &values, missing: BTreeSet::new(), room: usize::MAX };
    if let Ok(json) = serde_json::to_value(metric) {
        filling.value(json);
    }
    filling.missing
}

struct Filling<'v> {
    values: &'v Values,
    missing: BTreeSet<String>,
    room: usize,
}

impl Filling<'_> {
    fn value(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.value(item)).collect()),
            Value::Object(fields) => {
                let filled = fields.into_iter().map(|(key, field)| (self.text(key), self.value(field)));
                Value::Object(filled.collect())
            }
            other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
        }
    }

    /// What a value holds is not read again: a value with `{{args.x}}` in it stays as it is. Other words in double
    /// braces are left alone, because scripts and Go templates have them too.
    fn text(&mut self, text: String) -> String {
        if !text.contains("{{") {
            self.room = self.room.saturating_sub(text.len());
            return text;
        }
        let mut filled = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(start) = rest.find("{{") {
            filled.push_str(&rest[..start]);
            let Some((name, after)) = tag(&rest[start..]) else {
                filled.push('{');
                rest = &rest[start + 1..];
                continue;
            };
            match self.values.get(name) {
                Some(value) if filled.len() + value.len() <= self.room => filled.push_str(value),
                Some(_) => self.room = 0,
                None => {
                    self.missing.insert(name.to_owned());
                }
            }
            rest = after;
        }
        filled.push_str(rest);
        self.room = self.room.saturating_sub(filled.len());
        filled
    }
}

/// The name of the argument whose use the text begins with, and what stands behind it.
fn tag(text: &str) -> Option<(&str, &str)> {
    let (inside, after) = text.strip_prefix("{{")?.split_once("}}")?;
    let name = inside.trim().strip_prefix("args.")?.trim();
    (!name.is_empty() && !name.contains(['{', '}'])).then_some((name, after))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn values() -> Values {
        [("service", "web"), ("limit", "0.05"), ("sly", "{{args.service}}"), ("quote", "a\"b")]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    #[test]
    fn arguments_are_filled_in_wherever_they_stand() {
        let rows = [
            ("errors{service=\"{{args.service}}\"}", "errors{service=\"web\"}"),
            ("{{ args.service }}-{{args.limit}}", "web-0.05"),
            ("{{{args.service}}}", "{web}"),
            ("{{{{args.service}}}}", "{{web}}"),
            ("{{args.sly}}", "{{args.service}}"),
            ("{{.Status}} {{inputs.x}} {{", "{{.Status}} {{inputs.x}} {{"),
            ("{{args.service", "{{args.service"),
            ("no tags", "no tags"),
        ];
        for (text, expected) in rows {
            let metric = Metric { name: text.to_owned(), ..Metric::default() };
            let filled = fill_in(&FieldPath::root(), &metric, &values()).expect(text);
            assert_eq!(filled.name, expected);
        }
    }

    #[test]
    fn arguments_are_filled_in_deep_within_jobs_and_bodies_and_in_keys() {
        let metric: Metric = serde_json::from_value(json!({
            "name": "smoke", "count": "{{args.limit}}",
            "provider": {
                "job": {"spec": {"template": {"spec": {"containers": [{"args": ["{{args.quote}}"]}]}}}},
                "web": {"url": "http://{{args.service}}/", "jsonBody": {"{{args.service}}": [1, "{{args.limit}}"]}},
            },
        }))
        .expect("a metric");
        let filled = fill_in(&FieldPath::root(), &metric, &values()).expect("all arguments have values");
        assert_eq!(
            serde_json::to_value(filled).expect("JSON"),
            json!({
                "name": "smoke", "count": "0.05",
                "provider": {
                    "job": {"spec": {"template": {"spec": {"containers": [{"args": ["a\"b"]}]}}}},
                    "web": {"url": "http://web/", "jsonBody": {"web": [1, "0.05"]}},
                },
            })
        );
    }

    #[test]
    fn all_missing_arguments_are_told_at_once() {
        let metric = Metric { name: "{{args.b}} {{args.a}} {{args.b}}".to_owned(), ..Metric::default() };
        let path = FieldPath::of("spec.metrics").index(0);
        let mistakes = fill_in(&path, &metric, &values()).expect_err("two are missing");
        let sentences: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        assert_eq!(
            sentences,
            [
                "spec.metrics[0]: uses {{args.a}}, which has no value; add a to spec.args with its value",
                "spec.metrics[0]: uses {{args.b}}, which has no value; add b to spec.args with its value",
            ]
        );
    }

    #[test]
    fn a_value_used_a_thousand_times_does_not_fill_the_memory() {
        let values = Values::from([("big".to_owned(), "x".repeat(100_000))]);
        let metric = Metric { name: "{{args.big}}".repeat(1_000), ..Metric::default() };
        let mistakes = fill_in(&FieldPath::root(), &metric, &values).expect_err("100 MB");
        assert_eq!(
            mistakes[0].to_string(),
            "is larger than 1048576 bytes with its arguments filled in; give shorter values"
        );
    }
}
