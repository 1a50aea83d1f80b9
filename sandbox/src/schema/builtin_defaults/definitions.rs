//! Definitions of custom resources.

use serde_json::{Value, json};

use super::{Object, each, existing, nested, unset};

pub(super) fn default_definition(object: &mut Object) {
    let Some(spec) = nested(object, "spec") else { return };
    if let Some(names) = nested(spec, "names") {
        let kind = names.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        if !kind.is_empty() {
            unset(names, "singular", kind.to_lowercase());
            unset(names, "listKind", format!("{kind}List"));
        }
    }
    if let Some(conversion) = nested(spec, "conversion") {
        unset(conversion, "strategy", "None");
        let service = existing(conversion, "webhook")
            .and_then(|webhook| existing(webhook, "clientConfig"))
            .and_then(|client| existing(client, "service"));
        if let Some(service) = service {
            unset(service, "port", 443);
        }
    }
    for version in each(spec, "versions") {
        version.entry("served").or_insert_with(|| json!(false));
    }
}
