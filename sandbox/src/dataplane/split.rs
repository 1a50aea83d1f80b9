//! A split: which part of some requests goes where.

use std::collections::BTreeMap;

/// A Service, or the part of it that a subset's labels select.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Backend {
    /// The Service's namespace.
    pub namespace: String,
    /// The Service's name.
    pub service: String,
    /// Only pods with these labels, for a subset.
    pub subset: BTreeMap<String, String>,
}

/// Where a part of the requests goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// To the pods behind a Service.
    Backend(Backend),
    /// Nowhere, for this reason; the client gets an error.
    Nowhere(String),
}

/// Parts of whole requests, and copies that are sent besides. Weights mean their part of their sum.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Split {
    /// Each request goes to one of these.
    pub parts: Vec<(u64, Target)>,
    /// Each request is copied there with this probability in percent; nobody waits for the answer.
    pub mirrors: Vec<(f64, Target)>,
}

impl Split {
    pub(super) fn nowhere(reason: impl Into<String>) -> Self {
        Self { parts: vec![(1, Target::Nowhere(reason.into()))], mirrors: Vec::new() }
    }

    pub(super) fn all_to(backend: Backend) -> Self {
        Self { parts: vec![(1, Target::Backend(backend))], mirrors: Vec::new() }
    }

    /// The part of the requests that goes to a Service, from 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "weights are small numbers")]
    pub fn share_of(&self, service: &str) -> f64 {
        // As floats, because weights are what users wrote: their sum may be beyond any integer.
        let total: f64 = self.parts.iter().map(|(weight, _)| *weight as f64).sum();
        let here: f64 = self
            .parts
            .iter()
            .filter(|(_, target)| matches!(target, Target::Backend(backend) if backend.service == service))
            .map(|(weight, _)| *weight as f64)
            .sum();
        if total > 0.0 { here / total } else { 0.0 }
    }
}
