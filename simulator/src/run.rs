//! One story, played: the cluster, its controllers and everything that happens, on one clock.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sluice_planner::engine::Moment;
use sluice_planner::{Action, Kind, Write};
use sluice_sandbox::Cluster;
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::{Request, Response};
use sluice_sandbox::world::Object;
use sluice_scenarios::{GATEWAY_LAG, Judge, Scene, empty_cluster, gateways_accept, is_failed_test, unaccepted_routes};

use crate::cache::KINDS;
use crate::controller::{Controller, kind_of};
use crate::history::{History, moment};
use crate::oaths::{Oaths, Sight};
use crate::runs::Runs;
use crate::story::{Answers, Fault, Story};

/// So long a client waits for an answer.
const PATIENCE: SignedDuration = SignedDuration::from_secs(10);
/// More than this without the clock moving, and somebody answers itself for ever.
const MOST_ROUNDS: usize = 2_000;

/// A promise was broken.
#[derive(Clone, Debug)]
pub struct Broken {
    /// What was found.
    pub what: String,
}

/// How much was done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Requests of controllers that were carried out.
    pub writes: u64,
    /// Requests that were lost, refused or late, crashes, outages, blind watches and rivals.
    pub faults: u64,
    /// What people, tools and nodes did.
    pub happenings: u64,
}

impl Figures {
    pub(crate) fn add(&mut self, other: Self) {
        let Self { writes, faults, happenings } = other;
        self.writes += writes;
        self.faults += faults;
        self.happenings += happenings;
    }
}

/// A request that is on its way although its client has given it up.
struct Late {
    at: Timestamp,
    write: Write,
    rollout: Arc<Object>,
    sight: Arc<Sight>,
}

pub(crate) struct Run<'s> {
    pub(crate) story: &'s Story,
    pub(crate) cluster: Cluster,
    pub(crate) start: Timestamp,
    pub(crate) controllers: Vec<Controller>,
    pub(crate) answers: Answers,
    pub(crate) outage_until: Timestamp,
    /// Requests of people are carried out, those of controllers fare as the story says until this ends.
    pub(crate) has_faults: bool,
    pub(crate) figures: Figures,
    /// Whoever acts on what was there before cannot have seen what has happened since.
    pub(crate) stirred_until: Timestamp,
    judge: Judge,
    oaths: Oaths,
    runs: Runs,
    history: History,
    requests: u64,
    faults: BTreeMap<u64, Fault>,
    late: Vec<Late>,
    gateways_at: Option<Timestamp>,
    pub(crate) told: Option<Vec<String>>,
}

impl<'s> Run<'s> {
    pub(crate) fn new(story: &'s Story, tells: bool) -> Self {
        let cluster = empty_cluster();
        let start = cluster.now();
        let controller = Controller::new(story.seed, &story.lags_ms, start);
        Self {
            story,
            cluster,
            start,
            controllers: vec![controller],
            answers: Answers::Good,
            outage_until: start,
            has_faults: true,
            figures: Figures::default(),
            stirred_until: start,
            judge: Judge::default(),
            oaths: Oaths::default(),
            runs: Runs::default(),
            history: History::default(),
            requests: 0,
            faults: story.faults.iter().map(|fault| (fault.nth, fault.fault)).collect(),
            late: Vec::new(),
            gateways_at: None,
            told: tells.then(Vec::new),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.cluster.now()
    }

    pub(crate) fn moment(&self) -> Moment {
        moment(self.start, self.now())
    }

    /// Somebody else has written what delays count from.
    pub(crate) fn forget_delays(&mut self) {
        self.oaths.forget();
    }

    pub(crate) fn tell(&mut self, what: impl FnOnce() -> String) {
        let at = self.moment();
        if let Some(told) = &mut self.told {
            told.push(format!("{:>9.3} s  {}", at.as_secs_f64(), what()));
        }
    }

    /// The Rollout as it is stored.
    pub(crate) fn rollout(&self) -> Option<Arc<Object>> {
        self.cluster.world().get("argoproj.io", "rollouts", "default", "web").cloned()
    }

    /// A request of a person or tool.
    pub(crate) fn ask(&mut self, request: Request) -> Response {
        let response = self.cluster.handle(&request.as_user(User::admin()));
        self.stir();
        response
    }

    /// Something happened that a controller sees only later.
    pub(crate) fn stir(&mut self) {
        let lag = self.controllers.iter().map(Controller::longest_lag_ms).max().unwrap_or(0);
        self.stirred_until = self.stirred_until.max(self.now() + SignedDuration::from_millis(lag + 1_000));
        self.judge.new_epoch();
    }

    /// Lets time pass; everything on the way happens at its own moment.
    pub(crate) fn run_until(&mut self, until: Timestamp) -> Result<(), Broken> {
        loop {
            let mut rounds = 0;
            while self.step()? {
                rounds += 1;
                if rounds > MOST_ROUNDS {
                    return Err(self.broken(&format!("promise 7: no rest: {}", self.controllers[0].why)));
                }
            }
            if self.now() >= until {
                return Ok(());
            }
            let next = self.next_wake().filter(|next| *next > self.now()).unwrap_or(until);
            self.cluster.advance_to(next.min(until));
        }
    }

    fn next_wake(&self) -> Option<Timestamp> {
        let now = self.now();
        let world = self.cluster.world();
        let of_moment = |at: Moment| self.start.checked_add(SignedDuration::try_from(at).ok()?).ok();
        let outage = Some(self.outage_until).filter(|until| *until > now);
        let of_controllers = self.controllers.iter().flat_map(|controller| {
            let sight = controller.next_sight(world, &self.history).map(|at| at.max(self.outage_until));
            let passing = controller.passing.as_ref().map(|passing| passing.at);
            let due = controller.next_due().and_then(of_moment);
            [sight, passing, due, Some(controller.starts_at()), controller.ends_at]
        });
        let late = self.late.iter().map(|late| Some(late.at));
        [self.cluster.next_wake(), self.runs.next_wake(), self.gateways_at, outage]
            .into_iter()
            .chain(of_controllers)
            .chain(late)
            .flatten()
            .filter(|at| *at > now)
            .min()
    }

    /// Does what is due at this moment. Says whether anything was.
    fn step(&mut self) -> Result<bool, Broken> {
        let now = self.now();
        self.history.note(now, self.cluster.world().revision());
        let mut acted = self.runs.look(&mut self.cluster, self.answers);
        acted |= self.accept_routes();
        if let Some(at) = self.late.iter().position(|late| late.at <= now) {
            let late = self.late.swap_remove(at);
            self.tell(|| format!("a request that was given up arrives: {}", late.write.reason));
            self.land_late(&late)?;
            return Ok(true);
        }
        for index in 0..self.controllers.len() {
            acted |= self.controller_acts(index)?;
        }
        let many = self.controllers.len();
        self.controllers.retain(|controller| controller.ends_at.is_none_or(|end| now < end));
        Ok(acted || many != self.controllers.len())
    }

    fn accept_routes(&mut self) -> bool {
        let now = self.now();
        match self.gateways_at {
            Some(at) if at <= now => {
                gateways_accept(&mut self.cluster);
                self.gateways_at = None;
                true
            }
            None if unaccepted_routes(&self.cluster) => {
                self.gateways_at = Some(now + GATEWAY_LAG);
                false
            }
            _ => false,
        }
    }

    fn controller_acts(&mut self, index: usize) -> Result<bool, Broken> {
        let (now, moment) = (self.now(), self.moment());
        if !self.controllers[index].is_alive(now) {
            return Ok(false);
        }
        let is_out = now < self.outage_until;
        let controller = &mut self.controllers[index];
        if !is_out {
            controller.look(self.cluster.world(), &self.history, now, moment, false);
        }
        let Some(passing) = &controller.passing else {
            let began = controller.begin(now, moment);
            if began {
                let why = controller.why.clone();
                self.tell(|| format!("controller {index} plans: {why}"));
            }
            return Ok(began);
        };
        if passing.at > now {
            return Ok(false);
        }
        let (rollout, sight) = (Arc::clone(&passing.rollout), Arc::clone(&passing.sight));
        if let Some(write) = controller.next_write(now, moment, self.start) {
            if let Some(passing) = &mut controller.passing {
                passing.at = now + SignedDuration::from_millis(self.story.request_ms);
            }
            self.send(index, write, &rollout, &sight)?;
        }
        Ok(true)
    }

    /// One request of a controller, and what becomes of it.
    fn send(&mut self, index: usize, write: Write, rollout: &Arc<Object>, sight: &Arc<Sight>) -> Result<(), Broken> {
        let (now, moment) = (self.now(), self.moment());
        let fault = self.faults.get(&self.requests).copied().filter(|_| self.has_faults);
        self.requests += 1;
        if now < self.outage_until {
            self.controllers[index].failed(&write, moment);
            return Ok(());
        }
        if let Some(fault) = fault {
            self.figures.faults += 1;
            self.tell(|| format!("controller {index}, {fault:?}: {}", write.reason));
        }
        match fault {
            Some(Fault::CrashBefore) => self.crash(index, now, false),
            Some(Fault::Conflict | Fault::Error) => self.controllers[index].failed(&write, moment),
            Some(Fault::LostBefore) => self.give_up(index, &write),
            Some(Fault::LostAfter) => {
                self.land(&write, rollout, sight)?;
                self.give_up(index, &write);
            }
            Some(Fault::Late(ms)) => {
                let at = now + PATIENCE + SignedDuration::from_millis(ms);
                self.give_up(index, &write);
                self.late.push(Late { at, write, rollout: Arc::clone(rollout), sight: Arc::clone(sight) });
            }
            Some(Fault::CrashAfter) => {
                self.land(&write, rollout, sight)?;
                self.crash(index, now, false);
            }
            None => {
                let landed = self.land(&write, rollout, sight)?;
                self.learn(index, &write, landed);
                if landed.is_some() && self.story.dies_after_each_write {
                    self.crash(index, now, false);
                }
            }
        }
        Ok(())
    }

    /// No answer came.
    fn give_up(&mut self, index: usize, write: &Write) {
        let moment = self.moment() + Moment::try_from(PATIENCE).unwrap_or_default();
        let at = self.now() + PATIENCE;
        let controller = &mut self.controllers[index];
        controller.failed(write, moment);
        if let Some(passing) = &mut controller.passing {
            passing.at = at;
        }
    }

    fn learn(&mut self, index: usize, write: &Write, landed: Option<u64>) {
        let moment = self.moment();
        let controller = &mut self.controllers[index];
        match (landed, &write.action) {
            (Some(_), Action::Delete { .. }) => {}
            (Some(version), _) => controller.wrote(write, version, moment),
            (None, action) => {
                if let (Action::Create(_), Some(kind)) = (action, kind_of(write.target.kind)) {
                    controller.cache.look_at(self.cluster.world(), kind, &write.target.name);
                }
                controller.failed(write, moment);
            }
        }
    }

    /// The process dies, and another one begins with a look at everything (unless what it is shown is old).
    pub(crate) fn crash(&mut self, index: usize, at: Timestamp, stale: bool) {
        self.stirred_until = self.stirred_until.max(at);
        let moment = moment(self.start, at);
        let seed = self.story.seed ^ self.requests;
        self.history.note(self.now(), self.cluster.world().revision());
        let controller = &mut self.controllers[index];
        if !stale {
            controller.look(self.cluster.world(), &self.history, self.cluster.now(), moment, true);
        }
        controller.restart(seed, at, moment);
    }

    /// Another controller, which has seen everything that there is now.
    pub(crate) fn begin_rival(&mut self, lag_ms: i64, until: Timestamp) {
        let (now, moment) = (self.now(), self.moment());
        self.history.note(now, self.cluster.world().revision());
        let mut rival = Controller::new(self.story.seed + 1, &vec![lag_ms; KINDS.len()], now);
        rival.look(self.cluster.world(), &self.history, now, moment, true);
        rival.ends_at = Some(until);
        self.controllers.push(rival);
    }

    /// A request arrives. Judged, if it is accepted; gives the version of what it left.
    fn land(&mut self, write: &Write, rollout: &Arc<Object>, sight: &Arc<Sight>) -> Result<Option<u64>, Broken> {
        if self.now() <= self.stirred_until || self.controllers.len() > 1 {
            self.judge.new_epoch();
        }
        let Some(stored) = self.rollout() else { return Ok(None) };
        let now = self.now();
        let scene = Scene::as_seen(self.cluster.world(), &sight.pods);
        let (judge, oaths) = (&mut self.judge, &self.oaths);
        let remembered = judge.clone();
        let verdict = caught(|| {
            judge.before(&scene, rollout.value(), write);
            oaths.before(sight, rollout.value(), stored.value(), write, now);
        });
        let shares = caught(|| Judge::shares(&scene, rollout.value()));
        let response = self.request(write);
        let landed = response.status < 300;
        self.tell(|| format!("  {} {}: {} ({})", response.status, shown(write), write.reason, write.action.method()));
        if !landed {
            self.judge = remembered;
            self.refused(write, &response)?;
            return Ok(None);
        }
        self.figures.writes += 1;
        verdict.map_err(|what| self.broken(&what))?;
        let shares = shares.map_err(|what| self.broken(&what))?;
        let scene = Scene::as_seen(self.cluster.world(), &sight.pods);
        if let Some(before) = &shares {
            caught(|| Judge::after(&scene, rollout.value(), write, before)).map_err(|what| self.broken(&what))?;
        }
        let has_moved = caught(|| Judge::shares(&scene, rollout.value())).is_ok_and(|after| after != shares);
        self.is_held(stored.value(), write)?;
        self.turn(stored.value(), write, has_moved);
        let body = response.json_body();
        let version = body["metadata"]["resourceVersion"].as_str().and_then(|version| version.parse().ok());
        Ok(Some(version.unwrap_or_else(|| self.cluster.world().revision())))
    }

    /// What would outlive a Rollout in a shared route holds it first.
    fn is_held(&self, stored: &Value, write: &Write) -> Result<(), Broken> {
        if !matches!(write.target.kind, Kind::Routing(..)) || takes_turns(stored) {
            return Ok(());
        }
        let finalizers = stored["metadata"]["finalizers"].as_array();
        let held = finalizers.into_iter().flatten().any(|name| name == "rollouts.argoproj.io/sluice-routing");
        let kind = write.target.kind;
        let group = kind_of(kind).map(|kind| KINDS[kind].0).unwrap_or_default();
        let object = self.cluster.world().get(group, kind.plural(), "default", &write.target.name);
        let Some(object) = object.map(|object| &object.value()["spec"]) else { return Ok(()) };
        let lists = object["http"].as_array().into_iter().flatten().map(|route| &route["route"]);
        let mut lists = lists.chain(object["rules"].as_array().into_iter().flatten().map(|rule| &rule["backendRefs"]));
        let shared = lists.any(|to| to[1]["weight"].as_i64().is_some_and(|weight| weight > 0));
        if shared && !held {
            return Err(self.broken("a share stands in a shared route, and nothing holds the Rollout"));
        }
        Ok(())
    }

    /// A request arrives long after others were planned. What a size rests on lies in other objects, and with pingPong
    /// also what a weight means, of which no precondition can tell: it is judged by what becomes of it.
    fn land_late(&mut self, late: &Late) -> Result<(), Broken> {
        let in_turns = self.rollout().is_some_and(|rollout| takes_turns(rollout.value()));
        let rests_on_others = match late.write.target.kind {
            Kind::ReplicaSet => true,
            Kind::Routing(..) => in_turns,
            _ => false,
        };
        if !rests_on_others {
            return self.land(&late.write, &late.rollout, &late.sight).map(drop);
        }
        let landed = self.request(&late.write).status < 300;
        self.figures.writes += u64::from(landed);
        self.judge.new_epoch();
        Ok(())
    }

    /// Directions may turn with the step, and where a release is aborted.
    fn turn(&mut self, before: &Value, write: &Write, has_moved: bool) {
        let Some(after) = self.rollout() else { return };
        let shares_moved = has_moved && matches!(write.target.kind, Kind::Routing(..));
        self.oaths.landed(write, shares_moved, before, after.value(), self.cluster.now());
        if write.target.kind != Kind::RolloutStatus {
            return;
        }
        let (before, after) = (&before["status"], &after.value()["status"]);
        if before["currentStepIndex"] != after["currentStepIndex"] {
            self.judge.new_step();
        }
        if before["abort"] != after["abort"] || before["currentPodHash"] != after["currentPodHash"] {
            self.judge.new_epoch();
        }
    }

    fn request(&mut self, write: &Write) -> Response {
        let manager = write.target.kind.field_manager();
        let path = format!("{}?fieldManager={manager}", write.target.path(&write.action));
        let request = Request::new(write.action.method(), &path)
            .with_json(&write.action.body())
            .with_header("content-type", write.action.content_type());
        self.cluster.handle(&request.as_user(User::admin()))
    }

    fn refused(&self, write: &Write, response: &Response) -> Result<(), Broken> {
        let stale = matches!(response.status, 404 | 409 | 429) || is_failed_test(response);
        if stale {
            return Ok(());
        }
        Err(self.broken(&format!("refused for good: {} {}: {write:?}", response.status, response.json_body())))
    }

    pub(crate) fn broken(&self, what: &str) -> Broken {
        Broken { what: format!("{what}\n  at {:.3} s", self.moment().as_secs_f64()) }
    }
}

fn shown(write: &Write) -> String {
    let target = &write.target;
    format!("{} {}", target.kind.plural(), target.name)
}

/// What a judge says when it panics.
fn caught<T>(judge: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(judge)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
    })
}

/// Whether the two Services change their roles with each release.
fn takes_turns(rollout: &Value) -> bool {
    rollout["spec"]["strategy"]["canary"]["pingPong"].is_object()
}
