//! What may stand in a label's key and value.

use super::quoted;

const NAME_LIMIT: usize = 63;
const PREFIX_LIMIT: usize = 253;

/// What is wrong with a label's key, as a sentence with the mend.
pub fn label_key_mistake(key: &str) -> Option<String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let why = if let Some(prefix) = prefix
        && !is_dns_name(prefix)
    {
        "before the slash write a DNS name such as example.com"
    } else if name.is_empty() {
        "write a name such as app or example.com/app"
    } else if name.len() > NAME_LIMIT {
        "shorten the name to 63 characters"
    } else if !is_label_text(name) {
        "write letters, digits, '-', '_' and '.', beginning and ending with a letter or digit"
    } else {
        return None;
    };
    Some(format!("{} is not a label key; {why}", quoted(key)))
}

/// What is wrong with a label's value, as a sentence with the mend.
pub fn label_value_mistake(value: &str) -> Option<String> {
    let why = if value.len() > NAME_LIMIT {
        "shorten it to 63 characters"
    } else if !value.is_empty() && !is_label_text(value) {
        "write letters, digits, '-', '_' and '.', beginning and ending with a letter or digit"
    } else {
        return None;
    };
    Some(format!("{} is not a label value; {why}", quoted(value)))
}

fn is_label_text(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    is_edge(bytes.first())
        && is_edge(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// A lower-case DNS subdomain. Its parts have no length limit of their own, only the whole has.
fn is_dns_name(name: &str) -> bool {
    let is_edge = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let is_part = |part: &str| {
        let bytes = part.as_bytes();
        bytes.first().copied().is_some_and(is_edge)
            && bytes.last().copied().is_some_and(is_edge)
            && bytes.iter().all(|b| is_edge(*b) || *b == b'-')
    };
    name.len() <= PREFIX_LIMIT && name.split('.').all(is_part)
}
