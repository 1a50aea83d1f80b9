//! Rules of custom resources (`x-kubernetes-validations`): a CEL evaluator of its own. It knows the part of the
//! language and of the libraries that rules use, never recurses deeper than its parser allows, and stops when its
//! budget is spent, which no published evaluator for Rust does.

mod eval;
mod functions;
mod lexer;
mod network;
mod parser;
mod strings;
mod times;
mod value;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::Value;

use super::field_error::{child, key};
use super::{Additional, FieldError, ListType, Reason, Schema, builtin};
use eval::{Failure, Scope};
use parser::Expr;
use value::{Cel, from_json, show};

/// What all rules of one object may cost, and what one rule may.
const PER_OBJECT: u64 = 10_000_000;
const PER_RULE: u64 = 1_000_000;

/// One rule, compiled when its schema is.
#[derive(Debug, Clone)]
pub struct Rule {
    pub text: String,
    pub message: String,
    pub reason: Option<String>,
    pub field_path: String,
    pub optional_old_self: bool,
    expression: Result<Arc<Expr>, String>,
    message_expression: Option<Arc<Expr>>,
    uses_old_self: bool,
}

impl Rule {
    /// Reads one entry of `x-kubernetes-validations`.
    pub fn parse(raw: &Value) -> Option<Self> {
        let text = |field: &str| raw.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let rule = text("rule");
        let expression = parser::parse(&rule).map(Arc::new);
        let uses_old_self = expression.as_ref().is_ok_and(|expr| parser::mentions(expr, "oldSelf"));
        Some(Self {
            message: text("message").trim().to_owned(),
            reason: Some(text("reason")).filter(|reason| !reason.is_empty()),
            field_path: text("fieldPath"),
            optional_old_self: raw.get("optionalOldSelf") == Some(&Value::Bool(true)),
            message_expression: parser::parse(&text("messageExpression")).ok().map(Arc::new),
            expression,
            uses_old_self,
            text: rule,
        })
        .filter(|_| raw.is_object())
    }

    /// Why the rule can't be understood, if it can't.
    pub fn compile_error(&self) -> Option<&str> {
        self.expression.as_ref().err().map(String::as_str)
    }

    /// Whether the rule compares with the value before.
    pub fn is_transition(&self) -> bool {
        self.uses_old_self
    }

    fn in_short(&self) -> &str {
        if self.message.is_empty() { self.text.trim() } else { &self.message }
    }
}

/// What may still be spent on an object.
#[derive(Debug)]
pub struct Budget(u64);

impl Budget {
    pub fn per_object() -> Self {
        Self(PER_OBJECT)
    }
}

/// Whether any rule stands anywhere in a schema.
pub fn has_rules(schema: &Schema) -> bool {
    // Built-in types have no rules, and they may hold themselves.
    schema.type_name.is_empty()
        && (!schema.rules.is_empty()
            || schema.properties.values().any(|child| has_rules(child))
            || schema.items.as_deref().is_some_and(has_rules)
            || matches!(&schema.additional_properties, Additional::Of(child) if has_rules(child))
            || schema.all_of.iter().any(|child| has_rules(child)))
}

/// Evaluates all rules of a schema on a value, and on the one before it.
pub fn validate(schema: &Schema, value: &Value, old: Option<&Value>, budget: &mut Budget) -> Vec<FieldError> {
    let mut checker = Checker { budget, errors: Vec::new(), stopped: false };
    checker.node(schema, value, old, "", true);
    checker.errors
}

struct Checker<'b> {
    budget: &'b mut Budget,
    errors: Vec<FieldError>,
    stopped: bool,
}

impl Checker<'_> {
    fn node(&mut self, schema: &Schema, value: &Value, old: Option<&Value>, path: &str, root: bool) {
        if self.stopped || value.is_null() || !has_rules(schema) {
            return;
        }
        self.rules(schema, schema, value, old, path, root);
        for part in &schema.all_of {
            self.rules(part, schema, value, old, path, root);
        }
        match value {
            Value::Array(items) => {
                let Some(item_schema) = schema.items.as_deref() else { return };
                for (i, item) in items.iter().enumerate() {
                    let old_item = old.and_then(|old| same_item(schema, old, item));
                    self.node(item_schema, item, old_item, &key(path, i), false);
                }
            }
            Value::Object(map) => {
                let old_map = old.and_then(Value::as_object);
                for (name, entry) in map {
                    let old_entry = old_map.and_then(|map| map.get(name));
                    match (schema.properties.get(name), &schema.additional_properties) {
                        (Some(schema), _) => self.node(schema, entry, old_entry, &child(path, name), false),
                        (None, Additional::Of(schema)) => {
                            self.node(schema, entry, old_entry, &key(path, name), false);
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn rules(&mut self, from: &Schema, schema: &Schema, value: &Value, old: Option<&Value>, path: &str, root: bool) {
        let kind = || Value::String(schema.type_names().to_owned());
        let old = old.filter(|old| !old.is_null());
        for rule in &from.rules {
            if self.stopped {
                return;
            }
            let expression = match &rule.expression {
                Ok(expression) => expression,
                Err(why) => {
                    self.errors.push(FieldError::invalid(path, kind(), format!("rule compile error: {why}")));
                    continue;
                }
            };
            // A transition needs something to come from.
            if rule.uses_old_self && old.is_none() && !rule.optional_old_self {
                continue;
            }
            let names = self.names(rule, schema, value, old, root);
            match self.run(expression, names.clone()) {
                Ok(Cel::Bool(true)) => {}
                Ok(Cel::Bool(false)) => {
                    // Values that did not change are not held against a rule that came later.
                    if !rule.uses_old_self && old == Some(value) {
                        continue;
                    }
                    self.refuse(rule, value, path, names);
                }
                Ok(_) => {
                    self.errors.push(FieldError::invalid(
                        path,
                        kind(),
                        "rule compile error: cel expression must evaluate to a bool",
                    ));
                }
                Err(Failure::Error(why)) => {
                    let detail = if why.starts_with("no such overload") {
                        format!(
                            "'{why}': call arguments did not match a supported operator, function or macro signature for rule: {}",
                            rule.in_short()
                        )
                    } else {
                        format!("{why} evaluating rule: {}", rule.in_short())
                    };
                    self.errors.push(FieldError::invalid(path, kind(), detail));
                }
                Err(Failure::OverBudget) => {
                    self.stopped = true;
                    let detail = format!(
                        "'operation cancelled: actual cost limit exceeded': no further validation rules will be run due \
                         to call cost exceeds limit for rule: {}",
                        rule.in_short()
                    );
                    self.errors.push(FieldError::invalid(path, kind(), detail));
                }
            }
        }
    }

    fn names(
        &mut self,
        rule: &Rule,
        schema: &Schema,
        value: &Value,
        old: Option<&Value>,
        root: bool,
    ) -> Vec<(String, Cel)> {
        let mut visited = 0;
        let mut shown = |value: &Value| {
            if root { resource(schema, value, &mut visited) } else { from_json(Some(schema), value, &mut visited) }
        };
        let current = shown(value);
        let before = old.map(&mut shown);
        let before = match (rule.optional_old_self, before) {
            (true, Some(before)) => Some(Cel::some(before)),
            (true, None) => Some(Cel::Optional(None)),
            (false, before) => before,
        };
        // Making the values costs less than working with them.
        self.budget.0 = self.budget.0.saturating_sub(visited / 16);
        let mut names = vec![("self".to_owned(), current)];
        names.extend(before.map(|before| ("oldSelf".to_owned(), before)));
        names
    }

    fn run(&mut self, expression: &Expr, names: Vec<(String, Cel)>) -> Result<Cel, Failure> {
        let limit = self.budget.0.min(PER_RULE);
        let mut scope = Scope::new(names, limit);
        let outcome = scope.eval(expression);
        self.budget.0 -= limit - scope.left;
        outcome
    }

    fn refuse(&mut self, rule: &Rule, value: &Value, path: &str, names: Vec<(String, Cel)>) {
        let computed = rule.message_expression.as_deref().and_then(|expression| match self.run(expression, names) {
            Ok(text @ Cel::Text(_)) => Some(show(&text)),
            _ => None,
        });
        // An empty message, or one of several lines, says less than the rule itself.
        let computed = computed.filter(|text| !text.trim().is_empty() && !text.contains('\n'));
        let detail = computed.unwrap_or_else(|| {
            if rule.message.is_empty() { format!("failed rule: {}", rule.text.trim()) } else { rule.message.clone() }
        });
        let field = format!("{path}{}", rule.field_path);
        let field = if path.is_empty() { field.trim_start_matches('.').to_owned() } else { field };
        let shown = match value {
            Value::Object(_) | Value::Array(_) => None,
            scalar => Some(scalar.clone()),
        };
        let reason = match rule.reason.as_deref() {
            Some("FieldValueForbidden") => Reason::Forbidden,
            Some("FieldValueRequired") => Reason::Required,
            Some("FieldValueDuplicate") => Reason::Duplicate,
            _ => Reason::Invalid,
        };
        self.errors.push(FieldError::new(reason, field, shown, detail));
    }
}

/// At the root, rules see of the metadata only the name.
fn resource(schema: &Schema, value: &Value, visited: &mut u64) -> Cel {
    let mut visible = value.clone();
    if let Some(Value::Object(meta)) = visible.get_mut("metadata") {
        meta.retain(|name, _| matches!(name.as_str(), "name" | "generateName"));
    }
    let mut schema = schema.clone();
    schema.properties.insert("metadata".into(), super::Child::from(builtin::object_meta().clone()));
    // What the schema does not mention is not there for rules.
    if let Value::Object(map) = &mut visible {
        map.retain(|name, _| schema.properties.contains_key(name) || matches!(name.as_str(), "apiVersion" | "kind"));
    }
    from_json(Some(&schema), &visible, visited)
}

fn same_item<'a>(schema: &Schema, old: &'a Value, item: &Value) -> Option<&'a Value> {
    if schema.list_type != Some(ListType::Map) {
        return None;
    }
    old.as_array()?
        .iter()
        .find(|candidate| schema.list_map_keys.iter().all(|name| candidate.get(name) == item.get(name)))
}
