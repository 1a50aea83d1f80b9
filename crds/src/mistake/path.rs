//! The way to a field, as a user would write it: `spec.strategy.canary.steps[2]`, `annotations["a/b"]`.

use std::borrow::Cow;
use std::fmt;

use crate::values::quoted;

/// The way from the top of an object to one of its fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldPath {
    segments: Vec<Segment>,
}

/// One move on the way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    /// Into an item of a list.
    Index(usize),
    /// Into a named field or a key of a map.
    Field(Cow<'static, str>),
}

impl FieldPath {
    /// The object itself.
    pub fn root() -> FieldPath {
        FieldPath::default()
    }

    /// A fixed path of plain field names, such as `spec.strategy.canary`.
    pub fn of(dotted: &'static str) -> FieldPath {
        FieldPath { segments: dotted.split('.').map(|name| Segment::Field(Cow::Borrowed(name))).collect() }
    }

    /// The field of that name, or the map's entry under that key.
    #[must_use]
    pub fn field(&self, name: impl Into<Cow<'static, str>>) -> FieldPath {
        self.with(Segment::Field(name.into()))
    }

    /// The entry of a map under a key that the user chose.
    #[must_use]
    pub fn key(&self, key: &str) -> FieldPath {
        self.field(key.to_owned())
    }

    /// The item of a list.
    #[must_use]
    pub fn index(&self, index: usize) -> FieldPath {
        self.with(Segment::Index(index))
    }

    /// A path that continues here with all of `rest`.
    #[must_use]
    pub fn then(&self, rest: &FieldPath) -> FieldPath {
        let segments = self.segments.iter().chain(&rest.segments).cloned().collect();
        FieldPath { segments }
    }

    fn with(&self, segment: Segment) -> FieldPath {
        let mut segments = Vec::with_capacity(self.segments.len() + 1);
        segments.extend_from_slice(&self.segments);
        segments.push(segment);
        FieldPath { segments }
    }

    /// The moves, from the top.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Whether this is the object itself.
    pub fn is_root(&self) -> bool {
        self.segments.is_empty()
    }

    /// Whether `other` is this field or lies inside it.
    pub fn holds(&self, other: &FieldPath) -> bool {
        other.segments.starts_with(&self.segments)
    }

    /// The path without its last move; `None` at the top.
    pub fn parent(&self) -> Option<FieldPath> {
        let (_, above) = self.segments.split_last()?;
        Some(FieldPath { segments: above.to_vec() })
    }

    /// Walks one move further in place: a walk over a large document should not copy the path at every node.
    pub(crate) fn enter(&mut self, segment: Segment) {
        self.segments.push(segment);
    }

    /// Undoes the last [`enter`](Self::enter).
    pub(crate) fn leave(&mut self) {
        self.segments.pop();
    }

    /// Whether what is written here is likely a password, a token or the like, which must not be repeated in
    /// conditions, events and logs.
    pub(crate) fn holds_a_secret(&self) -> bool {
        let names: Vec<&str> = self
            .segments
            .iter()
            .filter_map(|segment| match segment {
                Segment::Field(name) => Some(name.as_ref()),
                Segment::Index(_) => None,
            })
            .collect();
        match names.as_slice() {
            [.., "env" | "headers", "value"] => true,
            [.., last] => ["password", "clientSecret", "token", "bearerToken", "apiKey", "accessKey", "secretKey"]
                .iter()
                .any(|secret| last.eq_ignore_ascii_case(secret)),
            [] => false,
        }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Field(name) if !is_plain(name) => write!(f, "[{}]", quoted(name))?,
                Segment::Field(name) if position == 0 => f.write_str(name)?,
                Segment::Field(name) => write!(f, ".{name}")?,
            }
        }
        Ok(())
    }
}

/// Whether a name can stand in a path without quotes: a dot or a slash inside would read as another move.
fn is_plain(name: &str) -> bool {
    const READABLE: usize = 80;
    !name.is_empty()
        && name.len() <= READABLE
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'$'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_as_a_user_would_write_them() {
        let rows = [
            (FieldPath::root(), ""),
            (FieldPath::of("spec.replicas"), "spec.replicas"),
            (FieldPath::of("spec.strategy.canary.steps").index(2), "spec.strategy.canary.steps[2]"),
            (FieldPath::of("metadata.annotations").key("a/b"), r#"metadata.annotations["a/b"]"#),
            (FieldPath::of("metadata.labels").key("app.kubernetes.io"), r#"metadata.labels["app.kubernetes.io"]"#),
            (FieldPath::of("data").key("say \"hi\"\n"), r#"data["say \"hi\"\n"]"#),
            (FieldPath::of("data").key(""), r#"data[""]"#),
            (FieldPath::of("items").index(0).field("spec"), "items[0].spec"),
        ];
        for (path, expected) in rows {
            assert_eq!(path.to_string(), expected);
        }
    }

    #[test]
    fn a_field_holds_what_lies_inside_it_and_nothing_beside() {
        let steps = FieldPath::of("spec.steps");
        assert!(steps.holds(&steps));
        assert!(steps.holds(&steps.index(0).field("pause")));
        assert!(!steps.holds(&FieldPath::of("spec.stepsize")));
        assert!(!steps.holds(&FieldPath::of("spec")));
    }

    #[test]
    fn items_of_a_list_sort_by_number() {
        let steps = FieldPath::of("steps");
        assert!(steps.index(2) < steps.index(10));
    }
}
