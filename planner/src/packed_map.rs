//! Labels or annotations as one text. As a tree of texts they take five times the room, and of the thousands that are
//! kept few are read in a pass.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

/// A small map from text to text.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PackedMap {
    /// Keys and values in turn.
    text: Box<str>,
    /// Where each of them ends.
    ends: Box<[u32]>,
}

impl PackedMap {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter().find_map(|(found, value)| (found == key).then_some(value))
    }

    /// Whether there is such a key.
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// All keys and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut start = 0;
        let mut next = move |end: u32| {
            let end = end as usize;
            let part = self.text.get(start..end).unwrap_or_default();
            start = end;
            part
        };
        self.ends.chunks_exact(2).map(move |ends| (next(ends[0]), next(ends[1])))
    }

    /// The same as a map of texts of their own.
    pub fn unpacked(&self) -> BTreeMap<String, String> {
        self.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for PackedMap {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(entries: I) -> Self {
        let (mut text, mut ends) = (String::new(), Vec::new());
        for part in entries.into_iter().flat_map(|(key, value)| [key, value]) {
            text.push_str(part);
            // An API server takes no object of more than a few megabytes.
            ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        }
        Self { text: text.into(), ends: ends.into() }
    }
}

impl From<&BTreeMap<String, String>> for PackedMap {
    fn from(map: &BTreeMap<String, String>) -> Self {
        map.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
    }
}

impl From<&Value> for PackedMap {
    /// The texts of an object; what is no text is left out.
    fn from(value: &Value) -> Self {
        let entries = value.as_object().into_iter().flatten();
        entries.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))).collect()
    }
}

impl fmt::Debug for PackedMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_packed_is_found_again_and_only_that() {
        let annotations = json!({"a": "", "app": "web", "": "empty key", "ümlaut": "ß\u{0}\n", "number": 1});
        let packed = PackedMap::from(&annotations);
        let found: Vec<_> = packed.iter().collect();
        assert_eq!(found, [("", "empty key"), ("a", ""), ("app", "web"), ("ümlaut", "ß\u{0}\n")]);
        assert_eq!(packed.get("app"), Some("web"));
        assert_eq!(packed.get("a"), Some(""));
        assert_eq!(packed.get("ap"), None);
        assert!(!packed.contains_key("number"));
        assert_eq!(PackedMap::from(&packed.unpacked()), packed);
        assert_eq!(PackedMap::from(&json!(null)), PackedMap::default());
    }
}
