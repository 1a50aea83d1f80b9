//! The life of one container: pulled, started, running, stopping, exited, waiting, started again.

use jiff::{SignedDuration, Timestamp};

use super::event::Teller;
use super::image::Pull;
use super::memory::{ContainerMemory, Exit, START_ERROR, State};
use super::options::Options;
use super::plan::{ContainerPlan, PodPlan, Role};
use super::program::Program;
use super::run::{KILLED, Kill, Run};
use super::time::{NO_TIME, later, since};

/// A container, its plan and its surroundings, at one moment.
pub(super) struct Container<'a> {
    pub(super) pod: &'a PodPlan,
    pub(super) plan: &'a ContainerPlan,
    pub(super) run: &'a Run,
    pub(super) options: &'a Options,
    pub(super) memory: &'a mut ContainerMemory,
    pub(super) teller: &'a mut Teller,
    /// False once the pod stops or has nothing left to do.
    pub(super) may_start: bool,
}

const START_FAILED: i32 = 128;

impl Container<'_> {
    /// Makes the one change that is due at `t`, if any.
    pub(super) fn advance(&mut self, t: Timestamp) -> bool {
        match self.memory.state.clone() {
            State::Idle | State::BadName => false,
            State::PullFailed { at, retry_at, noticed } => {
                if self.may_start && retry_at <= t {
                    self.start(t);
                    return true;
                }
                if !noticed && later(at, self.options.notice) <= t {
                    self.memory.state = State::PullFailed { at, retry_at, noticed: true };
                    let (field, image) = (self.field(), &self.plan.image);
                    self.teller.normal(t, "BackOff", &field, format!("Back-off pulling image \"{image}\""));
                    self.teller.warning(t, "Failed", &field, "Error: ImagePullBackOff".to_owned());
                    return true;
                }
                false
            }
            State::InHook { start } => self.advance_in_hook(start, t),
            State::Running { start, told } => self.advance_running(start, told, t),
            State::Stopping { start, since, grace } => {
                let (gone_at, code) = self.gone(start, since, grace);
                if gone_at <= t {
                    self.exit(start, code, t);
                }
                gone_at <= t
            }
            State::Exited { exit, retry_at, noticed } => self.advance_exited(exit, retry_at, noticed, t),
        }
    }

    fn advance_in_hook(&mut self, start: Timestamp, t: Timestamp) -> bool {
        let ran = since(start, t);
        if let Some((_, code)) = self.run.end.filter(|(end, _)| *end <= ran) {
            self.exit(start, code, t);
            return true;
        }
        if self.run.hook_done.is_none_or(|done| done > ran) {
            return false;
        }
        if self.plan.post_start.is_some_and(|hook| hook.fails) {
            let message = "PostStartHook failed; the container is killed".to_owned();
            self.teller.warning(t, "FailedPostStartHook", &self.field(), message);
            self.exit(start, KILLED, t);
        } else {
            self.memory.state = State::Running { start, told: Some(SignedDuration::MIN) };
        }
        true
    }

    fn advance_running(&mut self, start: Timestamp, told: Option<SignedDuration>, t: Timestamp) -> bool {
        let ran = since(start, t);
        if let Some((_, code)) = self.run.end.filter(|(end, _)| *end <= ran) {
            self.exit(start, code, t);
            return true;
        }
        let Some(told) = told else {
            self.memory.state = State::Running { start, told: Some(ran) };
            return true;
        };
        let due = self.run.complaints.iter().find(|(at, _)| *at > told && *at <= ran);
        if let Some((at, complaint)) = due {
            self.teller.warning(t, "Unhealthy", &self.field(), complaint.clone());
            // Complaints of one moment are told together.
            self.memory.state = State::Running { start, told: Some(*at) };
            return true;
        }
        if let Some(Kill { probe, grace, .. }) = self.run.killed.filter(|kill| kill.at <= ran) {
            let name = &self.plan.name;
            let message = format!("Container {name} failed {probe} probe, will be restarted");
            self.teller.normal(t, "Killing", &self.field(), message);
            self.memory.state = State::Stopping { start, since: t, grace: grace.unwrap_or(self.pod.grace) };
            return true;
        }
        false
    }

    fn advance_exited(&mut self, exit: Exit, retry_at: Option<Timestamp>, noticed: bool, t: Timestamp) -> bool {
        let Some(retry_at) = retry_at else {
            return false;
        };
        if !self.may_start || !self.plan.restart.after(exit.code) {
            self.memory.state = State::Exited { exit, retry_at: None, noticed };
            return true;
        }
        if retry_at <= t {
            self.memory.restarts = self.memory.restarts.saturating_add(1);
            self.memory.last = Some(exit);
            self.start(t);
            return true;
        }
        if !noticed && later(exit.finished_at, self.options.notice) <= t {
            let message = format!("Back-off restarting failed container {} in pod {}", self.plan.name, self.pod_name());
            self.teller.warning(t, "BackOff", &self.field(), message);
            self.memory.state = State::Exited { exit, retry_at: Some(retry_at), noticed: true };
            return true;
        }
        false
    }

    /// Pulls the image and starts the process, or fails to.
    pub(super) fn start(&mut self, t: Timestamp) {
        let field = self.field();
        let image = &self.plan.image;
        match &self.plan.pull {
            Pull::BadName { why } => {
                self.teller.warning(t, "InspectFailed", &field, why.clone());
                self.teller.warning(t, "Failed", &field, "Error: InvalidImageName".to_owned());
                self.memory.state = State::BadName;
                return;
            }
            Pull::Fails { why } => {
                self.teller.normal(t, "Pulling", &field, format!("Pulling image \"{image}\""));
                self.teller.warning(t, "Failed", &field, format!("Failed to pull image \"{image}\": {why}"));
                self.teller.warning(t, "Failed", &field, "Error: ErrImagePull".to_owned());
                let wait = self.options.pull_back_off.wait(self.memory.failed_pulls);
                self.memory.failed_pulls = self.memory.failed_pulls.saturating_add(1);
                let retry_at = later(t, wait);
                self.memory.state = State::PullFailed { at: t, retry_at, noticed: false };
                return;
            }
            Pull::Works => {}
        }
        self.memory.failed_pulls = 0;
        let message = format!("Container image \"{image}\" already present on machine");
        self.teller.normal(t, "Pulled", &field, message);
        let name = &self.plan.name;
        self.teller.normal(t, "Created", &field, format!("Created container: {name}"));
        if let Program::CannotStart { why } = &self.plan.program {
            self.teller.warning(t, "Failed", &field, format!("Error: {why}"));
            self.exited(Exit {
                code: START_FAILED,
                reason: START_ERROR.to_owned(),
                message: why.clone(),
                started_at: Timestamp::UNIX_EPOCH,
                finished_at: t,
            });
            return;
        }
        self.teller.normal(t, "Started", &field, format!("Started container {name}"));
        self.memory.state = if self.plan.post_start.is_some() {
            State::InHook { start: t }
        } else {
            State::Running { start: t, told: Some(SignedDuration::MIN) }
        };
    }

    /// Asks a living process to stop.
    pub(super) fn stop(&mut self, t: Timestamp, grace: SignedDuration) -> bool {
        let (State::Running { start, .. } | State::InHook { start }) = self.memory.state else {
            return false;
        };
        let message = format!("Stopping container {}", self.plan.name);
        self.teller.normal(t, "Killing", &self.field(), message);
        if self.plan.pre_stop.is_some_and(|hook| hook.fails) {
            let message = "PreStopHook failed".to_owned();
            self.teller.warning(t, "FailedPreStopHook", &self.field(), message);
        }
        self.memory.state = State::Stopping { start, since: t, grace };
        true
    }

    /// When a process that was asked to stop is gone, and its exit code.
    fn gone(&self, start: Timestamp, asked: Timestamp, grace: SignedDuration) -> (Timestamp, i32) {
        let (after, code) = self.run.stop(self.plan, since(start, asked), grace);
        (later(start, after), code)
    }

    fn exit(&mut self, start: Timestamp, code: i32, t: Timestamp) {
        // A run that held long enough counts as healthy.
        if since(start, t) > self.options.forgive_after {
            self.memory.crashes = 0;
        }
        self.exited(Exit {
            code,
            reason: if code == 0 { "Completed" } else { "Error" }.to_owned(),
            message: String::new(),
            started_at: start,
            finished_at: t,
        });
    }

    fn exited(&mut self, exit: Exit) {
        // The first end is followed by a start at once; the back-off begins with the second in a row.
        let wait = match self.memory.crashes {
            0 => NO_TIME,
            crashes => self.options.crash_back_off.wait(crashes - 1),
        };
        self.memory.crashes = self.memory.crashes.saturating_add(1);
        let restarts = self.may_start && self.plan.restart.after(exit.code);
        let retry_at = restarts.then(|| later(exit.finished_at, wait.max(self.options.notice)));
        self.memory.state = State::Exited { exit, retry_at, noticed: false };
    }

    /// The next moment after `t` at which something changes by itself or looks different.
    pub(super) fn next_change(&self, t: Timestamp) -> Option<Timestamp> {
        match &self.memory.state {
            State::Idle | State::BadName => None,
            State::PullFailed { at, retry_at, noticed } => {
                let notice = later(*at, self.options.notice);
                Some(if *noticed { *retry_at } else { notice.min(*retry_at) })
            }
            State::InHook { start } => {
                let end = self.run.end.map(|(end, _)| end);
                [self.run.hook_done, end].into_iter().flatten().map(|offset| later(*start, offset)).min()
            }
            State::Running { start, .. } => {
                let ran = since(*start, t);
                let ahead = |offset: &SignedDuration| *offset > ran;
                [
                    self.run.end.map(|(end, _)| end),
                    self.run.killed.map(|kill| kill.at),
                    self.run.started.filter(ahead),
                    self.run.ready.next_after(ran),
                    self.run.complaints.iter().map(|(at, _)| *at).find(ahead),
                ]
                .into_iter()
                .flatten()
                .map(|offset| later(*start, offset))
                .min()
            }
            State::Stopping { start, since: asked, grace } => {
                let (gone_at, _) = self.gone(*start, *asked, *grace);
                let flip = self.run.ready.next_after(since(*start, t)).map(|offset| later(*start, offset));
                Some(flip.map_or(gone_at, |flip| flip.min(gone_at)))
            }
            State::Exited { exit, retry_at, noticed } => {
                let notice = later(exit.finished_at, self.options.notice);
                retry_at.map(|retry_at| if *noticed { retry_at } else { notice.min(retry_at) })
            }
        }
    }

    fn field(&self) -> String {
        let list = match self.plan.role {
            Role::Main => "containers",
            Role::Init | Role::Sidecar => "initContainers",
        };
        format!("spec.{list}{{{}}}", self.plan.name)
    }

    fn pod_name(&self) -> String {
        let PodPlan { name, namespace, uid, .. } = self.pod;
        format!("{name}_{namespace}({uid})")
    }
}

impl ContainerMemory {
    pub(super) fn is_alive(&self) -> bool {
        matches!(self.state, State::InHook { .. } | State::Running { .. } | State::Stopping { .. })
    }

    /// Its process was seen running, now or before.
    pub(super) fn has_run(&self) -> bool {
        let before = self.restarts > 0 || self.last.is_some();
        before || matches!(self.state, State::Running { .. } | State::Stopping { .. } | State::Exited { .. })
    }

    /// Ended and not to be started again.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Exited { retry_at: None, .. })
    }

    pub(super) fn succeeded(&self) -> bool {
        matches!(&self.state, State::Exited { exit, retry_at: None, .. } if exit.code == 0)
    }

    /// Past its postStart hook and its startup probe.
    pub(super) fn is_started(&self, run: &Run, t: Timestamp) -> bool {
        match self.state {
            State::Running { start, .. } | State::Stopping { start, .. } => {
                run.started.is_some_and(|started| started <= since(start, t))
            }
            _ => false,
        }
    }

    /// An init container is ready when it has done its task, the others while they answer.
    pub(super) fn is_ready(&self, run: &Run, role: Role, t: Timestamp) -> bool {
        match self.state {
            State::Running { start, .. } | State::Stopping { start, .. } if role != Role::Init => {
                run.ready.at(since(start, t))
            }
            _ => role == Role::Init && self.succeeded(),
        }
    }
}
