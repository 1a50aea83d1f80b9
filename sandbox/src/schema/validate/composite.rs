//! `anyOf`, `oneOf`, `allOf` and `not`.

use serde_json::Value;

use super::super::{Child, FieldError, Schema};
use super::{Outcome, node};

pub(super) fn check(schema: &Schema, value: &Value, old: Option<&Value>, path: &str, outcome: &mut Outcome) {
    if !schema.any_of.is_empty() {
        any_of(&schema.any_of, value, old, path, outcome);
    }
    if !schema.one_of.is_empty() {
        one_of(&schema.one_of, value, old, path, outcome);
    }
    if !schema.all_of.is_empty() {
        all_of(&schema.all_of, value, old, path, outcome);
    }
    if let Some(not) = &schema.not
        && node(not, value, None, path).errors.is_empty()
    {
        complain(outcome, path, "must not validate the schema (not)");
    }
}

fn complain(outcome: &mut Outcome, path: &str, detail: &str) {
    outcome.errors.push(FieldError::invalid("", "", format!("\"{path}\" {detail}")));
}

fn any_of(schemas: &[Child], value: &Value, old: Option<&Value>, path: &str, outcome: &mut Outcome) {
    let mut best: Option<Outcome> = None;
    for schema in schemas {
        let result = node(schema, value, old, path);
        if result.errors.is_empty() {
            outcome.merge(result);
            return;
        }
        if best.as_ref().is_none_or(|best| result.matches > best.matches) {
            best = Some(result);
        }
    }
    complain(outcome, path, "must validate at least one schema (anyOf)");
    if let Some(best) = best {
        outcome.merge(best);
    }
}

fn one_of(schemas: &[Child], value: &Value, old: Option<&Value>, path: &str, outcome: &mut Outcome) {
    let mut valid = Vec::new();
    let mut best: Option<Outcome> = None;
    for schema in schemas {
        let result = node(schema, value, old, path);
        if result.errors.is_empty() {
            valid.push(result);
        } else if best.as_ref().is_none_or(|best| result.matches > best.matches) {
            best = Some(result);
        }
    }
    match (valid.len(), best) {
        (1, _) => outcome.merge(valid.remove(0)),
        (0, best) => {
            complain(outcome, path, "must validate one and only one schema (oneOf). Found none valid");
            if let Some(best) = best {
                outcome.merge(best);
            }
        }
        (count, _) => complain(
            outcome,
            path,
            &format!("must validate one and only one schema (oneOf). Found {count} valid alternatives"),
        ),
    }
}

fn all_of(schemas: &[Child], value: &Value, old: Option<&Value>, path: &str, outcome: &mut Outcome) {
    let mut valid = 0;
    for schema in schemas {
        let result = node(schema, value, old, path);
        if result.errors.is_empty() {
            valid += 1;
        }
        outcome.merge(result);
    }
    if valid != schemas.len() {
        let none = if valid == 0 { ". None validated" } else { "" };
        complain(outcome, path, &format!("must validate all the schemas (allOf){none}"));
    }
}
