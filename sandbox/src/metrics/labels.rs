//! The labels of a time series.

use std::collections::BTreeMap;

/// The label that holds a metric's name.
pub(super) const NAME: &str = "__name__";

/// A set of labels in the order of their names; a label with an empty value is the same as none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Labels(BTreeMap<String, String>);

impl Labels {
    /// The labels of a metric.
    #[must_use]
    pub fn of(metric: &str, labels: &[(&str, &str)]) -> Self {
        let mut all = Self::default();
        all.set(NAME, metric);
        for (name, value) in labels {
            all.set(name, value);
        }
        all
    }

    /// With this label besides.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// A label's value; empty where there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The metric's name.
    #[must_use]
    pub fn metric(&self) -> &str {
        self.get(NAME)
    }

    /// All labels, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            self.0.remove(name);
        } else {
            self.0.insert(name.to_owned(), value.to_owned());
        }
    }

    pub(super) fn without_name(mut self) -> Self {
        self.0.remove(NAME);
        self
    }

    pub(super) fn only(&self, names: &[String]) -> Self {
        Self(self.0.iter().filter(|(name, _)| names.contains(name)).map(|(n, v)| (n.clone(), v.clone())).collect())
    }

    pub(super) fn except(&self, names: &[String]) -> Self {
        Self(self.0.iter().filter(|(name, _)| !names.contains(name)).map(|(n, v)| (n.clone(), v.clone())).collect())
    }
}

/// As PromQL writes a series' labels, without a name: `{code="200", pod="a"}`.
impl std::fmt::Display for Labels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let inside: Vec<String> = self.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        write!(f, "{{{}}}", inside.join(", "))
    }
}
