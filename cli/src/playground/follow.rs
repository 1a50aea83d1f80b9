//! What happens in the playground: a page that stays true on a terminal, else a line for each thing that happens.

use std::collections::{BTreeMap, VecDeque};
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sluice_sandbox::doors::Door;

use super::welcome::Welcome;
use super::{Args, page};
use crate::stage::director;
use crate::stage::frame::Frame;
use crate::stage::release;
use crate::stage::scenario::Scenario;
use crate::stage::story::{About, Entry, Story};
use crate::stage::traffic::Totals;
use crate::terminal::{Look, Screen};
use crate::view::text::harmless;

/// How often is looked, where time goes by as ever.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const LOOK_AT_MOST_EVERY: Duration = Duration::from_millis(100);
/// So long the first version is left alone before the next one is released.
const BEFORE_THE_RELEASE: SignedDuration = SignedDuration::from_secs(3);
/// Shares of traffic are told again after so long at the earliest.
const BETWEEN_SHARES: SignedDuration = SignedDuration::from_secs(2);
/// What is kept of what was told, and of the course of errors.
const LINES_KEPT: usize = 100;
const SAMPLES_KEPT: usize = 60;

/// `namespace`, `name`
type Name = (String, String);
type Frames = Vec<(Name, Frame)>;

pub(super) struct Follower {
    door: Door,
    flows: Vec<String>,
    welcome: Welcome,
    look: Look,
    every: Duration,
    plot: Option<Scenario>,
    is_demo: bool,
    releases: BTreeMap<Name, Release>,
    lines: VecDeque<String>,
    traffic: Traffic,
}

#[derive(Default)]
struct Release {
    story: Story,
    healthy_since: Option<Timestamp>,
    /// The next version was released by itself, or need not be.
    is_begun: bool,
}

#[derive(Default)]
struct Traffic {
    looked: Totals,
    told: Totals,
    told_at: Option<Timestamp>,
    said: String,
    /// Errors in percent, look by look.
    errors: VecDeque<f64>,
}

impl Follower {
    pub(super) fn new(door: Door, flows: Vec<String>, welcome: Welcome, args: &Args) -> Self {
        Self {
            door,
            flows,
            welcome,
            look: args.look,
            every: (LOOK_EVERY / args.speed).max(LOOK_AT_MOST_EVERY),
            plot: args.plot(),
            is_demo: args.shows_demo(),
            releases: BTreeMap::new(),
            lines: VecDeque::new(),
            traffic: Traffic::default(),
        }
    }

    /// Never ends by itself.
    pub(super) async fn follow(mut self) -> anyhow::Result<()> {
        let is_terminal = std::io::stdout().is_terminal();
        if !is_terminal {
            say(&self.welcome.text());
        }
        let mut screen = Screen::default();
        let mut every = tokio::time::interval(self.every);
        loop {
            every.tick().await;
            director::direct(&self.door);
            let (frames, lines) = self.look()?;
            if is_terminal {
                self.lines.extend(lines);
                let too_many = self.lines.len().saturating_sub(LINES_KEPT);
                self.lines.drain(..too_many);
                let style = self.look.style();
                let shown = page::Page {
                    welcome: &self.welcome,
                    frames: &frames,
                    shares: &self.traffic.said,
                    errors: self.traffic.errors.make_contiguous(),
                    lines: self.lines.make_contiguous(),
                };
                let (width, rows) = crate::terminal::size().unwrap_or((80, 24));
                screen.show(&shown.drawn(width, rows), style).map_err(|problem| anyhow::anyhow!(problem.sentence))?;
            } else {
                lines.iter().for_each(|line| say(line));
            }
        }
    }

    fn look(&mut self) -> anyhow::Result<(Frames, Vec<String>)> {
        let flows = &self.flows;
        let seen = self.door.with_cluster(|cluster| {
            let rollouts = cluster.world().list("argoproj.io", "rollouts", "");
            let names = rollouts.iter().map(|one| (one.namespace().to_owned(), one.name().to_owned()));
            let frame = |name: Name| Some((name.clone(), Frame::of(cluster, flows, &name.0, &name.1)?));
            let frames: Frames = names.filter_map(frame).collect();
            let traffic = Totals::of(cluster.plane().record(), flows.iter().map(String::as_str));
            (frames, traffic, cluster.now())
        });
        let Some((frames, traffic, now)) = seen else { return Ok((Vec::new(), Vec::new())) };
        let mut lines = Vec::new();
        for (name, frame) in &frames {
            self.tell(name, frame, &mut lines)?;
        }
        let named = |hash: &str| {
            let owner = frames.iter().find(|(_, frame)| frame.numbers.contains_key(hash));
            let number = owner.map_or_else(|| "others".to_owned(), |(_, frame)| frame.revision_named(hash));
            match owner.filter(|_| frames.len() > 1) {
                Some(((_, name), _)) => format!("{name} {number}"),
                None => number,
            }
        };
        lines.extend(self.traffic.tell(traffic, now, named));
        Ok((frames, lines))
    }

    fn tell(&mut self, name: &Name, frame: &Frame, lines: &mut Vec<String>) -> anyhow::Result<()> {
        let release = self.releases.entry(name.clone()).or_default();
        let before = release.story.ended();
        for entry in release.story.tell(frame) {
            lines.push(format!("{}  {}", clock(entry.at), told(&name.1, &entry)));
        }
        let has_ended = release.story.ended() != before && before.is_some();
        if has_ended && self.is_demo {
            lines.extend(
                self.welcome.tries.iter().take(4).map(|(what, command)| format!("          {what}: {command}")),
            );
        }
        let is_healthy = frame.standing.phase == "Healthy" && frame.is_stable;
        release.healthy_since = release.healthy_since.or(Some(frame.at)).filter(|_| is_healthy);
        let is_due = release.healthy_since.is_some_and(|since| frame.at.duration_since(since) >= BEFORE_THE_RELEASE);
        if let (true, false, Some(scenario)) = (is_due, release.is_begun, self.plot) {
            release.is_begun = true;
            if frame.revision == 1 {
                self.begin(name, scenario, frame.at, lines)?;
            }
        }
        Ok(())
    }

    fn begin(
        &self,
        (namespace, name): &Name,
        scenario: Scenario,
        at: Timestamp,
        lines: &mut Vec<String>,
    ) -> anyhow::Result<()> {
        let what = if self.is_demo {
            let image = format!("shop:{}", scenario.tag());
            release::next_image(&self.door, namespace, name, &image)?;
            image
        } else {
            release::next_version(&self.door, namespace, name, scenario)?;
            "the next version".to_owned()
        };
        lines.push(format!("{}  {name}: {what} is released by itself, to be watched ({})", clock(at), scenario.word()));
        Ok(())
    }
}

impl Traffic {
    /// A line where shares or errors changed.
    fn tell(&mut self, traffic: Totals, now: Timestamp, named: impl Fn(&str) -> String) -> Option<String> {
        let since = traffic.since(&self.looked);
        self.looked = traffic.clone();
        // Before the first version is ready all is lost, which would make every later error look small.
        let has_begun = !self.errors.is_empty() || since.lost == 0;
        if let Some(permille) = since.error_permille().filter(|_| has_begun) {
            self.errors.push_back(f64::from(u32::try_from(permille).unwrap_or(1000)) / 10.0);
            let too_many = self.errors.len().saturating_sub(SAMPLES_KEPT);
            self.errors.drain(..too_many);
        }
        let is_time = self.told_at.is_none_or(|told| now.duration_since(told) >= BETWEEN_SHARES);
        if !is_time {
            return None;
        }
        let line = traffic.since(&self.told).told(named);
        (self.told, self.told_at) = (traffic, Some(now));
        if line.is_empty() || line == self.said {
            return None;
        }
        self.said.clone_from(&line);
        Some(format!("{}  traffic: {line}", clock(now)))
    }
}

fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

fn told(name: &str, entry: &Entry) -> String {
    let Entry { about, phase, step, weight, pods, what, .. } = entry;
    if *about != About::State {
        return format!("{name}: {what}");
    }
    let step = step.map(|(done, all)| format!(", step {done}/{all}")).unwrap_or_default();
    let weight = weight.map(|(actual, wanted)| format!(", weight {actual}/{wanted}")).unwrap_or_default();
    let pods = if pods.is_empty() { String::new() } else { format!(", pods {pods}") };
    let what = if what.is_empty() { String::new() } else { format!(": {what}") };
    let phase = if phase.is_empty() { "not seen yet" } else { phase };
    format!("{name}: {phase}{step}{weight}{pods}{what}")
}

/// Prints a line. The cluster goes on when nobody reads any more.
pub(super) fn say(line: &str) {
    let _read_or_not = writeln!(std::io::stdout(), "{}", harmless(line));
}
