//! What a CustomResourceDefinition must be to be taken.

use serde_json::Value;

use super::jsonpath;
use crate::schema::structural::check_structural;
use crate::schema::{FieldError, names};
use crate::world::metadata_text;

/// What is wrong with a definition.
pub(crate) fn complaints(definition: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let spec = &definition["spec"];
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let (group, plural) = (text(&spec["group"]), text(&spec["names"]["plural"]));
    let name = metadata_text(definition, "name");
    if name != format!("{plural}.{group}") {
        errors.push(FieldError::invalid("metadata.name", name, "must be spec.names.plural+\".\"+spec.group"));
    }
    if group.is_empty() {
        errors.push(FieldError::required("spec.group", ""));
    } else if !group.contains('.') {
        errors.push(FieldError::invalid("spec.group", group.as_str(), "should be a domain with at least one dot"));
    }
    match spec["scope"].as_str() {
        None | Some("") => errors.push(FieldError::required("spec.scope", "")),
        Some("Namespaced" | "Cluster") => {}
        Some(other) => errors.push(FieldError::not_supported("spec.scope", other, &["Cluster", "Namespaced"])),
    }
    check_names(&spec["names"], &mut errors);
    check_versions(&spec["versions"], &mut errors);
    let stored = definition["status"]["storedVersions"].as_array();
    if !stored.is_some_and(|stored| stored.iter().any(Value::is_string)) {
        let why = "must have at least one stored version";
        errors.push(FieldError::invalid("status.storedVersions", Value::Null, why));
    }
    errors
}

fn check_names(written: &Value, errors: &mut Vec<FieldError>) {
    for field in ["plural", "singular", "kind", "listKind"] {
        let path = format!("spec.names.{field}");
        match written[field].as_str().unwrap_or("") {
            "" => errors.push(FieldError::required(path, "")),
            name => {
                let problems = names::dns1035_label(&name.to_lowercase());
                errors.extend(names::complaints(&path, name, problems));
            }
        }
    }
    let kinds = (written["kind"].as_str(), written["listKind"].as_str());
    if let (Some(kind), Some(list_kind)) = kinds
        && kind == list_kind
        && !kind.is_empty()
    {
        let why = "kind and listKind may not be the same";
        errors.push(FieldError::invalid("spec.names.listKind", list_kind, why));
    }
}

fn check_versions(written: &Value, errors: &mut Vec<FieldError>) {
    let versions = written.as_array().map_or(&[][..], Vec::as_slice);
    let stored = versions.iter().filter(|version| version["storage"] == true).count();
    if stored != 1 {
        let why = "must have exactly one version marked as storage version";
        let shown = if written.is_null() { Value::Array(Vec::new()) } else { written.clone() };
        errors.push(FieldError::invalid("spec.versions", shown, why));
    }
    for (index, version) in versions.iter().enumerate() {
        let path = format!("spec.versions[{index}]");
        let name = version["name"].as_str().unwrap_or("");
        errors.extend(names::complaints(&format!("{path}.name"), name, names::dns1035_label(name)));
        if versions[..index].iter().any(|earlier| earlier["name"] == version["name"]) {
            errors.push(FieldError::duplicate(format!("{path}.name"), name));
        }
        if !version["schema"]["openAPIV3Schema"].is_object() {
            let field = format!("{path}.schema.openAPIV3Schema");
            errors.push(FieldError::required(field, ""));
        } else {
            // With a single version the real server has moved its schema to where v1beta1 had it.
            let path = match versions.len() {
                1 => "spec.validation.openAPIV3Schema".to_owned(),
                _ => format!("{path}.schema.openAPIV3Schema"),
            };
            errors.extend(check_structural(&version["schema"]["openAPIV3Schema"], &path));
        }
        check_columns(&path, &version["additionalPrinterColumns"], errors);
    }
}

fn check_columns(path: &str, written: &Value, errors: &mut Vec<FieldError>) {
    let columns = written.as_array().map_or(&[][..], Vec::as_slice);
    for (index, column) in columns.iter().enumerate() {
        let path = format!("{path}.additionalPrinterColumns[{index}]");
        if column["name"].as_str().unwrap_or("").is_empty() {
            errors.push(FieldError::required(format!("{path}.name"), ""));
        }
        let kind = column["type"].as_str().unwrap_or("");
        let known = ["boolean", "date", "integer", "number", "string"];
        if !known.contains(&kind) {
            let listed = known.join(",");
            let why = format!("must be one of {listed}");
            errors.push(FieldError::invalid(format!("{path}.type"), kind, why));
        }
        match column["jsonPath"].as_str().unwrap_or("") {
            "" => errors.push(FieldError::required(format!("{path}.jsonPath"), "")),
            json_path if !jsonpath::is_valid(json_path) => {
                let why = "is not a simple JSON path: begin with a dot, as in .spec.replicas";
                errors.push(FieldError::invalid(format!("{path}.jsonPath"), json_path, why));
            }
            _ => {}
        }
    }
}

/// What a new state of a definition may not change.
pub(crate) fn update_complaints(before: &Value, after: &Value) -> Vec<FieldError> {
    let mut errors = complaints(after);
    let conditions = before["status"]["conditions"].as_array();
    let established = conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Established" && condition["status"] == "True");
    if established {
        for path in ["/spec/scope", "/spec/names/kind"] {
            let (old, new) = (before.pointer(path), after.pointer(path));
            if old != new {
                let field = path.trim_start_matches('/').replace('/', ".");
                errors.push(FieldError::invalid(field, new.cloned().unwrap_or_default(), "field is immutable"));
            }
        }
    }
    for path in ["/spec/group", "/spec/names/plural"] {
        let (old, new) = (before.pointer(path), after.pointer(path));
        if old != new {
            let field = path.trim_start_matches('/').replace('/', ".");
            errors.push(FieldError::invalid(field, new.cloned().unwrap_or_default(), "field is immutable"));
        }
    }
    let stored = before["status"]["storedVersions"].as_array().map_or(&[][..], Vec::as_slice);
    let versions = after["spec"]["versions"].as_array().map_or(&[][..], Vec::as_slice);
    for (index, version) in stored.iter().enumerate() {
        if !versions.iter().any(|known| known["name"] == *version) {
            let field = format!("status.storedVersions[{index}]");
            let why = "missing from spec.versions; spec.versions must be migrated first";
            errors.push(FieldError::invalid(field, version.clone(), why));
        }
    }
    errors
}
