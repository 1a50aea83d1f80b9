//! Secrets, namespaces, nodes and claims.

use serde_json::{Value, json};

use super::{Object, absent, existing, nested, unset};

pub(super) fn default_secret(object: &mut Object) {
    unset(object, "type", "Opaque");
    // Plain texts are a convenience for writing only.
    if let Some(Value::Object(plain)) = object.remove("stringData")
        && let Some(data) = nested(object, "data")
    {
        for (name, text) in plain {
            data.insert(name, json!(base64(text.as_str().unwrap_or_default().as_bytes())));
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().enumerate().fold(0_u32, |bits, (i, b)| bits | u32::from(*b) << (16 - 8 * i));
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i)) as usize & 63];
            out.push(if i <= group.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

pub(super) fn default_namespace(object: &mut Object) {
    let name = object.get("metadata").and_then(|meta| meta.get("name")).cloned();
    if let Some(name) = name.filter(|name| *name != "")
        && let Some(labels) = nested(object, "metadata").and_then(|meta| nested(meta, "labels"))
    {
        labels.insert("kubernetes.io/metadata.name".into(), name);
    }
    if let Some(status) = nested(object, "status") {
        unset(status, "phase", "Active");
    }
}

pub(super) fn default_node(object: &mut Object) {
    if let Some(status) = existing(object, "status")
        && let Some(capacity) = status.get("capacity").cloned()
    {
        absent(status, "allocatable", capacity);
    }
}

pub(super) fn default_claim(object: &mut Object) {
    if let Some(spec) = nested(object, "spec") {
        absent(spec, "volumeMode", "Filesystem");
    }
    if let Some(status) = nested(object, "status") {
        unset(status, "phase", "Pending");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_base64() {
        for (plain, encoded) in [("", ""), ("a", "YQ=="), ("ab", "YWI="), ("abc", "YWJj"), ("abcd", "YWJjZA==")] {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }
}
