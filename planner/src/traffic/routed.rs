//! What routers are told in this pass, and whether they have done what was wanted.

use sluice_traffic::{Edits, Problem, Split};

use super::force::{self, Wait};
use super::goal::{goal, goes_forward};
use super::{Side, Traffic, split, taken_out};
use crate::observe::Release;
use crate::plan::{Action, Event, Kind, Target, Write};
use crate::strategy::routed::target_at;

/// What this pass makes of the routers.
#[derive(Default)]
pub(crate) struct Routed {
    edits: Edits,
    /// Whether all routers do what they may do now, so that pods whose share was given away can go.
    pub(crate) is_settled: bool,
    /// What they wait for.
    pub(crate) wait: Option<Wait>,
    /// Whether the split needs routes that outlive the Rollout.
    pub(crate) leaves_traces: bool,
}

impl Routed {
    /// What is to be done now; nothing for a release whose strategy routes no traffic.
    pub(crate) fn of(release: &Release<'_>) -> Self {
        let Some(traffic) = &release.traffic else { return Self::default() };
        let Some(weight) = goal(release, traffic) else {
            // What is wrong with the objects is worth knowing all the same.
            let found = edits(traffic, &split::all_to(release, traffic, traffic.weights().1));
            return Self { edits: Edits { edits: Vec::new(), ..found }, ..Self::default() };
        };
        let split = split::at(release, traffic, weight, release.facts.step);
        let mut edits = edits(traffic, &split);
        let has_arrived = is_done(&edits);
        let wait = if has_arrived { force::missing(release, traffic, weight) } else { None };
        let is_settled = has_arrived && wait.is_none() && taken_out(traffic.snapshot).is_empty();
        if !is_settled {
            // That our fields are ours also says when they were written, which the propagation delay counts from.
            edits.edits.retain(|edit| !edit.only_tidies_up);
        }
        let is_foreign = || traffic.observed.shares.iter().any(|share| share.written_at.is_none());
        if sabotaged!(NeverReapplies) && traffic.weights().1 > 0 && is_foreign() {
            edits.edits.clear();
        }
        Self { is_settled, edits, wait, leaves_traces: !split.is_idle() }
    }

    /// One sentence for each object that can't be edited.
    pub(crate) fn problems(&self) -> &[Problem] {
        &self.edits.problems
    }

    /// The writes of this pass.
    pub(crate) fn writes(&self) -> impl Iterator<Item = Write> {
        self.edits.edits.iter().filter_map(write)
    }
}

/// What is missing until all routers have the split of this step.
pub(crate) fn missing_at(release: &Release<'_>, traffic: &Traffic<'_>, step: usize) -> Option<Wait> {
    let weight = target_at(release, traffic, step).weight;
    let total = traffic.total();
    if !traffic.is_known() {
        return Some(Wait::because("waiting: what the routers do is not known".to_owned()));
    }
    let (least, most) = traffic.weights();
    if (least, most) != (weight, weight) {
        let there = if least == most { least.to_string() } else { format!("{least} to {most}") };
        let lacks = if release.new.is_some_and(|new| traffic.leads_to(Side::Canary, new)) {
            String::new()
        } else {
            "; the canary destination does not lead to it yet".to_owned()
        };
        return Some(Wait::because(format!("waiting: weight {there} of {total} goes to {weight}{lacks}")));
    }
    let lacks_destination = split::has_own_ways(release, step) && !goes_forward(release, traffic);
    if lacks_destination || !is_done(&edits(traffic, &split::at(release, traffic, weight, step))) {
        return Some(Wait::because("waiting: the routes of this step are being written".to_owned()));
    }
    force::missing(release, traffic, weight)
}

/// Whether nothing but the stable destination gets any traffic, and all proxies know it.
pub(super) fn is_at_rest(release: &Release<'_>, traffic: &Traffic<'_>) -> bool {
    let found = edits(traffic, &split::all_to(release, traffic, 0));
    traffic.is_known() && traffic.weights().1 == 0 && is_done(&found) && force::missing(release, traffic, 0).is_none()
}

fn edits(traffic: &Traffic<'_>, split: &Split) -> Edits {
    sluice_traffic::edits(split, traffic.routing, &traffic.snapshot.routing)
}

fn is_done(found: &Edits) -> bool {
    found.problems.is_empty() && found.edits.iter().all(|edit| edit.only_tidies_up)
}

/// An edit as a write. One of a version that can't be read is none.
pub(super) fn write(edit: &sluice_traffic::Edit) -> Option<Write> {
    let object = &edit.target.object;
    let version = object.kind.versions().iter().find(|version| **version == edit.target.version)?;
    let action = match &edit.action {
        sluice_traffic::Action::Create(object) => Action::Create(object.clone()),
        sluice_traffic::Action::JsonPatch(operations) => {
            Action::Patch(operations.iter().map(sluice_traffic::Operation::to_json).collect())
        }
        sluice_traffic::Action::Delete { uid, resource_version } => {
            Action::Delete { uid: uid.clone(), resource_version: resource_version.clone() }
        }
    };
    let told = edit.event.iter().map(|(reason, message)| Event::normal(reason, message.clone()));
    Some(Write {
        target: Target {
            kind: Kind::Routing(object.kind, version),
            namespace: object.namespace.clone(),
            name: object.name.clone(),
        },
        action,
        reason: format!("{object}: {}", edit.reason),
        events: told.collect(),
    })
}
