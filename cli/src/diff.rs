//! `sluice diff`: what changed between two revisions of a Rollout.

use clap::Args;
use serde_json::Value;
use sluice_crds::template::{PodTemplate, semantically_equal};
use sluice_planner::{ReplicaSet, written_template};

use crate::cluster::kind::bare_name;
use crate::cluster::{Cluster, Connection, Kind, Problem, Where};
use crate::family::owned_by;
use crate::terminal::Look;
use crate::view::difference;
use crate::view::text::joined;
use crate::{exit, print};

/// With `--detailed-exitcode`.
const DIFFERENT: u8 = 2;

#[derive(Args)]
#[command(after_help = "With --detailed-exitcode: 0 the same, 1 an error, 2 they differ.")]
pub(crate) struct Diff {
    /// The Rollout
    #[arg(value_parser = bare_name)]
    name: String,
    /// Its number in `history`
    #[arg(value_name = "REVISION")]
    before: u64,
    /// The other one [default: the template as it is now]
    #[arg(value_name = "REVISION")]
    after: Option<u64>,
    /// Say by the exit code whether they differ
    #[arg(long)]
    detailed_exitcode: bool,
    #[command(flatten)]
    look: Look,
}

pub(crate) async fn run(connection: &Connection, diff: &Diff) -> Result<u8, Problem> {
    let cluster = Cluster::connect(connection).await?;
    let rollout = cluster.get(Kind::ROLLOUT, &diff.name).await?;
    let place = Where::Namespace(&cluster.namespace);
    let sets = cluster.list(Kind::REPLICA_SET, place, &crate::family::selector(&rollout)).await?.items;
    let sets: Vec<Value> = sets.into_iter().filter(|set| owned_by(&rollout, set)).collect();
    let before = template(&sets, &diff.name, diff.before)?;
    let (title, after) = match diff.after {
        Some(number) => (format!("revision {number}"), template(&sets, &diff.name, number)?),
        None => ("as it is now".to_owned(), current(&cluster, &rollout, &sets).await?),
    };
    let (before, after) = (print::as_yaml(&before)?, print::as_yaml(&after)?);
    if before == after {
        print::note("they are the same");
        return Ok(exit::DONE);
    }
    let lines = difference::page((&format!("revision {}", diff.before), &before), (&title, &after));
    print::text(&joined(&lines, diff.look.style()))?;
    Ok(if diff.detailed_exitcode { DIFFERENT } else { exit::DONE })
}

/// The template of a kept revision, without what roles add.
fn template(sets: &[Value], name: &str, revision: u64) -> Result<Value, Problem> {
    let number = |set: &Value| -> Option<u64> {
        set.pointer("/metadata/annotations/rollout.argoproj.io~1revision")?.as_str()?.parse().ok()
    };
    let found = sets.iter().find(|set| number(set) == Some(revision));
    let read = found.and_then(|set| ReplicaSet::from_json(set).ok());
    let template = read.map(|set| written_template(&set).into_json());
    template.ok_or_else(|| {
        let mut kept: Vec<u64> = sets.iter().filter_map(number).collect();
        kept.sort_unstable();
        let kept = kept.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        Problem::new(format!("{}: revision {revision} is not kept; kept are: {kept}", Kind::ROLLOUT.named(name)))
    })
}

/// Wherever the template is. Where it is that of a kept revision, as that one has it: with the API server's defaults.
async fn current(cluster: &Cluster, rollout: &Value, sets: &[Value]) -> Result<Value, Problem> {
    let home = crate::actions::Home::of(rollout).map_err(Problem::new)?;
    let object = if home.kind == Kind::ROLLOUT { rollout.clone() } else { cluster.get(home.kind, &home.name).await? };
    let written = PodTemplate::from(object.pointer(home.path()).cloned().unwrap_or_default());
    let kept = sets.iter().filter_map(|set| ReplicaSet::from_json(set).ok()).map(|set| written_template(&set));
    let mut same = kept.filter(|template| semantically_equal(template, &written));
    Ok(same.next().unwrap_or(written).into_json())
}
