//! What is special about a blue-green release: where the traffic is, and which pods are kept for going back.

use sluice_crds::values::seconds_time;

use super::available;
use crate::advance::Advanced;
use crate::observe::Release;
use crate::revisions::number;
use crate::strategy::blue_green::is_active;

/// Where the release is.
pub(super) fn place(release: &Release<'_>) -> String {
    let switched = release.new.is_some_and(|new| is_active(release, new));
    if switched { "active".to_owned() } else { "preview".to_owned() }
}

/// What happens once the pods are there.
pub(super) fn moving(release: &Release<'_>, advanced: &Advanced, place: &str, has: &str) -> String {
    let revision = release.revision;
    let Some(active) = release.services.active.filter(|_| advanced.may_switch || advanced.facts.past_preview) else {
        return format!("{place}: revision {revision} has {has} pods available");
    };
    let name = &active.meta.name;
    format!("{place}: service {name} moves to revision {revision}, which has {has} pods available")
}

/// An abort that can't give the traffic back yet.
pub(super) fn still_on_new(release: &Release<'_>) -> Option<String> {
    let new = release.new.filter(|new| is_active(release, new))?;
    let stable = available(release.other_stable(), release.replicas);
    let least = release.budgets.least_available(release.replicas);
    Some(format!(
        "aborted: traffic stays on revision {}, which has {} pods available, until stable has {least}; it has {stable}",
        release.revision,
        available(Some(new), release.replicas),
    ))
}

/// Revisions that keep their pods for a while.
pub(super) fn kept(release: &Release<'_>) -> Option<String> {
    let kept = release.others.iter().filter(|set| set.wanted > 0);
    let kept: Vec<String> = kept
        .filter_map(|set| {
            let until = seconds_time(set.scale_down_deadline.filter(|deadline| *deadline > release.now)?);
            Some(format!("revision {} keeps {} pods until {until}", number(set), set.wanted))
        })
        .collect();
    (!kept.is_empty()).then(|| format!("; {}", kept.join(", ")))
}
