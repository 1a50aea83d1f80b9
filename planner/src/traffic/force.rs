//! Whether what is written is what routers do: they say so themselves, requests through them have shown it, or the
//! time is over that the user gives them.

use jiff::{SignedDuration, Timestamp};

use super::{Side, Traffic};
use crate::observe::Release;
use crate::probe::{Answer, Question};

/// What a release waits for at its routers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Wait {
    /// In one sentence.
    pub(crate) sentence: String,
    /// When to look again although nothing changes.
    pub(crate) wake_at: Option<Timestamp>,
    /// What requests are to find out.
    pub(crate) probe: Option<Question>,
}

impl Wait {
    pub(super) fn because(sentence: String) -> Self {
        Self { sentence, ..Self::default() }
    }
}

/// Says what is missing until this weight, which all objects have, is in force.
pub(super) fn missing(release: &Release<'_>, traffic: &Traffic<'_>, weight: i32) -> Option<Wait> {
    if sabotaged!(IgnoresPropagation) {
        return None;
    }
    let shares = &traffic.observed.shares;
    if let Some(share) = shares.iter().find(|share| share.verified == Some(false)) {
        return Some(Wait::because(format!(
            "waiting: {} has weight {weight}, and its status does not say yet that this is in force",
            share.object
        )));
    }
    let mut silent = shares.iter().filter(|share| share.verified.is_none()).peekable();
    silent.peek()?;
    if let Some(question) = question(release, traffic, weight) {
        return unanswered(traffic.snapshot.probed.as_ref(), question);
    }
    let delay = traffic.routing.traffic.propagation_delay();
    let written_at = silent.filter_map(|share| share.written_at).max()?;
    let over_at = written_at.checked_add(SignedDuration::from_nanos(delay.nanos().max(0))).ok()?;
    (over_at > release.now).then(|| Wait {
        wake_at: Some(over_at),
        ..Wait::because(format!("waiting: weight {weight} was written and takes until {over_at} to reach all proxies"))
    })
}

/// What requests through the routers are to find out, if the user wants them.
fn question(release: &Release<'_>, traffic: &Traffic<'_>, weight: i32) -> Option<Question> {
    let probe = traffic.routing.traffic.probe.as_ref()?;
    let total = traffic.total();
    let leads = |side| release.new.is_some_and(|new| traffic.leads_to(side, new));
    let of_stable = if leads(Side::Stable) { total - weight } else { 0 };
    let of_canary = if leads(Side::Canary) { weight } else { 0 };
    Some(Question {
        url: probe.url.clone(),
        header: probe.header.clone(),
        requests: u32::try_from(probe.requests()).unwrap_or(0).max(1),
        version: release.new_hash.to_string(),
        weight: i64::from(of_stable + of_canary),
        total: i64::from(total),
    })
}

fn unanswered(answer: Option<&Answer>, question: Question) -> Option<Wait> {
    let Question { weight, total, requests, url, .. } = &question;
    let answer = answer.filter(|answer| answer.question == question);
    if answer.is_some_and(|answer| sluice_traffic::is_in_force(*weight, *total, answer.answers, answer.of_new)) {
        return None;
    }
    let found = answer.map_or_else(String::new, |Answer { answers, of_new, problem, .. }| {
        let problem = problem.as_ref().map_or_else(String::new, |problem| format!(" ({problem})"));
        format!("; of {answers} answers {of_new} were the new version's{problem}")
    });
    let sentence = format!(
        "waiting: {requests} requests to {url} are to show that {weight} of {total} reach the new version{found}"
    );
    Some(Wait { probe: Some(question), ..Wait::because(sentence) })
}
