//! The verbs that change something. What they write is decided in `release` and `template`, without a cluster.

mod change;
mod flags;
pub(crate) mod release;
mod seen;
mod target;
mod template;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use sluice_crds::values::GoDuration;
use sluice_planner::ReplicaSet;
use tokio::time::Instant;

use crate::cluster::{Cluster, Connection, Kind, Problem, Where};
use crate::family::owned_by;
pub(crate) use change::Part;
use change::{Change, Decision};
pub(crate) use flags::{Do, Output, Writing};
use flags::{Guards, Image, Named, Promote, Restart, Retry, Terminate, Undo};
pub(crate) use seen::Seen;
use target::{Done, report};
pub(crate) use template::Home;

/// So long the controller may take to see a spec that was written just before.
const SEEN_WITHIN: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// How often a write is decided anew where something else came in between.
const TRIES: usize = 5;

pub(crate) async fn run(connection: &Connection, verb: &Do) -> Result<u8, Problem> {
    let cluster = Cluster::connect(connection).await?;
    match verb {
        Do::Promote(Promote { name, full, guards, writing, .. }) => {
            let decide = if *full { release::promote_full } else { release::promote };
            // A promotion that is decided anew could pass the step behind the one that was meant.
            let steering = Steering { decide: &decide, guards: *guards, waits_until_seen: true, tries: 1 };
            steer(&cluster, std::slice::from_ref(name), writing, &steering).await
        }
        Do::Abort(named) => steer_named(&cluster, named, &release::abort, true).await,
        Do::Retry { what: Retry::Rollout(named) } => steer_named(&cluster, named, &release::retry, true).await,
        Do::Pause(named) => steer_named(&cluster, named, &release::pause, false).await,
        Do::Resume(named) => steer_named(&cluster, named, &release::resume, false).await,
        Do::Restart(Restart { within, named }) => {
            let within = within.map_or(GoDuration::from_nanos(0), |within| within);
            let (at, done) = restart_time(within);
            steer_named(&cluster, named, &|seen| release::restart(seen, at, &done), false).await
        }
        Do::Retry { what: Retry::Experiment(named) } => {
            others(&cluster, Kind::EXPERIMENT, named, &retry_experiment).await
        }
        Do::Terminate { what: Terminate::Analysisrun(named) } => {
            others(&cluster, Kind::ANALYSIS_RUN, named, &terminate).await
        }
        Do::Terminate { what: Terminate::Experiment(named) } => {
            others(&cluster, Kind::EXPERIMENT, named, &terminate).await
        }
        Do::Undo(Undo { name, to_revision, writing }) => undo(&cluster, name, *to_revision, writing).await,
        Do::Set { what: flags::Set::Image(Image { name, images, writing }) } => {
            set_image(&cluster, name, images, writing).await
        }
    }
}

fn restart_time(within: GoDuration) -> (Timestamp, String) {
    let at = Timestamp::now().saturating_add(jiff::SignedDuration::from(within)).unwrap_or(Timestamp::MAX);
    let done = if within.nanos() == 0 { "restarts now".to_owned() } else { format!("restarts in {within}") };
    (at, done)
}

/// How a Rollout is steered.
struct Steering<'a> {
    decide: &'a dyn Fn(Seen<'_>) -> Decision,
    guards: Guards,
    /// Whether the controller must have seen the spec first: what it finds in the status of an older one, it drops.
    waits_until_seen: bool,
    tries: usize,
}

async fn steer_named(
    cluster: &Cluster,
    named: &Named,
    decide: &dyn Fn(Seen<'_>) -> Decision,
    waits_until_seen: bool,
) -> Result<u8, Problem> {
    let steering = Steering { decide, guards: named.guards, waits_until_seen, tries: TRIES };
    steer(cluster, &named.names, &named.writing, &steering).await
}

async fn steer(cluster: &Cluster, names: &[String], writing: &Writing, steering: &Steering<'_>) -> Result<u8, Problem> {
    let mut outcomes = Vec::new();
    for name in names {
        outcomes.push(steer_one(cluster, name, writing, steering).await);
    }
    report(Kind::ROLLOUT, writing, outcomes)
}

async fn steer_one(cluster: &Cluster, name: &str, writing: &Writing, steering: &Steering<'_>) -> Result<Done, Problem> {
    let mut tries = steering.tries;
    loop {
        let rollout = look(cluster, name, steering.waits_until_seen).await?;
        let seen = Seen(&rollout);
        let Guards { if_step, if_revision } = steering.guards;
        release::guarded(seen, if_step, if_revision).map_err(|why| refused(Kind::ROLLOUT, name, &why))?;
        tries -= 1;
        match carry_out(cluster, Kind::ROLLOUT, name, &rollout, (steering.decide)(seen), writing).await {
            Err(Failure::CameInBetween) if tries > 0 => {}
            outcome => return outcome.map_err(|failure| failure.told(Kind::ROLLOUT, name)),
        }
    }
}

/// The Rollout, once the controller has seen its spec where that matters.
async fn look(cluster: &Cluster, name: &str, until_seen: bool) -> Result<Value, Problem> {
    let deadline = Instant::now() + SEEN_WITHIN;
    loop {
        let rollout = cluster.get(Kind::ROLLOUT, name).await?;
        if !until_seen || Seen(&rollout).is_observed() {
            return Ok(rollout);
        }
        if Instant::now() > deadline {
            let why =
                "the controller has not seen its spec as it is now; check that the controller runs, and try again";
            return Err(refused(Kind::ROLLOUT, name, why));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Why a decision was not carried out.
enum Failure {
    /// Something that it was read from is not so any more.
    CameInBetween,
    Other(Problem),
}

impl Failure {
    fn told(self, kind: Kind, name: &str) -> Problem {
        match self {
            Self::CameInBetween => {
                refused(kind, name, "it moved on in the same moment, so nothing was done; look again and decide anew")
            }
            Self::Other(problem) => problem,
        }
    }
}

fn refused(kind: Kind, name: &str, why: &str) -> Problem {
    Problem::new(format!("{}: {why}", kind.named(name)))
}

async fn carry_out(
    cluster: &Cluster,
    kind: Kind,
    name: &str,
    object: &Value,
    decision: Decision,
    writing: &Writing,
) -> Result<Done, Failure> {
    match decision {
        Decision::Refuse(why) => Err(Failure::Other(refused(kind, name, &why))),
        Decision::Nothing(why) => Ok(Done { name: name.to_owned(), line: why, note: None, object: object.clone() }),
        Decision::Write { changes, done, note } => {
            let mut after = object.clone();
            for change in &changes {
                match writing.manner() {
                    Some(manner) => after = send(cluster, kind, name, change, &manner).await?,
                    None => change.apply(&mut after),
                }
            }
            Ok(Done { name: name.to_owned(), line: format!("{done}{}", writing.suffix()), note, object: after })
        }
    }
}

async fn send(
    cluster: &Cluster,
    kind: Kind,
    name: &str,
    change: &Change,
    manner: &crate::cluster::Manner,
) -> Result<Value, Failure> {
    let sent = cluster.patch(kind, name, change.part == Part::Status, &change.operations(), manner).await;
    sent.map_err(|problem| match problem.status {
        // What schemas refuse says so; all else of this kind is a test that failed.
        Some(422) if !problem.sentence.contains("is invalid") => Failure::CameInBetween,
        Some(409) => Failure::CameInBetween,
        _ => Failure::Other(problem),
    })
}

/// Verbs for objects other than Rollouts.
async fn others(
    cluster: &Cluster,
    kind: Kind,
    named: &Named,
    decide: &dyn Fn(Seen<'_>) -> Decision,
) -> Result<u8, Problem> {
    let mut outcomes = Vec::new();
    for name in &named.names {
        outcomes.push(other(cluster, kind, name, named, decide).await);
    }
    report(kind, &named.writing, outcomes)
}

async fn other(
    cluster: &Cluster,
    kind: Kind,
    name: &str,
    named: &Named,
    decide: &dyn Fn(Seen<'_>) -> Decision,
) -> Result<Done, Problem> {
    if named.guards.if_step.is_some() || named.guards.if_revision.is_some() {
        return Err(Problem::usage("--if-step and --if-revision are for Rollouts; leave them out here"));
    }
    let object = cluster.get(kind, name).await?;
    let done = carry_out(cluster, kind, name, &object, decide(Seen(&object)), &named.writing).await;
    done.map_err(|failure| failure.told(kind, name))
}

fn retry_experiment(seen: Seen<'_>) -> Decision {
    if seen.0["status"].is_null() {
        return Decision::Nothing("not retried: it has not begun".to_owned());
    }
    Decision::write(vec![seen.change(Part::Status).remove("/status")], "retried")
}

fn terminate(seen: Seen<'_>) -> Decision {
    let phase = seen.0["status"]["phase"].as_str().unwrap_or_default();
    if matches!(phase, "Successful" | "Failed" | "Error" | "Inconclusive") {
        return Decision::Nothing(format!("not terminated: it has ended, {phase}"));
    }
    if seen.0["spec"]["terminate"] == true {
        return Decision::Nothing("already terminated".to_owned());
    }
    Decision::write(vec![seen.change(Part::Spec).set("/spec/terminate", true)], "terminated")
}

async fn set_image(
    cluster: &Cluster,
    name: &str,
    images: &[(String, String)],
    writing: &Writing,
) -> Result<u8, Problem> {
    let outcome =
        in_template(cluster, name, writing, async |home, object, _| Ok(template::set_image(home, object, images)));
    report(Kind::ROLLOUT, writing, vec![outcome.await])
}

async fn undo(cluster: &Cluster, name: &str, to: u64, writing: &Writing) -> Result<u8, Problem> {
    let outcome = in_template(cluster, name, writing, async |home, object, rollout| {
        let selector = crate::family::selector(rollout);
        let sets = cluster.list(Kind::REPLICA_SET, Where::Namespace(&cluster.namespace), &selector).await?;
        let sets = sets.items.iter().filter(|set| owned_by(rollout, set));
        let sets: Vec<ReplicaSet> = sets.filter_map(|set| ReplicaSet::from_json(set).ok()).collect();
        Ok(template::undo(home, object, rollout, &sets, to))
    });
    report(Kind::ROLLOUT, writing, vec![outcome.await])
}

/// Changes the template where it is, and says so of the Rollout.
async fn in_template(
    cluster: &Cluster,
    name: &str,
    writing: &Writing,
    decide: impl AsyncFn(&Home, &Value, &Value) -> Result<Decision, Problem>,
) -> Result<Done, Problem> {
    let mut tries = TRIES;
    loop {
        let rollout = cluster.get(Kind::ROLLOUT, name).await?;
        let home = Home::of(&rollout).map_err(|why| refused(Kind::ROLLOUT, name, &why))?;
        let object =
            if home.kind == Kind::ROLLOUT { rollout.clone() } else { cluster.get(home.kind, &home.name).await? };
        let decision = decide(&home, &object, &rollout).await?;
        tries -= 1;
        match carry_out(cluster, home.kind, &home.name, &object, decision, writing).await {
            Err(Failure::CameInBetween) if tries > 0 => {}
            Ok(done) => return Ok(Done { name: name.to_owned(), ..done }),
            Err(failure) => return Err(failure.told(home.kind, &home.name)),
        }
    }
}
