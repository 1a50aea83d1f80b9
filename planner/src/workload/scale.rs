//! How many pods the Deployment keeps that the template is taken from. Until the first release is complete its pods
//! serve; they go only as those of the Rollout become available, never ahead.

use jiff::{SignedDuration, Timestamp};
use sluice_crds::rollout::{ScaleDown, WorkloadRef};

use super::held::{self, Held};
use super::{Workload, resolve};
use crate::observe::Release;
use crate::plan::{Event, Write};

/// A second time somebody is contradicted only after so long, then after twice that, and so on.
const FIRST_PATIENCE: SignedDuration = SignedDuration::from_secs(30);
/// The longest time between two contradictions.
const LONGEST_PATIENCE: SignedDuration = SignedDuration::from_mins(10);
/// What others did so long ago counts no more.
const FORGIVES_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// What is to be done about the Deployment, and what is to be said.
#[derive(Default)]
pub(crate) struct Scaling {
    pub(crate) writes: Vec<Write>,
    pub(crate) sentence: Option<String>,
    pub(crate) wake_at: Option<Timestamp>,
}

/// Of a Deployment.
struct Sizing<'a> {
    deployment: &'a Workload,
    held: Option<Held>,
    /// Pods that it had before it was scaled down.
    from: i32,
    mode: ScaleDown,
}

impl Scaling {
    /// What is to become of the Deployment now.
    pub(crate) fn of(release: &Release<'_>, now: Timestamp) -> Self {
        let Some(sizing) = Sizing::observe(release) else { return Self::default() };
        let (current, deployment) = (sizing.deployment.replicas, sizing.deployment);
        let is_frozen = release.rollout.spec.paused() && release.facts.aborted_at.is_none();
        let Some(to) = sizing.wanted(release).filter(|to| *to != current && !is_frozen) else {
            return Self { sentence: sizing.sentence(release), ..Self::default() };
        };
        let (name, from) = (&deployment.meta.name, sizing.from);
        let raised = sizing.held.as_ref().filter(|held| to < current && current > held.to);
        let taken_back = match (&sizing.held, raised) {
            (_, Some(held)) if held.is_forgiven(now) => 1,
            (_, Some(held)) => {
                if let Some(until) = held.patient_until().filter(|until| *until > now) {
                    let times = held.taken_back;
                    let sentence = format!(
                        "Deployment {name} was scaled up to {current} again by others, {times} times so far; it is \
                         scaled down once more at {until}; leave spec.replicas out of what they apply"
                    );
                    return Self { sentence: Some(sentence), wake_at: Some(until), ..Self::default() };
                }
                held.taken_back.saturating_add(1)
            }
            (Some(held), None) => held.taken_back,
            (None, None) => 0,
        };
        let rollout = release.name().to_owned();
        let held = Held { rollout, from, to, taken_back, at: now };
        let available = available(release);
        let reason = format!("{available} of the Rollout's {} pods are available", release.replicas);
        let mut write = held::resize(deployment, to, Some(&held), reason);
        let verb = if to < current { "down" } else { "up" };
        let told = format!("Scaled {verb} Deployment {name} from {current} to {to}");
        write.events.push(match raised {
            Some(_) => Event::warning("ScalingWorkload", format!("{told}: others had scaled it up")),
            None => Event::normal("ScalingWorkload", told),
        });
        let writes = held::hold(release.rollout, deployment).into_iter().chain([write]).collect();
        Self { writes, sentence: sizing.sentence(release), wake_at: None }
    }
}

impl<'a> Sizing<'a> {
    fn observe(release: &Release<'a>) -> Option<Self> {
        let mode = release.rollout.spec.workload_ref.as_ref().map(WorkloadRef::scale_down)?;
        let deployment = resolve::deployment(release.snapshot)?;
        let held = Held::by(release.rollout, deployment);
        let from = held.as_ref().map_or(deployment.replicas, |held| held.from);
        Some(Self { deployment, held, from, mode })
    }

    /// Pods that it is to have now; none where it is left as it is.
    fn wanted(&self, release: &Release<'_>) -> Option<i32> {
        let current = self.deployment.replicas;
        let is_complete = release.facts.stable_hash.is_some();
        // What somebody else took from it is not given back.
        let is_ours = self.held.as_ref().is_some_and(|held| held.to == current);
        let back = (is_ours && current < self.from).then_some(self.from);
        match (&self.mode, is_complete) {
            (ScaleDown::OnSuccess | ScaleDown::Progressively, true) => {
                let enough = release.budgets.least_available(release.replicas).max(1);
                (current > 0 && available(release) >= enough).then_some(0)
            }
            (ScaleDown::OnSuccess, false) => back,
            (ScaleDown::Progressively, false) => {
                let down = self.uncovered(available(release), release.replicas);
                let up = self.uncovered(ready(release), release.replicas);
                if current > down { Some(down) } else { Some(up).filter(|up| is_ours && current < *up) }
            }
            (ScaleDown::Never | ScaleDown::Other(_), _) => None,
        }
    }

    /// Its pods that those of the Rollout don't stand in for, rounded up.
    fn uncovered(&self, covered: i32, replicas: i32) -> i32 {
        if replicas <= 0 {
            return self.from;
        }
        let missing = i64::from((replicas - covered).max(0));
        let left = (i64::from(self.from) * missing + i64::from(replicas) - 1) / i64::from(replicas);
        i32::try_from(left).unwrap_or(i32::MAX)
    }

    fn sentence(&self, release: &Release<'_>) -> Option<String> {
        let (name, current) = (&self.deployment.meta.name, self.deployment.replicas);
        if current == 0 || release.facts.stable_hash.is_some() {
            return None;
        }
        match self.mode {
            ScaleDown::OnSuccess => {
                Some(format!("Deployment {name} keeps its {current} pods until the first release is complete"))
            }
            ScaleDown::Progressively => Some(format!(
                "Deployment {name} keeps {current} of {} pods until more of the Rollout's are available",
                self.from
            )),
            ScaleDown::Never | ScaleDown::Other(_) => None,
        }
    }
}

impl Held {
    fn is_forgiven(&self, now: Timestamp) -> bool {
        now.duration_since(self.at) > FORGIVES_AFTER
    }

    /// Until when others are let alone who scaled the Deployment up; the first time is no quarrel yet.
    fn patient_until(&self) -> Option<Timestamp> {
        let doublings = self.taken_back.checked_sub(1)?.min(10);
        let patience = FIRST_PATIENCE.checked_mul(1 << doublings).unwrap_or(LONGEST_PATIENCE);
        self.at.checked_add(patience.min(LONGEST_PATIENCE)).ok()
    }
}

/// Pods of all revisions that serve and will stay.
fn available(release: &Release<'_>) -> i32 {
    release.all().fold(0, |sum: i32, set| sum.saturating_add(set.available_to_stay()))
}

fn ready(release: &Release<'_>) -> i32 {
    release.all().fold(0, |sum: i32, set| sum.saturating_add(set.ready.min(set.wanted)))
}
