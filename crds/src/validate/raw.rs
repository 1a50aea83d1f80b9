//! A place in raw JSON together with the path that leads to it, for the parts of a manifest that are kept untyped.

use serde_json::Value;

use crate::mistake::FieldPath;

/// A value and where it is. What has the wrong type counts as not written: the form check has said so already.
#[derive(Clone, Debug)]
pub(super) struct Raw<'v> {
    pub(super) path: FieldPath,
    pub(super) value: &'v Value,
}

impl<'v> Raw<'v> {
    pub(super) fn new(path: FieldPath, value: &'v Value) -> Raw<'v> {
        Raw { path, value }
    }

    /// The field, if it is set.
    pub(super) fn field(&self, name: &'static str) -> Option<Raw<'v>> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        Some(Raw::new(self.path.field(name), value))
    }

    /// The items of a list field; none where there is no such list.
    pub(super) fn items(&self, name: &'static str) -> impl Iterator<Item = Raw<'v>> + use<'v> {
        let path = self.path.field(name);
        let items = self.value.get(name).and_then(Value::as_array);
        items.into_iter().flatten().enumerate().map(move |(index, value)| Raw::new(path.index(index), value))
    }

    /// The entries of a map field; none where there is no such map.
    pub(super) fn entries(&self, name: &'static str) -> impl Iterator<Item = (&'v str, Raw<'v>)> + use<'v> {
        let path = self.path.field(name);
        let entries = self.value.get(name).and_then(Value::as_object);
        entries.into_iter().flatten().map(move |(key, value)| (key.as_str(), Raw::new(path.key(key), value)))
    }

    /// The text in a field; none where there is no such text or an empty one.
    pub(super) fn text(&self, name: &str) -> Option<&'v str> {
        self.value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// The whole number in a field.
    pub(super) fn whole(&self, name: &str) -> Option<i64> {
        self.value.get(name).and_then(Value::as_i64)
    }

    /// Whether the field says `true`.
    pub(super) fn says_yes(&self, name: &str) -> bool {
        self.value.get(name) == Some(&Value::Bool(true))
    }

    /// Which of the fields are set, in the order asked.
    pub(super) fn set_among(&self, names: &[&'static str]) -> Vec<&'static str> {
        let is_set = |name: &&&str| self.value.get(**name).is_some_and(|value| !value.is_null());
        names.iter().filter(is_set).copied().collect()
    }
}
