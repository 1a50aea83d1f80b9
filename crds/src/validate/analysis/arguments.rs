//! Arguments: how they are declared, where their values come from, and where `{{args.name}}` uses them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::analysis::{Argument, Metric};
use crate::mistake::{FieldPath, Mistake, Segment, word};
use crate::validate::fields::{Found, repeated, required_text, taken};

/// Arguments and where their values come from, as templates, runs and Experiments write them.
pub(in crate::validate) fn check(path: &FieldPath, arguments: &[Argument], found: &mut Found) {
    let path = path.field("args");
    for (index, argument) in arguments.iter().enumerate() {
        let path = path.index(index);
        required_text(path.field("name"), Some(&argument.name), "name the argument", found);
        let Some(source) = &argument.value_from else {
            continue;
        };
        if argument.value.is_some() {
            found.push(Mistake::about(path.clone(), "has both value and valueFrom", "keep one of the two"));
        }
        let path = path.field("valueFrom");
        match (&source.secret_key_ref, &source.field_ref) {
            (None, None) => {
                found.push(Mistake::missing(path.clone(), "names no source", "write secretKeyRef or fieldRef"));
            }
            (Some(_), Some(_)) => {
                found.push(Mistake::about(path.clone(), "has both secretKeyRef and fieldRef", "keep one of the two"));
            }
            _ => {}
        }
        if let Some(secret) = &source.secret_key_ref {
            let path = path.field("secretKeyRef");
            required_text(path.field("name"), Some(&secret.name), "name the Secret", found);
            required_text(path.field("key"), Some(&secret.key), "name the key in the Secret", found);
        }
        if let Some(field) = &source.field_ref {
            let path = path.field("fieldRef").field("fieldPath");
            required_text(path, Some(&field.field_path), "write a field such as metadata.labels['region']", found);
        }
    }
    for (index, name) in repeated(arguments.iter().map(|argument| argument.name.as_str())) {
        found.push(taken(path.index(index).field("name"), name));
    }
}

/// A use of an argument that nobody declares.
pub(super) struct Undeclared {
    pub(super) path: FieldPath,
    pub(super) name: String,
}

impl Undeclared {
    /// The use as it is written.
    pub(super) fn tag(&self) -> String {
        format!("{{{{args.{}}}}}", word(&self.name))
    }
}

/// Where metrics use arguments that are not declared; each name once a metric.
pub(super) fn undeclared(path: &FieldPath, metrics: &[Metric], declared: &BTreeSet<&str>) -> Vec<Undeclared> {
    let mut found = Vec::new();
    for (index, metric) in metrics.iter().enumerate() {
        let Ok(json) = serde_json::to_value(metric) else {
            continue;
        };
        let mut search =
            Search { path: path.field("metrics").index(index), declared, told: BTreeSet::new(), found: &mut found };
        search.look_at(&json);
    }
    found
}

struct Search<'s> {
    path: FieldPath,
    declared: &'s BTreeSet<&'s str>,
    told: BTreeSet<String>,
    found: &'s mut Vec<Undeclared>,
}

impl Search<'_> {
    fn look_at(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                for name in used_in(text) {
                    if !self.declared.contains(name) && self.told.insert(name.to_owned()) {
                        self.found.push(Undeclared { path: self.path.clone(), name: name.to_owned() });
                    }
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.path.enter(Segment::Index(index));
                    self.look_at(item);
                    self.path.leave();
                }
            }
            Value::Object(fields) => {
                for (name, field) in fields {
                    self.path.enter(Segment::Field(name.clone().into()));
                    self.look_at(field);
                    self.path.leave();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// The names of the arguments that a text uses.
fn used_in(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{").skip(1).filter_map(|rest| {
        let (tag, _) = rest.split_once("}}")?;
        tag.trim().strip_prefix("args.").map(str::trim)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_of_arguments_are_found_wherever_they_stand() {
        let rows: [(&str, &[&str]); 6] = [
            ("{{args.service}}", &["service"]),
            ("a {{ args.a-b }} and {{args.c}}", &["a-b", "c"]),
            ("{{inputs.x}}", &[]),
            ("{{args.open", &[]),
            ("}}{{", &[]),
            ("{{{{args.twice}}}}", &["twice"]),
        ];
        for (text, expected) in rows {
            assert_eq!(used_in(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }
}
