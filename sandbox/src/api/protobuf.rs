//! Bodies in Kubernetes' protobuf form, which typed Go clients send for built-in kinds (`kubectl create`, `auth can-i`).
//!
//! Read only: answers are JSON, which every client that sends protobuf also accepts.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::clock::rfc3339_seconds;
use crate::schema::decode::MAX_DEPTH;
use crate::schema::{Schema, builtin_schema};

/// What every body begins with.
const MAGIC: &[u8] = b"k8s\0";

/// Field numbers of all messages, from a table that `cargo xtask kubernetes-tables` makes.
static TABLE: LazyLock<BTreeMap<String, BTreeMap<u64, Field>>> = LazyLock::new(|| {
    let written: BTreeMap<String, BTreeMap<u64, String>> =
        serde_json::from_str(include_str!("wire_fields.json")).unwrap_or_default();
    let fields = |fields: BTreeMap<u64, String>| {
        fields.into_iter().filter_map(|(number, field)| Some((number, Field::parse(&field)?))).collect()
    };
    written.into_iter().map(|(name, message)| (name, fields(message))).collect()
});

#[derive(Debug, Clone)]
struct Field {
    name: String,
    kind: String,
    shape: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    One,
    List,
    Map,
}

impl Field {
    fn parse(text: &str) -> Option<Self> {
        let (name, kind) = text.split_once(' ')?;
        let (shape, kind) = match kind.strip_prefix("[]") {
            Some(item) => (Shape::List, item),
            None => kind.strip_prefix("{}").map_or((Shape::One, kind), |entry| (Shape::Map, entry)),
        };
        Some(Self { name: name.to_owned(), kind: kind.to_owned(), shape })
    }
}

/// Reads a body. The complaint says what is wrong with its bytes.
pub(crate) fn decode(body: &[u8]) -> Result<Value, String> {
    let envelope = body
        .strip_prefix(MAGIC)
        .ok_or("provided data does not appear to be a protobuf message, expected prefix 6b 38 73 00")?;
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for part in parts(envelope) {
        match part? {
            (1, Wire::Bytes(types)) => {
                for part in parts(types) {
                    match part? {
                        (1, Wire::Bytes(text)) => api_version = utf8(text)?,
                        (2, Wire::Bytes(text)) => kind = utf8(text)?,
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let name = message_name(&api_version, &kind);
    if !TABLE.contains_key(&name) {
        return Err(format!("no kind {kind:?} is registered for version {api_version:?}"));
    }
    let mut value = message(raw, &name, builtin_schema(&api_version, &kind), MAX_DEPTH)?;
    value.insert("apiVersion".into(), json!(api_version));
    value.insert("kind".into(), json!(kind));
    Ok(Value::Object(value))
}

/// `rbac.authorization.k8s.io/v1` `Role` → `rbac.v1.Role`.
fn message_name(api_version: &str, kind: &str) -> String {
    if kind == "DeleteOptions" {
        return "meta.v1.DeleteOptions".to_owned();
    }
    let (group, version) = api_version.split_once('/').unwrap_or(("core", api_version));
    let package = group.split('.').next().unwrap_or(group);
    format!("{package}.{version}.{kind}")
}

fn message(bytes: &[u8], name: &str, schema: Option<&Schema>, depth: usize) -> Result<Map<String, Value>, String> {
    let fields = TABLE.get(name).ok_or_else(|| format!("unknown message {name}"))?;
    let depth = depth.checked_sub(1).ok_or("exceeded max depth")?;
    let mut object = Map::new();
    for part in parts(bytes) {
        let (number, wire) = part?;
        let Some(field) = fields.get(&number) else {
            continue;
        };
        let property = schema.and_then(|schema| schema.entry(&field.name));
        match field.shape {
            Shape::One => {
                let value = single(wire, &field.kind, property, schema, depth)?;
                put(&mut object, field, value, property.is_none() && schema.is_some());
            }
            Shape::List => {
                let items = property.and_then(|property| property.items.as_deref());
                let item = single(wire, &field.kind, items, items, depth)?;
                let list = object.entry(field.name.as_str()).or_insert_with(|| json!([]));
                if let Value::Array(list) = list {
                    list.push(item);
                }
            }
            Shape::Map => {
                let (key, value) = entry(wire, &field.kind, property, depth)?;
                let map = object.entry(field.name.as_str()).or_insert_with(|| json!({}));
                if let Value::Object(map) = map {
                    map.insert(key, value);
                }
            }
        }
    }
    Ok(object)
}

/// A structure that the schema doesn't know by this name is part of its parent in JSON.
fn put(object: &mut Map<String, Value>, field: &Field, value: Value, inline: bool) {
    match value {
        Value::Object(inner) if inline => object.extend(inner),
        value => {
            object.insert(field.name.clone(), value);
        }
    }
}

fn entry(wire: Wire<'_>, kind: &str, property: Option<&Schema>, depth: usize) -> Result<(String, Value), String> {
    let values = property.and_then(|property| property.entry(""));
    let (mut key, mut value) = (String::new(), Value::Null);
    if let Wire::Bytes(bytes) = wire {
        for part in parts(bytes) {
            match part? {
                (1, Wire::Bytes(text)) => key = utf8(text)?,
                (2, wire) => value = single(wire, kind, values, values, depth)?,
                _ => {}
            }
        }
    }
    if value.is_null() && kind == "string" {
        value = json!("");
    }
    Ok((key, value))
}

fn single(
    wire: Wire<'_>,
    kind: &str,
    schema: Option<&Schema>,
    parent: Option<&Schema>,
    depth: usize,
) -> Result<Value, String> {
    let short = kind.rsplit('.').next().unwrap_or(kind);
    match (wire, short) {
        (Wire::Number(number), "bool") => Ok(json!(number != 0)),
        // Negative numbers travel as their two's complement.
        (Wire::Number(number), _) => Ok(json!(number.cast_signed())),
        (Wire::Double(number), _) => Ok(json!(f64::from_bits(number))),
        (Wire::Bytes(bytes), "string") => Ok(json!(utf8(bytes)?)),
        (Wire::Bytes(bytes), "bytes") => Ok(json!(STANDARD.encode(bytes))),
        (Wire::Bytes(bytes), "Time") => time(bytes, false),
        (Wire::Bytes(bytes), "MicroTime") => time(bytes, true),
        (Wire::Bytes(bytes), "Quantity") => Ok(json!(text_field(bytes, 1)?)),
        (Wire::Bytes(bytes), "IntOrString") => int_or_string(bytes),
        (Wire::Bytes(bytes), "RawExtension" | "FieldsV1") => {
            let raw = bytes_field(bytes, 1)?;
            Ok(serde_json::from_slice(raw).unwrap_or_default())
        }
        (Wire::Bytes(bytes), "ExtraValue") => {
            let items = parts(bytes).map(|part| match part? {
                (_, Wire::Bytes(text)) => Ok(json!(utf8(text)?)),
                _ => Ok(Value::Null),
            });
            items.collect::<Result<Vec<Value>, String>>().map(Value::Array)
        }
        (Wire::Bytes(bytes), _) => message(bytes, kind, schema.or(parent), depth).map(Value::Object),
    }
}

/// Nothing at all is no time.
fn time(bytes: &[u8], exact: bool) -> Result<Value, String> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    let (mut seconds, mut nanos) = (0, 0);
    for part in parts(bytes) {
        match part? {
            (1, Wire::Number(number)) => seconds = number.cast_signed(),
            (2, Wire::Number(number)) => nanos = number.cast_signed(),
            _ => {}
        }
    }
    let nanos = i32::try_from(nanos).map_err(|_| "nanoseconds out of range")?;
    let instant = Timestamp::new(seconds, nanos).map_err(|error| error.to_string())?;
    Ok(json!(if exact { instant.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string() } else { rfc3339_seconds(instant) }))
}

fn int_or_string(bytes: &[u8]) -> Result<Value, String> {
    let (mut is_text, mut number, mut text) = (false, 0, String::new());
    for part in parts(bytes) {
        match part? {
            (1, Wire::Number(kind)) => is_text = kind == 1,
            (2, Wire::Number(value)) => number = value.cast_signed(),
            (3, Wire::Bytes(value)) => text = utf8(value)?,
            _ => {}
        }
    }
    Ok(if is_text { json!(text) } else { json!(number) })
}

fn bytes_field(bytes: &[u8], wanted: u64) -> Result<&[u8], String> {
    for part in parts(bytes) {
        if let (number, Wire::Bytes(found)) = part?
            && number == wanted
        {
            return Ok(found);
        }
    }
    Ok(&[])
}

fn text_field(bytes: &[u8], wanted: u64) -> Result<String, String> {
    utf8(bytes_field(bytes, wanted)?)
}

fn utf8(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "string field contains invalid UTF-8".to_owned())
}

#[derive(Debug, Clone, Copy)]
enum Wire<'a> {
    Number(u64),
    Double(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message, as they follow each other; the first one that can't be read ends it.
fn parts(mut bytes: &[u8]) -> impl Iterator<Item = Result<(u64, Wire<'_>), String>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let part = next_part(&mut bytes);
        if part.is_none() {
            bytes = &[];
        }
        Some(part.ok_or_else(|| "unexpected EOF".to_owned()))
    })
}

fn next_part<'a>(bytes: &mut &'a [u8]) -> Option<(u64, Wire<'a>)> {
    let key = varint(bytes)?;
    let wire = match key & 7 {
        0 => Wire::Number(varint(bytes)?),
        1 => Wire::Double(u64::from_le_bytes(take(bytes, 8)?.try_into().ok()?)),
        2 => {
            let length = usize::try_from(varint(bytes)?).ok()?;
            Wire::Bytes(take(bytes, length)?)
        }
        5 => Wire::Number(u64::from(u32::from_le_bytes(take(bytes, 4)?.try_into().ok()?))),
        _ => return None,
    };
    Some((key >> 3, wire))
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).expect("test messages are short");
        [&[number << 3 | 2, length], content].concat()
    }

    fn body(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
        let types = [field(1, api_version.as_bytes()), field(2, kind.as_bytes())].concat();
        [MAGIC.to_vec(), field(1, &types), field(2, raw)].concat()
    }

    #[test]
    fn a_secret_is_read_with_its_data_in_base64() {
        let metadata = field(1, &[field(1, b"keys"), field(11, &[field(1, b"a"), field(2, b"b")].concat())].concat());
        let data = field(2, &[field(1, b"token"), field(2, b"\x00\xff")].concat());
        let read = decode(&body("v1", "Secret", &[metadata, data].concat()));
        assert_eq!(
            read,
            Ok(json!({
                "apiVersion": "v1", "kind": "Secret",
                "metadata": {"name": "keys", "labels": {"a": "b"}},
                "data": {"token": "AP8="},
            }))
        );
    }

    #[test]
    fn a_volume_holds_its_source_as_json_does() {
        let host_path = field(1, &field(1, b"/data"));
        let volume = [field(1, b"v"), field(2, &host_path)].concat();
        let read = decode(&body("v1", "Pod", &field(2, &field(1, &volume))));
        assert_eq!(
            read.map(|pod| pod["spec"]["volumes"].clone()),
            Ok(json!([{"name": "v", "hostPath": {"path": "/data"}}]))
        );
    }

    #[test]
    fn broken_bytes_are_refused() {
        let whole = body("v1", "Secret", &field(1, &field(1, b"keys")));
        for end in 0..whole.len() {
            // Some beginnings are whole messages by themselves; none may do more than be refused.
            let _either = decode(&whole[..end]);
        }
        for broken in [&b""[..], b"{}", b"k8s\0\xff", b"k8s\0\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"] {
            assert!(decode(broken).is_err(), "{broken:?}");
        }
        assert!(decode(&body("v1", "Unheard", b"")).is_err());
    }
}
