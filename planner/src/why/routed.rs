//! What routers add to the sentence: where the traffic is while it should be elsewhere, and what they lack.

use crate::advance::Advanced;
use crate::conditions::Stage;
use crate::observe::Release;
use crate::snapshot::ReplicaSet;
use crate::traffic::{Routed, Traffic};

/// The sentence, and what the routers have yet to do.
pub(super) fn with_routers(
    release: &Release<'_>,
    advanced: &Advanced<'_>,
    routed: &Routed,
    stage: Stage,
    said: String,
) -> String {
    let Some(traffic) = &release.traffic else { return said };
    let problems: Vec<&str> = routed.problems().iter().map(|problem| problem.sentence.as_str()).collect();
    if !problems.is_empty() {
        return format!("{said}; the routers are not told anything: {}", problems.join("; "));
    }
    let needs = traffic.routing.needs();
    let unread = needs.objects.iter().filter(|object| traffic.is_unread(object));
    let unread: Vec<String> = unread.map(ToString::to_string).collect();
    if !unread.is_empty() {
        return format!("{said}; not read yet: {}", unread.join(", "));
    }
    match stage {
        Stage::Aborted | Stage::Promoted => format!("{said}{}", still_there(release, traffic, routed)),
        _ => match &routed.wait {
            Some(wait) if advanced.waits_for_routers.is_none() && release.other_stable().is_some() => {
                format!("{said}; {}", wait.sentence)
            }
            _ => said,
        },
    }
}

/// Traffic that has yet to come back to the stable destination.
fn still_there(release: &Release<'_>, traffic: &Traffic<'_>, routed: &Routed) -> String {
    let (_, most) = traffic.weights();
    let total = traffic.total();
    if most == 0 {
        return routed.wait.as_ref().map_or_else(String::new, |wait| format!("; {}", wait.sentence));
    }
    let ready = release.other_stable().or(release.new).map_or(0, ReplicaSet::available_to_stay);
    format!(
        "; weight {most} of {total} goes back as stable, with {ready} of {} pods available, can take it",
        release.replicas
    )
}
