//! Field selectors: `status.phase=Running,spec.nodeName!=a`.

use serde_json::Value;

use crate::api::status::{Answer, Status};

/// A field selector; all requirements must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSelector {
    requirements: Vec<FieldRequirement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct FieldRequirement {
    field: String,
    value: String,
    equal: bool,
}

impl FieldSelector {
    /// Reads `status.phase=Running,spec.nodeName!=a`; only the given fields may be named.
    pub fn parse(text: &str, allowed: &FieldNames<'_>) -> Answer<Self> {
        let mut requirements = Vec::new();
        for term in terms(text) {
            if term.is_empty() {
                continue;
            }
            let (field, value, equal) = split_term(&term)
                .ok_or_else(|| Status::bad_request(format!("invalid selector: '{text}'; can't understand '{term}'")))?;
            allowed.check(field)?;
            requirements.push(FieldRequirement { field: field.to_owned(), value: unescape(value), equal });
        }
        Ok(Self { requirements })
    }

    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    pub fn matches(&self, value: &Value) -> bool {
        self.requirements.iter().all(|requirement| {
            let found = field_text(value, &requirement.field);
            (found == requirement.value) == requirement.equal
        })
    }

    /// Selects one name beside whatever else is asked for.
    pub(crate) fn pin_name(&mut self, name: &str) {
        self.requirements.push(FieldRequirement { field: "metadata.name".into(), value: name.to_owned(), equal: true });
    }

    /// The name that the selector pins down, if it does.
    pub fn pinned_name(&self) -> Option<&str> {
        self.requirements.iter().find(|one| one.equal && one.field == "metadata.name").map(|one| one.value.as_str())
    }
}

/// Splits at commas that no backslash protects.
fn terms(text: &str) -> Vec<String> {
    let mut terms = vec![String::new()];
    let mut escaped = false;
    for letter in text.chars() {
        if letter == ',' && !escaped {
            terms.push(String::new());
            continue;
        }
        escaped = letter == '\\' && !escaped;
        if let Some(term) = terms.last_mut() {
            term.push(letter);
        }
    }
    terms
}

fn split_term(term: &str) -> Option<(&str, &str, bool)> {
    let at = term.find(['=', '!'])?;
    let (field, rest) = term.split_at(at);
    if let Some(value) = rest.strip_prefix("!=") {
        return Some((field, value, false));
    }
    let value = rest.strip_prefix("==").or_else(|| rest.strip_prefix('='))?;
    Some((field, value, true))
}

fn unescape(value: &str) -> String {
    let mut plain = String::new();
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => plain.extend(letters.next()),
            other => plain.push(other),
        }
    }
    plain
}

/// A field as the selector compares it: missing is its zero value, numbers and booleans are text.
fn field_text(value: &Value, field: &str) -> String {
    let field = match field {
        "source" => "source.component",
        "status.successful" => "status.succeeded",
        other => other,
    };
    let missing = match field {
        "spec.hostNetwork" | "spec.unschedulable" => "false",
        "status.replicas" | "status.succeeded" => "0",
        _ => "",
    };
    let mut at = value;
    for segment in field.split('.') {
        match at.get(segment) {
            Some(inner) => at = inner,
            None => return missing.to_owned(),
        }
    }
    match at {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => String::new(),
    }
}

/// Which fields a resource's selector may name.
#[derive(Debug, Clone, Copy)]
pub struct FieldNames<'a> {
    pub extra: &'a [&'a str],
    pub from_definition: &'a [String],
    /// Kinds without further fields answer in other words.
    pub plain_kind: bool,
}

impl FieldNames<'_> {
    fn check(&self, field: &str) -> Answer<()> {
        let known = matches!(field, "metadata.name" | "metadata.namespace")
            || self.extra.contains(&field)
            || self.from_definition.iter().any(|path| path.trim_start_matches('.') == field);
        if known {
            return Ok(());
        }
        Err(Status::bad_request(if self.plain_kind {
            format!("{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
        } else {
            format!("field label not supported: {field}")
        }))
    }
}

/// The further fields of the built-in kinds that have some.
pub fn built_in_fields(group: &str, kind: &str) -> &'static [&'static str] {
    match (group, kind) {
        ("", "Pod") => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        ("", "Event") => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        ("events.k8s.io", "Event") => &[
            "regarding.kind",
            "regarding.namespace",
            "regarding.name",
            "regarding.uid",
            "regarding.apiVersion",
            "regarding.resourceVersion",
            "regarding.fieldPath",
            "reason",
            "reportingController",
            "type",
        ],
        ("", "Secret") => &["type"],
        ("", "Namespace") => &["status.phase"],
        ("", "Node") => &["spec.unschedulable"],
        ("", "Service") => &["spec.clusterIP", "spec.type"],
        ("apps", "ReplicaSet") => &["status.replicas"],
        ("batch", "Job") => &["status.successful"],
        _ => &[],
    }
}
