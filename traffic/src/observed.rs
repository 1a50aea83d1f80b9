//! The way back: the split that the routing objects express now.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use sluice_crds::values::parse_time;

use crate::edit::FIELD_MANAGER;
use crate::objects::ObjectRef;

/// What the routing objects express now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// One entry for each place that divides traffic between our revisions.
    pub shares: Vec<Share>,
    /// What the subsets of the DestinationRule select, if one is used.
    pub subsets: Option<Subsets>,
    /// Objects of which nothing can be said: missing, not read yet, or not as they should be.
    pub unclear: Vec<ObjectRef>,
}

/// A place that divides traffic, and how it does.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// The object.
    pub object: ObjectRef,
    /// The place in it, for example `spec.http[0]`.
    pub place: String,
    /// How it divides.
    pub weights: Weights,
    /// Whether the router says that what is written is in force; `None` where it can't say.
    pub verified: Option<bool>,
    /// When this controller last wrote to the object, as the API server remembers it. What it has given back since
    /// was written long ago.
    pub written_at: Option<Timestamp>,
}

/// Weights of the total that the Rollout counts to. Where an object counts otherwise they are converted, each
/// rounded up, so that no share is taken for smaller than it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weights {
    /// What goes to the new revision.
    pub canary: i64,
    /// What goes to the stable revision.
    pub stable: i64,
    /// What goes to Services of Experiments, by name.
    pub additional: BTreeMap<String, i64>,
}

/// The pod template hashes that the subsets select.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subsets {
    /// Of the stable subset; `None` where it has none yet.
    pub stable: Option<String>,
    /// Of the canary subset.
    pub canary: Option<String>,
}

impl Observed {
    /// Where the new revision gets the least: a step is done when this one has arrived.
    pub fn least_shifted(&self) -> Option<&Share> {
        self.shares.iter().min_by_key(|share| share.weights.canary)
    }

    /// Where the new revision gets the most: its pods must bear this one.
    pub fn most_shifted(&self) -> Option<&Share> {
        self.shares.iter().max_by_key(|share| share.weights.canary)
    }

    /// Whether all routers that can say so say that their weights are in force; `None` where none can.
    pub fn verified(&self) -> Option<bool> {
        let said = self.shares.iter().filter_map(|share| share.verified);
        said.fold(None, |all, one| Some(all.unwrap_or(true) && one))
    }
}

/// Raw weights as an object has them.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawWeights {
    pub(crate) canary: i64,
    pub(crate) stable: i64,
    /// Destinations that the user keeps beside ours.
    pub(crate) kept: i64,
    pub(crate) additional: BTreeMap<String, i64>,
}

impl RawWeights {
    /// In terms of `total`.
    pub(crate) fn of_total(self, total: i64) -> Weights {
        let additional: i64 = self.additional.values().sum();
        let as_written_by_us = self.stable == (total - self.canary - additional - self.kept).max(0);
        let sum = self.canary + self.stable + self.kept + additional;
        let convert = |weight: i64| {
            if as_written_by_us || sum == 0 { weight } else { share_of(weight, total, sum) }
        };
        Weights {
            canary: convert(self.canary),
            stable: convert(self.stable),
            additional: self.additional.into_iter().map(|(name, weight)| (name, convert(weight))).collect(),
        }
    }
}

/// `weight` of `sum` in terms of `total`, rounded up.
fn share_of(weight: i64, total: i64, sum: i64) -> i64 {
    let exact = i128::from(weight) * i128::from(total);
    let sum = i128::from(sum);
    i64::try_from((exact + sum - 1) / sum).unwrap_or(total)
}

/// When our field manager last wrote to an object.
pub(crate) fn written_at(object: &Value) -> Option<Timestamp> {
    let entries = object["metadata"]["managedFields"].as_array()?.iter();
    let ours = entries.filter(|entry| entry["manager"] == FIELD_MANAGER);
    ours.filter_map(|entry| parse_time(entry["time"].as_str()?).ok()).max()
}
