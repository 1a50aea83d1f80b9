//! `fieldRef`: a value out of the JSON of the object that asks for an analysis.

use serde_json::Value;

/// The value at a path such as `metadata.labels['region']` or `spec.template.spec.containers[0].image`.
///
/// A label or annotation that is not there is an empty text, as it is for pods; anything else that is missing is an
/// error, in words behind the path.
pub(super) fn read(object: &Value, kind: &str, path: &str) -> Result<String, String> {
    let parts = parts(path).ok_or("is not a path, write one such as metadata.labels['region'] or spec.replicas")?;
    let mut here = object;
    for part in &parts {
        let next = match (part, here) {
            (Part::Field(name), Value::Object(fields)) => fields.get(name),
            (Part::Index(index), Value::Array(items)) => items.get(*index),
            _ => None,
        };
        here = match next {
            Some(next) => next,
            None if is_label_or_annotation(&parts) => return Ok(String::new()),
            None => return Err(format!("is not a field of this {kind}")),
        };
    }
    match here {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(answer) => Ok(answer.to_string()),
        Value::Null => Err(format!("is not set in this {kind}")),
        Value::Object(fields) if is_labels_or_annotations(&parts) => Ok(lines(fields)),
        Value::Array(_) | Value::Object(_) => Err("is a list or an object, not a single value".to_owned()),
    }
}

/// All labels at once, in the form in which pods get them.
fn lines(fields: &serde_json::Map<String, Value>) -> String {
    let lines: Vec<String> =
        fields.iter().map(|(key, value)| format!("{key}={:?}", value.as_str().unwrap_or_default())).collect();
    lines.join("\n")
}

fn is_labels_or_annotations(parts: &[Part]) -> bool {
    matches!(parts, [Part::Field(first), Part::Field(second)]
        if first == "metadata" && (second == "labels" || second == "annotations"))
}

fn is_label_or_annotation(parts: &[Part]) -> bool {
    parts.len() <= 3 && parts.get(..2).is_some_and(is_labels_or_annotations)
}

enum Part {
    Field(String),
    Index(usize),
}

/// `a.b[0]['c']`; a leading dot is allowed.
fn parts(path: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = path.strip_prefix('.').unwrap_or(path);
    loop {
        if let Some(inside) = rest.strip_prefix('[') {
            let (part, after) = bracket(inside)?;
            parts.push(part);
            rest = after;
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if name.is_empty() || name.contains(']') {
                return None;
            }
            parts.push(Part::Field(name.to_owned()));
            rest = after;
        }
        match rest.strip_prefix('.') {
            Some("") => return None,
            Some(after) => rest = after,
            None if rest.is_empty() => return Some(parts),
            None if rest.starts_with('[') => {}
            None => return None,
        }
    }
}

/// What stands in brackets, and what stands behind them.
fn bracket(inside: &str) -> Option<(Part, &str)> {
    for quote in ['\'', '"'] {
        if let Some(text) = inside.strip_prefix(quote) {
            let (name, after) = text.split_once(quote)?;
            return Some((Part::Field(name.to_owned()), after.strip_prefix(']')?));
        }
    }
    let (index, after) = inside.split_once(']')?;
    Some((Part::Index(index.parse().ok()?), after))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn any_single_value_of_the_rollout_can_be_read() {
        let rollout = json!({
            "metadata": {"name": "web", "labels": {"region": "eu", "app.kubernetes.io/name": "shop"}},
            "spec": {"replicas": 3, "paused": false, "template": {"spec": {"containers": [{"image": "web:2"}]}}},
            "status": {"stableRS": null},
        });
        let rows = [
            ("metadata.name", Ok("web")),
            ("metadata.labels['region']", Ok("eu")),
            ("metadata.labels[\"region\"]", Ok("eu")),
            ("metadata.labels.region", Ok("eu")),
            ("metadata.labels['app.kubernetes.io/name']", Ok("shop")),
            ("metadata.labels", Ok("app.kubernetes.io/name=\"shop\"\nregion=\"eu\"")),
            ("metadata.labels['missing']", Ok("")),
            ("metadata.annotations['missing']", Ok("")),
            ("spec.replicas", Ok("3")),
            (".spec.paused", Ok("false")),
            ("spec.template.spec.containers[0].image", Ok("web:2")),
            ("spec.template.spec.containers[1].image", Err("is not a field of this Rollout")),
            ("spec.nothing", Err("is not a field of this Rollout")),
            ("metadata.labels['region'].more", Err("is not a field of this Rollout")),
            ("status.stableRS", Err("is not set in this Rollout")),
            ("spec.template", Err("is a list or an object, not a single value")),
        ];
        for (path, expected) in rows {
            let found = read(&rollout, "Rollout", path);
            assert_eq!(found.as_deref().map_err(String::as_str), expected, "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_told() {
        for path in ["", ".", "a..b", "a.", "a[", "a[x]", "a['x", "a['x']b", "a]b", "a[-1]"] {
            assert_eq!(
                read(&json!({"a": {"b": 1}}), "Rollout", path),
                Err("is not a path, write one such as metadata.labels['region'] or spec.replicas".to_owned()),
                "{path}"
            );
        }
    }
}
