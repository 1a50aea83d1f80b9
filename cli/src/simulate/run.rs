//! One release from beginning to end, as fast as it can be computed.

use std::time::Duration;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use kube::Client;
use sluice_controller::{Clock, Controller, Measuring, Settings, ShutdownHandle};
use sluice_sandbox::Cluster;
use sluice_sandbox::doors::{Clock as DoorClock, Door};

use super::outcome::{DEADLINE, End, Outcome};
use super::scrapes;
use super::told::{Sample, Told};
use crate::stage::frame::Frame;
use crate::stage::furniture::{self, Manifest};
use crate::stage::line::{Line, transport};
use crate::stage::scenario::Scenario;
use crate::stage::story::{Entry, Story};
use crate::stage::{director, load, release};
use crate::view::standing::Waits;

/// How often is looked.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The first version must be healthy within this time, and serves alone for that one.
const HEALTHY_WITHIN: SignedDuration = SignedDuration::from_mins(15);
const ALONE: Duration = Duration::from_mins(1);
/// A person promotes what waits for one so much later.
const A_PERSON_TAKES: SignedDuration = SignedDuration::from_mins(1);
/// What is aborted has this time to go back.
const GOES_BACK_WITHIN: SignedDuration = SignedDuration::from_mins(2);
const NODES: usize = 3;
const SEED: u64 = 1;

pub(super) struct Asked {
    pub(super) manifests: Vec<Manifest>,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) scenario: Scenario,
    pub(super) limit: Duration,
}

/// Must be run on a runtime whose time is paused.
pub(super) async fn run(asked: Asked) -> anyhow::Result<Told> {
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().context("the first moment")?;
    let mut cluster = Cluster::new(SEED, NODES, start);
    furniture::install_crds(&mut cluster)?;
    let left_out = furniture::install(&mut cluster, &asked.manifests)?;
    let flows = load::flows(cluster.world());
    let names = flows.iter().map(|flow| flow.name.clone()).collect();
    flows.into_iter().for_each(|flow| cluster.plane_mut().send(flow, start));
    if let Some(interval) = scrapes::interval(&asked.manifests) {
        cluster.metrics_mut().scrape_every(interval, start);
    }
    let door = Door::to_cluster(cluster, DoorClock::following_runtime(start));
    let life = door.clone();
    let alive = tokio::spawn(async move { life.keep_going().await });
    let (stop, stopping) = ShutdownHandle::new();
    let controller = tokio::spawn(controller(&door).run(stop.clone(), stopping));
    let release = Release { door, flows: names, asked };
    let outcome = release.tell(left_out).await;
    stop.begin();
    controller.abort();
    alive.abort();
    outcome
}

fn controller(door: &Door) -> Controller {
    let settings = Settings {
        namespace: String::new(),
        instance_id: String::new(),
        election: None,
        qps: 1000.0,
        burst: 1000,
        passes_at_once: 1,
        resync: Duration::from_mins(15),
        seed: SEED,
    };
    let measuring = Measuring { prometheus_address: "http://prometheus".to_owned(), ..Measuring::default() };
    let client = Client::new(Line(door.clone()), "default");
    Controller::new(client, settings, Clock::following_runtime(door.now()))
        .measuring(measuring)
        .asking_through(transport(door.clone(), None))
}

struct Release {
    door: Door,
    flows: Vec<String>,
    asked: Asked,
}

impl Release {
    async fn tell(&self, left_out: Vec<String>) -> anyhow::Result<Told> {
        let Asked { namespace, name, scenario, limit, .. } = &self.asked;
        let before = self.first_version().await?;
        tokio::time::sleep(ALONE).await;
        release::next_version(&self.door, namespace, name, *scenario).context("releasing the next version")?;
        let began = self.door.now();
        let (mut story, mut entries, mut samples) = (Story::default(), Vec::new(), Vec::new());
        let mut course = Course { began, first: before.revision, waits_since: None, step: None, aborted: None };
        let mut last = self.frame()?.traffic;
        let outcome = loop {
            tokio::time::sleep(LOOK_EVERY).await;
            director::direct(&self.door);
            let frame = self.frame()?;
            entries.extend(story.tell(&frame));
            samples.push(Sample::new(&frame, &frame.traffic.since(&last), began));
            last = frame.traffic.clone();
            if let Some(outcome) = course.outcome(&frame) {
                break outcome;
            }
            if frame.at.duration_since(began) >= SignedDuration::try_from(*limit).unwrap_or(SignedDuration::MAX) {
                break course.ended(End::Unfinished, &frame);
            }
            if course.is_a_persons_turn(&frame) {
                entries.push(self.promote(&frame, &mut story)?);
            }
        };
        let rollout = format!("{namespace}/{name}");
        Ok(Told { rollout, scenario: *scenario, began, entries, samples, outcome, left_out, flows: self.flows.clone() })
    }

    fn promote(&self, frame: &Frame, story: &mut Story) -> anyhow::Result<Entry> {
        release::promote(&self.door, &self.asked.namespace, &self.asked.name)?;
        Ok(story.add(frame, "a person promotes it, as this simulation has it a minute after it begins to wait for one"))
    }

    /// Waits for the first version.
    async fn first_version(&self) -> anyhow::Result<Frame> {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let frame = self.frame()?;
            let standing = &frame.standing;
            if standing.phase == "Healthy" && frame.is_stable {
                return Ok(frame);
            }
            let waited = frame.at.duration_since("2026-01-01T00:00:00Z".parse()?);
            let is_refused = standing.phase == "Degraded" && frame.pods.is_empty();
            anyhow::ensure!(
                waited < HEALTHY_WITHIN && !is_refused,
                "{}: the first version never becomes healthy: {}: {}",
                self.asked.name,
                standing.phase,
                standing.sentence()
            );
        }
    }

    fn frame(&self) -> anyhow::Result<Frame> {
        let Asked { namespace, name, .. } = &self.asked;
        let looked = self.door.with_cluster(|cluster| Frame::of(cluster, &self.flows, namespace, name));
        looked.flatten().with_context(|| format!("the Rollout {name} is gone"))
    }
}

/// How far the release is.
struct Course {
    began: Timestamp,
    /// The revision before it.
    first: i64,
    waits_since: Option<Timestamp>,
    /// The step that it was last seen at while it went on.
    step: Option<(usize, usize)>,
    /// How it ended, once it is on its way back.
    aborted: Option<Outcome>,
}

impl Course {
    fn outcome(&mut self, frame: &Frame) -> Option<Outcome> {
        let standing = &frame.standing;
        if frame.revision == self.first {
            return None;
        }
        if frame.is_aborted {
            let outcome = self.ended(End::Aborted, frame);
            let aborted = self.aborted.get_or_insert(outcome);
            let since = frame.at.duration_since(self.began) - aborted.after;
            // How it ended is written down one pass later than that it ended.
            aborted.why = why(frame);
            let is_back = standing.weight.is_none_or(|(actual, _)| actual == 0) && frame.ended.is_some();
            return (is_back && since > SignedDuration::from_secs(1) || since >= GOES_BACK_WITHIN)
                .then(|| aborted.clone());
        }
        if standing.phase != "Degraded" {
            self.step = standing.step;
        }
        match (standing.phase.as_str(), standing.waits) {
            ("Healthy", _) if frame.is_stable => Some(self.ended(End::Promoted, frame)),
            ("Degraded", _) => Some(self.ended(End::Stuck, frame)),
            (_, Waits::Verdict) => Some(self.ended(End::Inconclusive, frame)),
            _ => None,
        }
    }

    fn ended(&self, end: End, frame: &Frame) -> Outcome {
        let failed =
            frame.evidence.iter().filter(|one| matches!(one.phase.as_str(), "Failed" | "Error" | "Inconclusive"));
        let mut by: Vec<String> = failed.map(|one| one.metric.clone()).collect();
        let standing = &frame.standing;
        let is_late = [&standing.message, &standing.why]
            .iter()
            .any(|text| text.contains("ProgressDeadlineExceeded") || text.contains("deadline"));
        if by.is_empty() && is_late {
            by.push(DEADLINE.to_owned());
        }
        if end == End::Promoted {
            by.clear();
        }
        let after = frame.at.duration_since(self.began);
        Outcome { end, after, by, step: self.step, why: why(frame) }
    }

    /// Whether a person who takes as long as people do would promote it now.
    fn is_a_persons_turn(&mut self, frame: &Frame) -> bool {
        if frame.standing.waits != Waits::Person {
            self.waits_since = None;
            return false;
        }
        let since = *self.waits_since.get_or_insert(frame.at);
        let is_turn = frame.at.duration_since(since) >= A_PERSON_TAKES;
        if is_turn {
            self.waits_since = None;
        }
        is_turn
    }
}

/// The sentence of the end, once it is written down, else of how it stands.
fn why(frame: &Frame) -> String {
    let ended = frame.ended.as_ref().filter(|ended| ended.revision == frame.revision && !ended.why.is_empty());
    ended.map_or_else(|| frame.standing.sentence().to_owned(), |ended| ended.why.clone())
}
