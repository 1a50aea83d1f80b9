//! `sluice get`: one Rollout or Experiment, with what it owns.

use std::time::Duration;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use crate::cluster::connection::patience;
use crate::cluster::kind::bare_name;
use crate::cluster::{Cluster, Connection, Kind, Problem, Where};
use crate::exit;
use crate::family::{Family, owned_by};
use crate::print;
use crate::shape::{Shape, shape};
use crate::terminal::{Look, Screen};
use crate::view::standing::Standing;
use crate::view::text::{Cell, joined};
use crate::view::{experiment, page};

/// How often a watch asks for the one object.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What it owns is read again when it changed, and else every so many looks.
const LOOKS_FOR_ALL: u32 = 3;

#[derive(Subcommand)]
pub(crate) enum Get {
    /// A Rollout: how it stands and why, and its revisions, ReplicaSets, pods and analyses
    #[command(visible_aliases = ["ro", "rollouts"])]
    Rollout(One),
    /// An Experiment
    #[command(visible_aliases = ["exp", "experiments"])]
    Experiment(One),
}

#[derive(Args)]
pub(crate) struct One {
    /// Its name, as shop or rollout/shop
    #[arg(value_parser = bare_name)]
    name: String,
    /// Keep the page true until the release ends; without a terminal, a line for each change
    #[arg(short, long)]
    watch: bool,
    /// End a watch after so long, with exit code 4
    #[arg(long, value_name = "DURATION", value_parser = patience, visible_alias = "timeout-seconds")]
    timeout: Option<Duration>,
    /// Print the object: json, yaml, name, jsonpath=TEMPLATE or custom-columns=COLUMNS
    #[arg(short, long, value_parser = shape, value_name = "FORMAT")]
    output: Option<Shape>,
    #[command(flatten)]
    look: Look,
}

pub(crate) async fn run(connection: &Connection, get: &Get) -> Result<u8, Problem> {
    let cluster = Cluster::connect(connection).await?;
    let (kind, one) = match get {
        Get::Rollout(one) => (Kind::ROLLOUT, one),
        Get::Experiment(one) => (Kind::EXPERIMENT, one),
    };
    let object = cluster.get(kind, &one.name).await?;
    if let Some(printed) = one.output.as_ref().and_then(|shape| shape.print_one(kind, &object)) {
        return printed.map(|()| exit::DONE);
    }
    if one.watch {
        return watch(&cluster, kind, one, object).await;
    }
    let style = one.look.style();
    let family = family(&cluster, kind, object).await?;
    print::text(&joined(&drawn(kind, &family, style.width), style))?;
    Ok(exit::DONE)
}

fn drawn(kind: Kind, family: &Family, width: Option<usize>) -> Vec<Vec<Cell>> {
    if kind == Kind::ROLLOUT { page::rollout(family, now(), width) } else { experiment::page(family, now(), width) }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

async fn family(cluster: &Cluster, kind: Kind, object: Value) -> Result<Family, Problem> {
    if kind == Kind::ROLLOUT { Family::of(cluster, object).await } else { of_experiment(cluster, object).await }
}

/// ReplicaSets of Experiments bear its name in an annotation only, so those of the namespace are looked through.
async fn of_experiment(cluster: &Cluster, object: Value) -> Result<Family, Problem> {
    let place = Where::Namespace(&cluster.namespace);
    let sets = cluster.list(Kind::REPLICA_SET, place, "rollouts-pod-template-hash").await?.items;
    let sets: Vec<Value> = sets.into_iter().filter(|set| owned_by(&object, set)).collect();
    let hashes: Vec<&str> = sets.iter().filter_map(crate::family::hash).collect();
    let pods = if hashes.is_empty() {
        Vec::new()
    } else {
        cluster.list(Kind::POD, place, &format!("rollouts-pod-template-hash in ({})", hashes.join(","))).await?.items
    };
    let runs = cluster.list(Kind::ANALYSIS_RUN, place, "").await?.items;
    let runs = runs.into_iter().filter(|run| owned_by(&object, run)).collect();
    Ok(Family { sets, pods, runs, rollout: object, ..Family::default() })
}

fn is_over(kind: Kind, object: &Value) -> bool {
    if kind == Kind::ROLLOUT {
        return Standing::of(object).is_over();
    }
    matches!(object["status"]["phase"].as_str(), Some("Successful" | "Failed" | "Error" | "Inconclusive"))
}

/// Asks for the one object, and for what it owns when it has changed; so it costs the cluster next to nothing.
async fn watch(cluster: &Cluster, kind: Kind, one: &One, first: Value) -> Result<u8, Problem> {
    let deadline = one.timeout.map(|timeout| Instant::now() + timeout);
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stdout());
    let mut screen = Screen::default();
    let mut said = String::new();
    let mut family = family(cluster, kind, first).await?;
    let mut looks = 0;
    loop {
        if is_terminal {
            let style = one.look.style();
            screen.show(&drawn(kind, &family, style.width), style)?;
        } else {
            let line = sentence(kind, &family.rollout);
            if line != said {
                print::line(&format!("{}  {line}", now().strftime("%H:%M:%S")))?;
                said = line;
            }
        }
        if is_over(kind, &family.rollout) {
            return Ok(exit::DONE);
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Problem::new("the time is up, and the release still goes on").with_code(exit::TIMEOUT));
        }
        tokio::time::sleep(LOOK_EVERY).await;
        let object = cluster.get_again(kind, &one.name).await?;
        looks += 1;
        let is_new = object["metadata"]["resourceVersion"] != family.rollout["metadata"]["resourceVersion"];
        if is_new || looks % LOOKS_FOR_ALL == 0 {
            family = match self::family(cluster, kind, object).await {
                Err(problem) if problem.is_passing() => continue,
                outcome => outcome?,
            };
        }
    }
}

fn sentence(kind: Kind, object: &Value) -> String {
    if kind != Kind::ROLLOUT {
        let text = |field: &str| object["status"][field].as_str().unwrap_or_default();
        return format!("{}  {}", text("phase"), text("message")).trim_end().to_owned();
    }
    let standing = Standing::of(object);
    let step = standing.step.map(|(done, all)| format!("  step {done}/{all}")).unwrap_or_default();
    let weight = standing.weight.map(|(actual, wanted)| format!("  weight {actual}/{wanted}")).unwrap_or_default();
    format!("{}{step}{weight}  {}", standing.phase, standing.sentence()).trim_end().to_owned()
}
