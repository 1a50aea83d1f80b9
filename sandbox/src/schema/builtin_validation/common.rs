//! Checks that many kinds share.

use serde_json::{Map, Value};

use super::super::FieldError;
use super::super::field_error::{child, key};
use super::super::names::{self, complaints};

/// The complaints so far.
#[derive(Default)]
pub(super) struct Checks {
    pub(super) errors: Vec<FieldError>,
}

impl Checks {
    pub(super) fn required(&mut self, path: &str, detail: &str) {
        self.errors.push(FieldError::required(path, detail));
    }

    pub(super) fn invalid(&mut self, path: &str, value: &Value, detail: &str) {
        self.errors.push(FieldError::invalid(path, value.clone(), detail));
    }

    pub(super) fn forbidden(&mut self, path: &str, detail: &str) {
        self.errors.push(FieldError::forbidden(path, detail));
    }

    pub(super) fn duplicate(&mut self, path: &str, value: &Value) {
        self.errors.push(FieldError::duplicate(path, value.clone()));
    }

    pub(super) fn named(&mut self, path: &str, value: &str, problems: Vec<String>) {
        self.errors.extend(complaints(path, value, problems));
    }

    /// The value is one of a few words.
    pub(super) fn one_of(&mut self, path: &str, value: &Value, words: &[&str]) {
        if !value.as_str().is_some_and(|word| words.contains(&word)) {
            self.errors.push(FieldError::not_supported(path, value.clone(), words));
        }
    }

    /// A number that may be absent but not negative.
    pub(super) fn not_negative(&mut self, path: &str, value: &Value) {
        if value.as_i64().is_some_and(|number| number < 0) {
            self.invalid(path, value, "must be greater than or equal to 0");
        }
    }

    pub(super) fn port(&mut self, path: &str, value: &Value) {
        if !value.as_i64().is_some_and(|port| (1..=65_535).contains(&port)) {
            self.invalid(path, value, "must be between 1 and 65535, inclusive");
        }
    }

    /// A port by number or by name.
    pub(super) fn port_or_name(&mut self, path: &str, value: &Value) {
        match value {
            Value::String(name) => self.named(path, name, names::port_name(name)),
            other => self.port(path, other),
        }
    }

    pub(super) fn labels(&mut self, path: &str, labels: &Value) {
        self.errors.extend(super::super::metadata::validate_labels(path, labels));
    }

    pub(super) fn unchanged(&mut self, path: &str, new: &Value, old: &Value) {
        if new != old {
            self.invalid(path, new, "field is immutable");
        }
    }

    /// A label selector.
    pub(super) fn selector(&mut self, path: &str, selector: &Value) {
        if let Some(labels) = selector.get("matchLabels") {
            self.labels(&child(path, "matchLabels"), labels);
        }
        for (place, expression) in items(&child(path, "matchExpressions"), &selector["matchExpressions"]) {
            let values = expression["values"].as_array().map_or(0, Vec::len);
            match expression["operator"].as_str().unwrap_or_default() {
                "In" | "NotIn" if values == 0 => {
                    let detail = "must be specified when `operator` is 'In' or 'NotIn'";
                    self.required(&child(&place, "values"), detail);
                }
                "Exists" | "DoesNotExist" if values > 0 => {
                    let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                    self.forbidden(&child(&place, "values"), detail);
                }
                "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
                _ => self.invalid(&child(&place, "operator"), &expression["operator"], "not a valid selector operator"),
            }
            let name = expression["key"].as_str().unwrap_or_default();
            self.named(&child(&place, "key"), name, names::qualified_name(name));
        }
    }

    /// A number or a percentage, neither negative.
    pub(super) fn number_or_percent(&mut self, path: &str, value: &Value) {
        match value {
            Value::String(text) if percent(text).is_none() => self.invalid(
                path,
                value,
                "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', \
                 regex used for validation is '[0-9]+%')",
            ),
            other => self.not_negative(path, other),
        }
    }

    pub(super) fn at_most_all(&mut self, path: &str, value: &Value) {
        if value.as_str().and_then(percent).is_some_and(|percent| percent > 100) {
            self.invalid(path, value, "must not be greater than 100%");
        }
    }

    /// Finalizers without a domain are Kubernetes' own.
    pub(super) fn finalizers(&mut self, finalizers: &Value) {
        for (path, finalizer) in items("metadata.finalizers", finalizers) {
            let name = finalizer.as_str().unwrap_or_default();
            let standard = matches!(name, "kubernetes" | "orphan" | "foregroundDeletion");
            if !name.contains('/') && !standard {
                let detail = "name is neither a standard finalizer name nor is it fully qualified";
                self.invalid(&path, finalizer, detail);
            }
        }
    }

    pub(super) fn ip(&mut self, path: &str, value: &Value) {
        if value.as_str().is_none_or(|text| text.parse::<std::net::IpAddr>().is_err()) {
            self.invalid(path, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
        }
    }
}

/// The number in `25%`.
pub(super) fn percent(text: &str) -> Option<u64> {
    let digits = text.strip_suffix('%')?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// Nothing said, or zero.
pub(super) fn is_zero(value: &Value) -> bool {
    value.as_i64() == Some(0) || value.as_str().and_then(percent) == Some(0)
}

pub(super) fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// The items of a list with their paths.
pub(super) fn items<'v>(path: &str, list: &'v Value) -> Vec<(String, &'v Value)> {
    list.as_array().into_iter().flatten().enumerate().map(|(i, item)| (key(path, i), item)).collect()
}

/// Whether a selector of labels matches them. Selectors that make no sense match nothing.
pub(super) fn selects(selector: &Value, labels: &Value) -> bool {
    let by_label = selector["matchLabels"]
        .as_object()
        .is_none_or(|wanted| wanted.iter().all(|(name, value)| labels.get(name) == Some(value)));
    by_label
        && selector["matchExpressions"].as_array().into_iter().flatten().all(|expression| {
            let value = expression["key"].as_str().and_then(|name| labels.get(name));
            let listed =
                || expression["values"].as_array().is_some_and(|values| value.is_some_and(|v| values.contains(v)));
            match expression["operator"].as_str().unwrap_or_default() {
                "In" => listed(),
                "NotIn" => !listed(),
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
                _ => false,
            }
        })
}

pub(super) fn is_empty_selector(selector: &Value) -> bool {
    selector.as_object().is_some_and(|map| {
        map.values()
            .all(|part| part.as_object().is_some_and(Map::is_empty) || part.as_array().is_some_and(Vec::is_empty))
    })
}
