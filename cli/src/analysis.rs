//! `sluice analysis`: what was measured.

use clap::{Args, Subcommand};

use crate::cluster::kind::bare_name;
use crate::cluster::{Cluster, Connection, Kind, Problem};
use crate::exit;
use crate::get::now;
use crate::list::{Which, nothing};
use crate::print;
use crate::shape::{Shape, shape};
use crate::terminal::Look;
use crate::view::runs;
use crate::view::text::{joined, table};

#[derive(Subcommand)]
pub(crate) enum Analysis {
    /// AnalysisRuns, the latest last
    List(Which),
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

pub(crate) async fn run(connection: &Connection, analysis: &Analysis) -> Result<u8, Problem> {
    let cluster = Cluster::connect(connection).await?;
    match analysis {
        Analysis::List(which) => list(&cluster, which).await?,
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
