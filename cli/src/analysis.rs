//! `sluice analysis`: what was measured, and measuring by hand.

pub(crate) mod begin;

use std::time::Duration;

use clap::{Args, Subcommand};

use serde_json::Value;
use tokio::time::Instant;

use crate::cluster::connection::patience;
use crate::cluster::kind::bare_name;
use crate::cluster::{Cluster, Connection, Kind, Problem};
use crate::get::{LOOK_EVERY, now};
use crate::list::{Which, nothing};
use crate::shape::{Shape, shape};
use crate::terminal::Look;
use crate::view::runs;
use crate::view::text::{joined, table};
use crate::{create, exit, print};

#[derive(Subcommand)]
pub(crate) enum Analysis {
    /// AnalysisRuns, the latest last
    List(Which),
    /// Run a template by hand, and wait for its verdict
    #[command(after_help = "Exit codes: 0 successful, 1 an error, 3 failed, 4 the time is up, 6 it could not tell.")]
    Run(Run),
    /// One AnalysisRun: its metrics, with values, limits and their course
    Show(Show),
}

#[derive(Args)]
pub(crate) struct Show {
    /// Its name
    #[arg(value_parser = bare_name)]
    name: String,
    /// Print the object: json, yaml, name, jsonpath=TEMPLATE or custom-columns=COLUMNS
    #[arg(short, long, value_parser = shape, value_name = "FORMAT")]
    output: Option<Shape>,
    #[command(flatten)]
    look: Look,
}

#[derive(Args)]
pub(crate) struct Run {
    #[command(flatten)]
    begin: begin::Begin,
    /// Wait for the verdict no longer than this; 0 waits for ever
    #[arg(short, long, default_value = "0", value_name = "DURATION", value_parser = patience)]
    timeout: Duration,
    /// Don't wait for the verdict
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    look: Look,
}

pub(crate) async fn run(connection: &Connection, analysis: &Analysis) -> Result<u8, Problem> {
    let cluster = Cluster::connect(connection).await?;
    match analysis {
        Analysis::List(which) => list(&cluster, which).await?,
        Analysis::Run(run) => return by_hand(&cluster, run).await,
        Analysis::Show(show) => {
            let run = cluster.get(Kind::ANALYSIS_RUN, &show.name).await?;
            if let Some(printed) = show.output.as_ref().and_then(|shape| shape.print_one(Kind::ANALYSIS_RUN, &run)) {
                return printed.map(|()| exit::DONE);
            }
            let style = show.look.style();
            print::text(&joined(&runs::page(&run, now(), style.width), style))?;
        }
    }
    Ok(exit::DONE)
}

/// The line that a run was begun goes to stderr where the object or its page is what was asked for.
async fn by_hand(cluster: &Cluster, run: &Run) -> Result<u8, Problem> {
    let how = &run.begin.how;
    let begun = begin::begin(cluster, run.begin.template.as_deref(), how).await?;
    if run.no_wait || how.writing.suffix() != "" {
        return create::tell(Kind::ANALYSIS_RUN, &begun, &how.writing).map(|()| exit::DONE);
    }
    let name = begun["metadata"]["name"].as_str().unwrap_or_default();
    print::note(&format!("{} begun", Kind::ANALYSIS_RUN.named(name)));
    let ended = verdict(cluster, name, run.timeout).await?;
    match how.writing.output {
        None => print::text(&joined(&runs::page(&ended, now(), run.look.style().width), run.look.style()))?,
        Some(_) => create::tell(Kind::ANALYSIS_RUN, &ended, &how.writing)?,
    }
    Ok(match ended["status"]["phase"].as_str() {
        Some("Successful") => exit::DONE,
        Some("Inconclusive") => exit::INCONCLUSIVE,
        _ => exit::FAILED,
    })
}

async fn verdict(cluster: &Cluster, name: &str, timeout: Duration) -> Result<Value, Problem> {
    let deadline = (!timeout.is_zero()).then(|| Instant::now() + timeout);
    loop {
        let run = cluster.get_again(Kind::ANALYSIS_RUN, name).await?;
        if matches!(run["status"]["phase"].as_str(), Some("Successful" | "Failed" | "Error" | "Inconclusive")) {
            return Ok(run);
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            let named = Kind::ANALYSIS_RUN.named(name);
            let phase = run["status"]["phase"].as_str().unwrap_or("not begun");
            let sentence = format!("the time is up: {named} is {phase}; \"terminate analysisrun {name}\" ends it");
            return Err(Problem::new(sentence).with_code(exit::TIMEOUT));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn list(cluster: &Cluster, which: &Which) -> Result<(), Problem> {
    let mut runs = cluster.list(Kind::ANALYSIS_RUN, which.place(cluster), &which.selector).await?.items;
    let begun = |run: &serde_json::Value| run["metadata"]["creationTimestamp"].as_str().unwrap_or_default().to_owned();
    runs.sort_by_key(begun);
    if let Some(printed) = which.as_objects(Kind::ANALYSIS_RUN, &runs) {
        return printed;
    }
    if runs.is_empty() {
        nothing(cluster, which);
        return Ok(());
    }
    let header = (!which.no_headers).then(|| runs::header(which.all_namespaces));
    let rows = runs.iter().map(|run| runs::list_row(run, which.all_namespaces, now()));
    print::text(&joined(&table(header.into_iter().chain(rows).collect()), which.look.style()))
}
