//! What goes wrong between a client and the API server: the weather of a real network and of a real
//! control plane, drawn from a seed.
//!
//! [`Faults`] stands between one client and a [`Cluster`]. It decides for each request whether it is
//! delayed, refused, lost before or after the server acted on it, or answered from the past; and for
//! each watch whether events come late, twice, or not at all because the stream breaks.

mod watch;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::api::options::Query;
use crate::api::request::{Body, Request, Response};
use crate::api::status::Status;
use crate::cluster::Cluster;
use crate::random::Random;

pub use watch::FaultyWatch;

/// How likely each fault is, in parts per million of requests (or, for watches, of looks).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weather {
    /// A write is refused with 409 although nobody else wrote.
    pub conflicts: u32,
    /// A request is refused with 429 and `Retry-After: 1`.
    pub throttled: u32,
    /// A request is refused with 500.
    pub errors: u32,
    /// A request is lost on its way; the client waits for its time-out.
    pub lost_before: u32,
    /// The server acts, but the client waits for its time-out.
    pub lost_after: u32,
    /// The server acts, but the connection breaks instead of carrying the answer.
    pub dropped_answers: u32,
    /// A list is answered as of an older revision.
    pub stale_reads: u32,
    /// How many revisions old such an answer may be.
    pub most_stale: u64,
    /// The longest time that a request takes.
    pub slowest: SignedDuration,
    /// A watch breaks.
    pub watches_cut: u32,
    /// The events at hand come later.
    pub watches_delayed: u32,
    /// By how much, at most.
    pub longest_delay: SignedDuration,
    /// The last event comes once more.
    pub watches_repeated: u32,
}

impl Weather {
    /// A bad day: every kind of fault, each often enough to be met within a few hundred requests.
    #[must_use]
    pub fn stormy() -> Self {
        Self {
            conflicts: 20_000,
            throttled: 10_000,
            errors: 20_000,
            lost_before: 10_000,
            lost_after: 10_000,
            dropped_answers: 10_000,
            stale_reads: 100_000,
            most_stale: 50,
            slowest: SignedDuration::from_secs(2),
            watches_cut: 10_000,
            watches_delayed: 50_000,
            longest_delay: SignedDuration::from_secs(5),
            watches_repeated: 20_000,
        }
    }
}

/// What a client learns of its request, and when.
#[derive(Debug)]
pub struct Delivery {
    /// When the client learns it.
    pub at: Timestamp,
    /// What it learns.
    pub outcome: Outcome,
}

/// What a client learns of its request.
#[derive(Debug)]
pub enum Outcome {
    /// An answer, perhaps a refusal.
    Answered(Response),
    /// The connection broke; whether the server acted is unknown.
    Broken,
    /// Nothing came within the client's patience; whether the server acted is unknown.
    TimedOut,
}

/// The way between one client and the API server.
#[derive(Clone, Debug)]
pub struct Faults {
    weather: Weather,
    random: Random,
    patience: SignedDuration,
    outage_until: Option<Timestamp>,
}

impl Faults {
    /// A way on which the weather is as given; a client waits so long for an answer.
    #[must_use]
    pub fn new(weather: Weather, seed: u64, patience: SignedDuration) -> Self {
        Self { weather, random: Random::seeded(seed), patience, outage_until: None }
    }

    /// From now on the weather is this.
    pub fn set_weather(&mut self, weather: Weather) {
        self.weather = weather;
    }

    /// Nothing gets through until then; watches break.
    pub fn begin_outage(&mut self, until: Timestamp) {
        self.outage_until = Some(until);
    }

    /// Whether the API server is out of reach.
    #[must_use]
    pub fn is_out(&self, now: Timestamp) -> bool {
        self.outage_until.is_some_and(|until| now < until)
    }

    /// Sends one request through the weather.
    pub fn send(&mut self, cluster: &mut Cluster, request: &Request) -> Delivery {
        let now = cluster.now();
        if self.is_out(now) {
            return Delivery { at: now, outcome: Outcome::Broken };
        }
        let latency = self.up_to(self.weather.slowest);
        let answered = later(now, latency);
        let timed_out = later(now, self.patience);
        // Each fault is drawn whether or not an earlier one struck, so that a change of one
        // likelihood leaves the others' draws where they were.
        let conflicts = self.random.chance(self.weather.conflicts) && writes_in_place(request);
        let throttled = self.random.chance(self.weather.throttled);
        let fails = self.random.chance(self.weather.errors);
        let lost_before = self.random.chance(self.weather.lost_before);
        let lost_after = self.random.chance(self.weather.lost_after);
        let dropped = self.random.chance(self.weather.dropped_answers);
        let stale = self.random.chance(self.weather.stale_reads);
        let back = self.random.below(self.weather.most_stale.saturating_add(1));
        if lost_before {
            return Delivery { at: timed_out, outcome: Outcome::TimedOut };
        }
        if let Some(refused) = refusal(conflicts, throttled, fails) {
            return Delivery { at: answered, outcome: Outcome::Answered(Response::refused(&refused)) };
        }
        let past = if stale { as_of_the_past(cluster, request, back) } else { None };
        let response = cluster.handle(past.as_ref().unwrap_or(request));
        if lost_after {
            Delivery { at: timed_out, outcome: Outcome::TimedOut }
        } else if dropped {
            Delivery { at: answered, outcome: Outcome::Broken }
        } else {
            Delivery { at: answered, outcome: Outcome::Answered(response) }
        }
    }

    /// Takes over the watch in an answer, to be read through the weather.
    #[must_use]
    pub fn watch(&mut self, response: Response) -> Option<FaultyWatch> {
        match response.body {
            Body::Watch(cursor) => Some(FaultyWatch::new(*cursor)),
            Body::Whole(_) => None,
        }
    }

    /// What of a watch reaches the client now.
    pub fn poll(&mut self, cluster: &Cluster, watch: &mut FaultyWatch) -> Vec<Value> {
        let out = self.is_out(cluster.now());
        watch.poll(cluster.world(), cluster.now(), &self.weather, &mut self.random, out)
    }

    fn up_to(&mut self, most: SignedDuration) -> SignedDuration {
        let nanos = u64::try_from(most.as_nanos()).unwrap_or(0);
        SignedDuration::from_nanos(i64::try_from(self.random.below(nanos.saturating_add(1))).unwrap_or(0))
    }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn writes_in_place(request: &Request) -> bool {
    matches!(request.method.as_str(), "PUT" | "PATCH" | "DELETE")
}

fn refusal(conflicts: bool, throttled: bool, fails: bool) -> Option<Box<Status>> {
    if throttled {
        Some(Status::too_many_requests("the server has received too many requests, please try again later", 1))
    } else if fails {
        Some(Status::internal("an injected fault"))
    } else if conflicts {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Some(Status::conflict("", "", "", why))
    } else {
        None
    }
}

/// The same list as it was `back` revisions ago; anything else can't be asked of the past.
fn as_of_the_past(cluster: &Cluster, request: &Request, back: u64) -> Option<Request> {
    let query = Query::parse(&request.query);
    let fresh_list = request.method == "GET"
        && query.flag("watch") != Some(true)
        && query.text("resourceVersion").is_empty()
        && query.text("continue").is_empty();
    let then = cluster.world().revision().saturating_sub(back);
    if !fresh_list || then == 0 || !is_collection(&request.path) {
        return None;
    }
    let mut past = request.clone();
    let join = if past.query.is_empty() { "" } else { "&" };
    past.query = format!("{}{join}resourceVersion={then}&resourceVersionMatch=Exact", past.query);
    Some(past)
}

fn is_collection(path: &str) -> bool {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (["api", _, rest @ ..] | ["apis", _, _, rest @ ..]) = parts.as_slice() else { return false };
    matches!(rest, ["namespaces", _, _] | [_])
}
