//! `sluice list`: a row for each Rollout or Experiment.

use clap::{Args, Subcommand};
use futures::StreamExt as _;
use kube::api::WatchEvent;
use serde_json::Value;

use crate::cluster::{Cluster, Connection, Kind, Listed, Problem, Where};
use crate::get::now;
use crate::print;
use crate::shape::{Shape, shape};
use crate::terminal::Look;
use crate::view::rows::{self, Columns};
use crate::view::text::{Cell, joined, table};

#[derive(Subcommand)]
pub(crate) enum List {
    /// Rollouts
    #[command(visible_aliases = ["ro", "rollout"])]
    Rollouts(Several),
    /// Experiments
    #[command(visible_aliases = ["exp", "experiment"])]
    Experiments(Several),
}

#[derive(Args)]
pub(crate) struct Several {
    /// Only the one of this name
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    pub(crate) which: Which,
    /// Go on with a row for each change
    #[arg(short, long)]
    watch: bool,
    /// Say when each row was printed
    #[arg(long)]
    timestamps: bool,
}

/// Which objects, and how they are shown.
#[derive(Args)]
pub(crate) struct Which {
    /// In all namespaces
    #[arg(short = 'A', long)]
    pub(crate) all_namespaces: bool,
    /// Only those with these labels, for example app=shop
    #[arg(short = 'l', long, default_value = "", hide_default_value = true, value_name = "LABELS")]
    pub(crate) selector: String,
    /// Leave the header out
    #[arg(long)]
    pub(crate) no_headers: bool,
    /// How to print them: wide, json, yaml, name, jsonpath=TEMPLATE or custom-columns=COLUMNS
    #[arg(short, long, value_parser = shape, value_name = "FORMAT")]
    pub(crate) output: Option<Shape>,
    #[command(flatten)]
    pub(crate) look: Look,
}

impl Which {
    pub(crate) fn place<'a>(&self, cluster: &'a Cluster) -> Where<'a> {
        if self.all_namespaces { Where::Everywhere } else { Where::Namespace(&cluster.namespace) }
    }

    /// Prints objects as objects, where that is asked for.
    pub(crate) fn as_objects(&self, kind: Kind, objects: &[Value]) -> Option<Result<(), Problem>> {
        self.output.as_ref()?.print_list(kind, objects)
    }
}

pub(crate) async fn run(connection: &Connection, list: &List) -> Result<u8, Problem> {
    let cluster = Cluster::connect(connection).await?;
    let (kind, several) = match list {
        List::Rollouts(several) => (Kind::ROLLOUT, several),
        List::Experiments(several) => (Kind::EXPERIMENT, several),
    };
    let which = &several.which;
    if several.watch && !matches!(which.output, None | Some(Shape::Wide)) {
        return Err(Problem::usage("--watch prints rows; leave -o out, or take -o wide"));
    }
    let place = which.place(&cluster);
    let listed = cluster.list(kind, place, &which.selector).await?;
    let items: Vec<Value> = listed.items.iter().filter(|object| several.is_meant(object)).cloned().collect();
    if let Some(printed) = which.as_objects(kind, &items) {
        return printed.map(|()| 0);
    }
    if items.is_empty() && !several.watch {
        nothing(&cluster, which);
        return Ok(0);
    }
    let mut rows = several.header(kind);
    rows.extend(items.iter().map(|object| several.row(kind, object)));
    print::text(&joined(&table(rows), which.look.style()))?;
    if several.watch { watch(&cluster, kind, several, listed).await } else { Ok(0) }
}

pub(crate) fn nothing(cluster: &Cluster, which: &Which) {
    let place =
        if which.all_namespaces { "any namespace".to_owned() } else { format!("namespace {}", cluster.namespace) };
    print::note(&format!("No resources found in {place}."));
}

impl Several {
    fn is_meant(&self, object: &Value) -> bool {
        self.name.as_ref().is_none_or(|name| object["metadata"]["name"] == name.as_str())
    }

    fn columns(&self) -> Columns {
        Columns {
            namespaces: self.which.all_namespaces,
            wide: self.which.output == Some(Shape::Wide),
            timestamps: self.timestamps,
        }
    }

    fn header(&self, kind: Kind) -> Vec<Vec<Cell>> {
        let header = if kind == Kind::ROLLOUT { rows::rollouts_header } else { rows::experiments_header };
        (!self.which.no_headers).then(|| header(self.columns())).into_iter().collect()
    }

    fn row(&self, kind: Kind, object: &Value) -> Vec<Cell> {
        let row = if kind == Kind::ROLLOUT { rows::rollout } else { rows::experiment };
        row(object, self.columns(), now())
    }
}

/// Prints rows that changed, until somebody ends it. A watch that ends is taken up where it was.
async fn watch(cluster: &Cluster, kind: Kind, several: &Several, listed: Listed) -> Result<u8, Problem> {
    let which = &several.which;
    let (place, style) = (which.place(cluster), which.look.style());
    // Rows of their own have the widths of the header at least, so that columns stay below each other mostly.
    let mut said: Vec<(Value, String)> = listed
        .items
        .iter()
        .map(|object| (object["metadata"]["uid"].clone(), several.printed(kind, object, style)))
        .collect();
    let mut version = listed.version;
    loop {
        let mut changes = Box::pin(cluster.watch(kind, place, &which.selector, &version).await?);
        while let Some(change) = changes.next().await {
            let object = match change {
                Ok(WatchEvent::Added(object) | WatchEvent::Modified(object)) => kind.value(object),
                Ok(WatchEvent::Bookmark(_)) => continue,
                Ok(WatchEvent::Deleted(object)) => {
                    let uid = kind.value(object)["metadata"]["uid"].clone();
                    said.retain(|(one, _)| *one != uid);
                    continue;
                }
                // What the server has forgotten, or a connection that broke: the list is read again.
                Ok(WatchEvent::Error(_)) | Err(_) => break,
            };
            say(several, kind, &object, &mut said, style)?;
        }
        drop(changes);
        let listed = cluster.list(kind, place, &which.selector).await?;
        for object in &listed.items {
            say(several, kind, object, &mut said, style)?;
        }
        version = listed.version;
        tokio::time::sleep(crate::get::LOOK_EVERY).await;
    }
}

/// Prints the row of an object, if it is another one than before.
fn say(
    several: &Several,
    kind: Kind,
    object: &Value,
    said: &mut Vec<(Value, String)>,
    style: crate::view::text::Style,
) -> Result<(), Problem> {
    if !several.is_meant(object) {
        return Ok(());
    }
    let (uid, line) = (object["metadata"]["uid"].clone(), several.printed(kind, object, style));
    match said.iter_mut().find(|(one, _)| *one == uid) {
        Some((_, before)) if several.timestamps || *before != line => *before = line.clone(),
        Some(_) => return Ok(()),
        None => said.push((uid, line.clone())),
    }
    print::text(&line)
}

impl Several {
    fn printed(&self, kind: Kind, object: &Value, style: crate::view::text::Style) -> String {
        let mut lines = table(vec![rows::rollouts_header(self.columns()), self.row(kind, object)]);
        lines.remove(0);
        joined(&lines, style)
    }
}
