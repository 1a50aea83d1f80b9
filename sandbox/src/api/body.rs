//! Reading request bodies: size, format, and whether the object is of the kind that the path serves.

use serde_json::Value;

use super::options::FieldValidation;
use super::protobuf;
use super::request::Request;
use super::status::{Answer, Status};
use super::verbs::patch::Patch;
use super::verbs::{Call, Target};
use crate::patch::{json, merge};
use crate::schema::builtin_schema;
use crate::schema::decode::{self, Decoded};
use crate::world::object_mut;

/// More than this is not read at all.
pub const BODY_LIMIT_BYTES: usize = 3 * 1024 * 1024;

/// Built-in kinds that more than one version or group has.
const SEVERAL_VERSIONS: &[&str] = &["Event", "HorizontalPodAutoscaler", "Scale", "Eviction"];

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// The formats in which built-in objects are read; custom ones have no protobuf form.
const OBJECT_FORMATS: &[&str] = &["application/json", "application/yaml", PROTOBUF];
const CUSTOM_FORMATS: &[&str] = &["application/json", "application/yaml"];

/// The media type of the body, without parameters; JSON where nothing is said.
pub(crate) fn media_type(request: &Request) -> &str {
    let header = request.header("content-type").unwrap_or("");
    match header.split(';').next().unwrap_or("").trim() {
        "" => "application/json",
        given => given,
    }
}

/// Reads the object that a create or update carries.
pub(crate) fn object(request: &Request, call: &mut Call, target: &Target) -> Answer<Value> {
    object_of_kind(request, call, target.kind(), &target.api_version(), target.resource.rules.custom)
}

/// Reads an object of a kind that may differ from the resource's own (Scale, Eviction, Binding).
pub(crate) fn object_of_kind(
    request: &Request,
    call: &mut Call,
    kind: &str,
    api_version: &str,
    custom: bool,
) -> Answer<Value> {
    let decoded = match media_type(request) {
        "application/json" => decode::json(&request.body),
        "application/yaml" => decode::yaml(&request.body),
        PROTOBUF if !custom => protobuf(&request.body),
        _ if custom => return Err(Status::unsupported_media_type(CUSTOM_FORMATS)),
        _ => return Err(Status::unsupported_media_type(OBJECT_FORMATS)),
    };
    let decoded = decoded.map_err(|why| {
        let why = format!("couldn't get version/kind; json parse error: {why}");
        unrecognized(kind, &why, &request.body)
    })?;
    let mut value = decoded.value;
    if value.is_null() && !custom {
        value = Value::Object(serde_json::Map::new());
    }
    if !value.is_object() {
        let found = describe(&value);
        let why = format!(
            "couldn't get version/kind; json parse error: json: cannot unmarshal {found} into Go value of type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}"
        );
        return Err(unrecognized(kind, &why, &request.body));
    }
    check_type(&mut value, kind, api_version, custom)?;
    report_duplicates(call, kind, api_version, decoded.duplicates)?;
    Ok(value)
}

fn protobuf(body: &[u8]) -> Result<Decoded, String> {
    protobuf::decode(body).map(|value| Decoded { value, duplicates: Vec::new() })
}

/// Fields that are given twice: refused or warned of, as the client wishes.
pub(crate) fn report_duplicates(call: &mut Call, kind: &str, api_version: &str, duplicates: Vec<String>) -> Answer<()> {
    if duplicates.is_empty() {
        return Ok(());
    }
    match call.options.field_validation {
        FieldValidation::Ignore => {}
        FieldValidation::Warn => call.warnings.extend(duplicates),
        FieldValidation::Strict => return Err(strict_failure(kind, api_version, &duplicates)),
    }
    Ok(())
}

/// The refusal of a strict reading.
pub(crate) fn strict_failure(kind: &str, api_version: &str, complaints: &[String]) -> Box<Status> {
    let version = api_version.rsplit('/').next().unwrap_or(api_version);
    Status::bad_request(format!(
        "{kind} in version {version:?} cannot be handled as a {kind}: strict decoding error: {}",
        complaints.join(", ")
    ))
}

fn check_type(value: &mut Value, kind: &str, api_version: &str, custom: bool) -> Answer<()> {
    let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).unwrap_or("").to_owned();
    let (given_kind, given_version) = (text(value, "kind"), text(value, "apiVersion"));
    if custom {
        for (field, given) in [("Kind", &given_kind), ("apiVersion", &given_version)] {
            if given.is_empty() {
                return Err(Status::bad_request(format!("Object '{field}' is missing in '{value}'")));
            }
        }
    }
    let same_version = given_version.is_empty() || given_version == api_version;
    let same_kind = given_kind.is_empty() || given_kind == kind;
    if custom && !(same_version && same_kind) {
        let expected = (api_version, kind);
        return Err(if same_version {
            Status::bad_request(format!(
                "the kind in the data ({given_kind}) does not match the expected kind ({})",
                expected.1
            ))
        } else {
            version_mismatch(&given_version, expected.0)
        });
    }
    if !same_version && same_kind && SEVERAL_VERSIONS.contains(&kind) {
        return Err(version_mismatch(&given_version, api_version));
    }
    if !(same_kind && same_version) {
        return Err(other_kind((&given_version, &given_kind), (api_version, kind)));
    }
    if let Some(metadata) = value.get("metadata").filter(|metadata| !metadata.is_object() && !metadata.is_null()) {
        let (found, version) = (describe(metadata), api_version.rsplit('/').next().unwrap_or(""));
        return Err(Status::bad_request(format!(
            "{kind} in version {version:?} cannot be handled as a {kind}: json: cannot unmarshal {found} into Go struct field {kind}.metadata of type v1.ObjectMeta"
        )));
    }
    let fields = object_mut(value);
    fields.insert("kind".into(), Value::from(kind));
    fields.insert("apiVersion".into(), Value::from(api_version));
    Ok(())
}

/// An object of another built-in kind, or of none that anybody knows. The places named are those in the real server.
fn other_kind(given: (&str, &str), wanted: (&str, &str)) -> Box<Status> {
    let api_version = if given.0.is_empty() { wanted.0 } else { given.0 };
    let given_kind = if given.1.is_empty() { wanted.1 } else { given.1 };
    let kind = wanted.1;
    let version = api_version.rsplit('/').next().unwrap_or("");
    let why = if builtin_schema(api_version, given_kind).is_some() {
        let group = wanted.0.split_once('/').map_or("core", |(group, _)| group);
        let package = group.split('.').next().unwrap_or(group);
        format!("converting ({version}.{given_kind}) to ({package}.{kind}): unknown conversion")
    } else {
        format!(
            "no kind {given_kind:?} is registered for version {api_version:?} in scheme \"pkg/runtime/scheme.go:111\""
        )
    };
    Status::bad_request(format!("{given_kind} in version {version:?} cannot be handled as a {kind}: {why}"))
}

fn version_mismatch(given: &str, expected: &str) -> Box<Status> {
    Status::bad_request(format!(
        "the API version in the data ({given}) does not match the expected API version ({expected})"
    ))
}

fn unrecognized(kind: &str, why: &str, body: &[u8]) -> Box<Status> {
    Status::bad_request(format!(
        "the object provided is unrecognized (must be of type {kind}): {why} ({})",
        summary(body)
    ))
}

/// The beginning of a body: as text where it looks like JSON, else as hexadecimal digits.
fn summary(body: &[u8]) -> String {
    const SHOWN: usize = 30;
    let cut = |text: String| {
        if text.chars().count() > SHOWN {
            format!("{} ...", text.chars().take(SHOWN).collect::<String>())
        } else {
            text
        }
    };
    match body {
        [] => "<empty>".to_owned(),
        [b'{', ..] => cut(String::from_utf8_lossy(&body[..body.len().min(4 * SHOWN)]).into_owned()),
        other => cut(other.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect()),
    }
}

fn describe(value: &Value) -> &'static str {
    match value {
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Bool(_) => "bool",
        Value::Object(_) => "object",
        _ => "number",
    }
}

/// Reads a body that may be left out, such as delete options.
pub(crate) fn optional(request: &Request, kind: &str) -> Answer<Option<Value>> {
    if request.body.is_empty() {
        return Ok(None);
    }
    let Decoded { value, .. } = match media_type(request) {
        "application/json" => decode::json(&request.body),
        "application/yaml" => decode::yaml(&request.body),
        PROTOBUF => protobuf(&request.body),
        _ => return Err(Status::unsupported_media_type(OBJECT_FORMATS)),
    }
    .map_err(|why| {
        let why = format!("couldn't get version/kind; json parse error: {why}");
        unrecognized(kind, &why, &request.body)
    })?;
    Ok(Some(value).filter(Value::is_object))
}

/// Reads a patch of the given media type.
pub(crate) fn patch(request: &Request, call: &mut Call, target: &Target, media_type: &str) -> Answer<Patch> {
    const CUSTOM: &[&str] =
        &["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"];
    const BUILT_IN: &[&str] = &[
        "application/json-patch+json",
        "application/merge-patch+json",
        "application/strategic-merge-patch+json",
        "application/apply-patch+yaml",
    ];
    let supported = if target.resource.rules.custom { CUSTOM } else { BUILT_IN };
    if !supported.contains(&media_type) {
        let custom = target.resource.rules.custom;
        return Err(if custom { Status::unsupported_media_type(supported) } else { Status::unsupported_patch() });
    }
    let (patch, complaints) = match media_type {
        "application/apply-patch+yaml" => {
            let decoded = decode::yaml(&request.body)
                .map_err(|why| Status::bad_request(format!("error decoding YAML: {why}")))?;
            (Patch::Apply(decoded.value), decoded.duplicates)
        }
        "application/json-patch+json" => {
            let (operations, complaints) = json::decode(&request.body)?;
            (Patch::Json(operations), complaints)
        }
        other => {
            let (changes, complaints) = merge::decode(&request.body)?;
            let merge = other == "application/merge-patch+json";
            (if merge { Patch::Merge(changes) } else { Patch::Strategic(changes) }, complaints)
        }
    };
    match call.options.field_validation {
        FieldValidation::Ignore => {}
        FieldValidation::Warn => call.warnings.extend(complaints),
        FieldValidation::Strict => call.patch_complaints = complaints,
    }
    Ok(patch)
}
