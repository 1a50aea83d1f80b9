//! From the destinations of one route and the split that is wanted to the weights that have to change.

use crate::observed::RawWeights;
use crate::split::{Destination, Split};

/// More than any router takes; what is written beyond is read as this.
const HEAVIEST: i64 = 1_000_000_000;

/// What a destination is to the Rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Stable,
    Canary,
    /// The Service of an Experiment.
    Experiment(String),
    /// The user keeps it beside ours, with its own share.
    Kept,
    /// None of ours, as people name it.
    Foreign(String),
}

/// A destination and its weight; `None` where it has none written.
pub(crate) struct Weighed {
    pub(crate) part: Part,
    pub(crate) weight: Option<i64>,
}

/// What a route lacks to divide traffic between two revisions.
pub(crate) enum Lack {
    Stable,
    Canary,
    /// A destination too many.
    Foreign(String),
}

/// What has to change in a list of destinations.
#[derive(Default)]
pub(crate) struct Change {
    /// New weights by index.
    pub(crate) set: Vec<(usize, i64)>,
    /// Experiments that have ended, by index.
    pub(crate) remove: Vec<usize>,
    /// Experiments that have begun.
    pub(crate) append: Vec<Destination>,
}

impl Change {
    pub(crate) fn is_none(&self) -> bool {
        self.set.is_empty() && self.changes_no_shape()
    }

    /// Whether weights are all that changes.
    pub(crate) fn changes_no_shape(&self) -> bool {
        self.remove.is_empty() && self.append.is_empty()
    }
}

/// A weight as it is written.
pub(crate) fn written(weight: &serde_json::Value) -> Option<i64> {
    weight.as_i64().map(|weight| weight.clamp(0, HEAVIEST))
}

/// What has to change so that the destinations divide as the split says. `unwritten` is the weight that the router
/// gives to a destination without one.
pub(crate) fn change(there: &[Weighed], split: &Split, unwritten: i64) -> Result<Change, Lack> {
    check(there)?;
    let kept = sum(there, unwritten, |part| *part == Part::Kept);
    let wanted = |part: &Part| match part {
        Part::Stable => Some((split.stable() - kept).max(0)),
        Part::Canary => Some(split.canary()),
        Part::Experiment(name) => split.additional().iter().find(|one| one.service == *name).map(|one| one.weight),
        Part::Kept | Part::Foreign(_) => None,
    };
    let mut change = Change::default();
    for (index, one) in there.iter().enumerate() {
        match wanted(&one.part) {
            Some(weight) if one.weight != Some(weight) => change.set.push((index, weight)),
            None if matches!(one.part, Part::Experiment(_)) => change.remove.push(index),
            _ => {}
        }
    }
    let is_there =
        |service: &str| there.iter().any(|one| matches!(&one.part, Part::Experiment(name) if name == service));
    change.append.extend(split.additional().iter().filter(|one| !is_there(&one.service)).cloned());
    if kept == 0 && change.changes_no_shape() && divides_alike(there, unwritten, |part| wanted(part).unwrap_or(0)) {
        return Ok(Change::default());
    }
    Ok(change)
}

/// The weights as they are.
pub(crate) fn weights(there: &[Weighed], unwritten: i64) -> Result<RawWeights, Lack> {
    check(there)?;
    let mut raw = RawWeights::default();
    for one in there {
        let weight = one.weight.unwrap_or(unwritten);
        match &one.part {
            Part::Stable => raw.stable += weight,
            Part::Canary => raw.canary += weight,
            Part::Kept => raw.kept += weight,
            Part::Experiment(name) => *raw.additional.entry(name.clone()).or_default() += weight,
            Part::Foreign(_) => {}
        }
    }
    Ok(raw)
}

/// One stable, one canary, and nothing that isn't known.
fn check(there: &[Weighed]) -> Result<(), Lack> {
    let count = |part: Part| there.iter().filter(|one| one.part == part).count();
    let foreign = there.iter().find_map(|one| match &one.part {
        Part::Foreign(name) => Some(name.clone()),
        _ => None,
    });
    match (count(Part::Stable), count(Part::Canary), foreign) {
        (0, _, _) => Err(Lack::Stable),
        (_, 0, _) => Err(Lack::Canary),
        (_, _, Some(name)) => Err(Lack::Foreign(name)),
        (2.., _, None) => Err(Lack::Foreign("the stable one a second time".to_owned())),
        (_, 2.., None) => Err(Lack::Foreign("the canary one a second time".to_owned())),
        (1, 1, None) => Ok(()),
    }
}

fn sum(there: &[Weighed], unwritten: i64, counts: impl Fn(&Part) -> bool) -> i64 {
    there.iter().filter(|one| counts(&one.part)).map(|one| one.weight.unwrap_or(unwritten)).sum()
}

/// Whether the shares are the wanted ones already, on whatever scale: 1 and 1 is 50 and 50.
fn divides_alike(there: &[Weighed], unwritten: i64, wanted: impl Fn(&Part) -> i64) -> bool {
    let written = i128::from(sum(there, unwritten, |_| true));
    let total: i128 = there.iter().map(|one| i128::from(wanted(&one.part))).sum();
    let alike =
        |one: &Weighed| i128::from(one.weight.unwrap_or(unwritten)) * total == i128::from(wanted(&one.part)) * written;
    written > 0 && there.iter().all(alike)
}
