//! One run of a container's process from its start to its end, with everything that the kubelet sees of it, in
//! offsets from the start. It is computed as a whole: nothing has to be polled.

use jiff::SignedDuration;

use super::behaviour::Shutdown;
use super::plan::ContainerPlan;
use super::probe::{Probe, window};
use super::program::{Course, Program};
use super::steps::Steps;
use super::time::NO_TIME;

#[derive(Clone, Debug)]
pub(super) struct Run {
    /// When the postStart hook is done; `None` if never.
    pub(super) hook_done: Option<SignedDuration>,
    /// When the process ends by itself, and with which code.
    pub(super) end: Option<(SignedDuration, i32)>,
    /// From when on the container counts as started.
    pub(super) started: Option<SignedDuration>,
    pub(super) ready: Steps,
    /// When a probe has the container killed.
    pub(super) killed: Option<Kill>,
    /// Failed probes worth an event, ascending.
    pub(super) complaints: Vec<(SignedDuration, String)>,
    shutdown: Shutdown,
    code_on_sigterm: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kill {
    pub(super) at: SignedDuration,
    /// `liveness` or `startup`.
    pub(super) probe: &'static str,
    pub(super) grace: Option<SignedDuration>,
}

/// A container that waits for a hook which took all of the grace period still gets this long after SIGTERM.
const LEAST_AFTER_HOOK: SignedDuration = SignedDuration::from_secs(2);
/// The exit code of a process that met SIGKILL.
pub(super) const KILLED: i32 = 137;

impl Run {
    /// The run of a container that the runtime can start.
    pub(super) fn of(plan: &ContainerPlan) -> Self {
        const NOTHING: &Course = &Course { end: None, files: Vec::new(), on_sigterm: Some(0) };
        let course = match &plan.program {
            Program::Runs(course) => course,
            Program::CannotStart { .. } => NOTHING,
        };
        let scripted = &plan.scripted;
        let crash = scripted.crash_after.map(|after| (after, 1));
        let mut run = Self {
            hook_done: plan.post_start.map_or(Some(NO_TIME), |hook| hook.takes),
            end: [course.end, crash].into_iter().flatten().min(),
            started: None,
            ready: Steps::always(false),
            killed: None,
            complaints: Vec::new(),
            shutdown: scripted.shutdown.unwrap_or(match course.on_sigterm {
                Some(_) => Shutdown::After(NO_TIME),
                None => Shutdown::Never,
            }),
            code_on_sigterm: course.on_sigterm.unwrap_or(0),
        };
        run.probe(plan, course);
        run
    }

    fn probe(&mut self, plan: &ContainerPlan, course: &Course) {
        let Some(running) = self.hook_done else {
            return;
        };
        let scripted = &plan.scripted;
        self.started = match &plan.startup {
            None => Some(running),
            Some(probe) => {
                let answers = probe.answers(&course.files).and(&window(scripted.started_after, None));
                self.find("startup", probe, &answers, running).first_success
            }
        };
        let Some(started) = self.started else {
            return;
        };
        let healthy = window(None, scripted.unhealthy_after);
        let up = window(scripted.ready_after, scripted.unready_after).and(&healthy);
        self.ready = match &plan.readiness {
            None => up.and(&Steps::yes_from(started)),
            Some(probe) => {
                let answers = probe.answers(&course.files).and(&up);
                self.find("readiness", probe, &answers, started).verdicts
            }
        };
        if let Some(probe) = &plan.liveness {
            let answers = probe.answers(&course.files).and(&healthy);
            self.find("liveness", probe, &answers, started);
        }
    }

    /// What one probe finds, with its consequences for this run noted.
    fn find(&mut self, name: &'static str, probe: &Probe, answers: &Steps, from: SignedDuration) -> Found {
        let findings = probe.findings(answers, from);
        let first_success = match findings.verdicts.first() {
            Some((at, true)) => Some(*at),
            _ => None,
        };
        // A startup probe is no longer asked once it has succeeded.
        let over = if name == "startup" { first_success } else { None };
        let asked = |at: SignedDuration| over.is_none_or(|over| at <= over);
        let first_failure = findings.verdicts.iter().find(|(at, success)| !success && asked(*at));
        if let (Some((at, _)), true) = (first_failure, name != "readiness") {
            self.killed = Some(Kill { at: *at, probe: name, grace: probe.grace });
        }
        let why = probe.failure();
        let complaints = findings.failures.into_iter().filter(|at| asked(*at));
        self.complaints.extend(complaints.map(|at| (at, format!("{} probe failed: {why}", capitalised(name)))));
        self.complaints.sort();
        Found { first_success, verdicts: Steps::of(false, findings.verdicts) }
    }

    /// When a process that is asked to stop at `from` is gone, and its exit code: the preStop hook, then SIGTERM,
    /// then SIGKILL at the end of `grace`.
    pub(super) fn stop(
        &self,
        plan: &ContainerPlan,
        from: SignedDuration,
        grace: SignedDuration,
    ) -> (SignedDuration, i32) {
        if grace <= NO_TIME {
            return (from, KILLED);
        }
        let hook = plan.pre_stop.map_or(NO_TIME, |hook| hook.takes.unwrap_or(grace)).min(grace);
        let sigterm = from.saturating_add(hook);
        let left = if hook > NO_TIME { (grace - hook).max(LEAST_AFTER_HOOK) } else { grace };
        let stopped = match self.shutdown {
            Shutdown::After(takes) if takes <= left => (sigterm.saturating_add(takes), self.code_on_sigterm),
            Shutdown::After(_) | Shutdown::Never => (sigterm.saturating_add(left), KILLED),
        };
        // It may end by itself meanwhile.
        [stopped].into_iter().chain(self.end).min().unwrap_or(stopped)
    }
}

struct Found {
    first_success: Option<SignedDuration>,
    verdicts: Steps,
}

fn capitalised(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
}
