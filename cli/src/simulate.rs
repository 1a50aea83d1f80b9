//! `sluice simulate`: releases manifests on a clock of their own, and tells how that goes.
//!
//! What decides is the controller itself, in a cluster in memory, on time that passes only when nothing is left to do.

mod html;
mod outcome;
mod run;
mod scrapes;
mod told;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum;

use crate::cluster::Problem;
use crate::cluster::connection::patience;
use crate::print;
use crate::stage::furniture::{self, Manifest};
use crate::stage::scenario::Scenario;
use crate::terminal::Look;
use outcome::Expectation;

/// Exit codes: 0 it went as expected, 1 it didn't or could not be told, 2 a wrong command line.
const NOT_AS_EXPECTED: u8 = 1;

#[derive(clap::Args)]
#[command(after_help = "Exit codes: 0 told, and as expected; 1 not as expected, or manifests that can't be released; \
                        2 a wrong command line.\n\nExamples:\n  sluice simulate -f deploy/ --scenario bad-errors\n  \
                        sluice simulate -f deploy/ --scenario bad-errors --expect 'aborted by error-rate before 6m'\n  \
                        sluice simulate -f deploy/ -o html > release.html")]
pub(crate) struct Args {
    /// Manifests of a Rollout and of what it needs: a file, a directory, an address, or - for standard input; can be repeated
    #[arg(short = 'f', long = "filename", value_name = "FILE|DIR|URL|-", required = true)]
    filenames: Vec<String>,
    /// How the next version turns out
    #[arg(long, value_enum, default_value_t = Scenario::Good, value_name = "HOW")]
    scenario: Scenario,
    /// Which Rollout, where the manifests have several
    #[arg(long, value_name = "NAME")]
    rollout: Option<String>,
    /// How it must end, for example: promoted before 30m; aborted by error-rate before 6m; aborted at step 2
    #[arg(long, value_name = "SENTENCE")]
    expect: Option<Expectation>,
    /// Give up after so long on the simulated clock
    #[arg(long, default_value = "6h", value_name = "DURATION", value_parser = patience)]
    timeout: Duration,
    /// How it is told
    #[arg(short, long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    output: Format,
    #[command(flatten)]
    look: Look,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A timeline
    Text,
    /// One JSON object, for tools
    Json,
    /// A page with a chart, which needs nothing besides itself
    Html,
}

pub(crate) fn run(args: &Args) -> ExitCode {
    match tell(args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => NOT_AS_EXPECTED.into(),
        Err(error) => {
            print::problem(&Problem::new(format!("{error:#}")));
            NOT_AS_EXPECTED.into()
        }
    }
}

/// Whether it went as expected.
fn tell(args: &Args) -> anyhow::Result<bool> {
    let manifests = furniture::read(&args.filenames)?;
    let (namespace, name) = meant(&manifests, args.rollout.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    let asked = run::Asked { manifests, namespace, name, scenario: args.scenario, limit: args.timeout };
    let told = runtime.context("starting the runtime")?.block_on(run::run(asked))?;
    told.left_out.iter().for_each(|line| print::note(line));
    let text = match args.output {
        Format::Text => told.text(args.look.style()),
        Format::Json => format!("{:#}\n", told.json()),
        Format::Html => html::page(&told),
    };
    print::text(&text).map_err(|problem| anyhow::anyhow!(problem.sentence))?;
    match &args.expect {
        Some(expected) if !expected.is_met(&told.outcome) => {
            let outcome = &told.outcome;
            print::problem(&Problem::new(format!("expected {expected}, and it was {outcome}: {}", outcome.why)));
            Ok(false)
        }
        _ => Ok(true),
    }
}

/// Namespace and name of the one Rollout that is meant.
fn meant(manifests: &[Manifest], name: Option<&str>) -> anyhow::Result<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let rollouts = manifests.iter().map(|manifest| &manifest.object).filter(|object| object["kind"] == "Rollout");
    let mut found: Vec<(String, String)> = rollouts
        .map(|object| {
            let namespace = text(&object["metadata"]["namespace"]);
            (if namespace.is_empty() { "default".to_owned() } else { namespace }, text(&object["metadata"]["name"]))
        })
        .collect();
    let names = found.iter().map(|(space, name)| format!("{space}/{name}")).collect::<Vec<_>>().join(", ");
    match name {
        Some(wanted) => {
            found.retain(|(space, name)| wanted == name || wanted.split_once('/') == Some((space, name)));
            anyhow::ensure!(!found.is_empty(), "the manifests have no Rollout {wanted}; they have: {names}");
            anyhow::ensure!(found.len() == 1, "several Rollouts have this name; choose with --rollout: {names}");
            Ok(found.swap_remove(0))
        }
        None if found.is_empty() => anyhow::bail!("the manifests have no Rollout; name a file or folder that has one"),
        None if found.len() > 1 => anyhow::bail!("the manifests have several Rollouts; choose with --rollout: {names}"),
        None => Ok(found.swap_remove(0)),
    }
}
