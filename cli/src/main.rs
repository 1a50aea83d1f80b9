//! The one binary, `sluice`; under the names `kubectl-sluice` and `kubectl-argo-rollouts` it is a plugin of kubectl.

mod actions;
mod analysis;
mod cluster;
mod complete;
mod completion;
mod controller;
mod create;
mod diff;
mod doctor;
mod exit;
mod explain;
mod family;
mod get;
mod lint;
mod list;
mod playground;
mod print;
mod shape;
mod simulate;
mod stage;
mod status;
mod terminal;
mod version;
mod view;
mod wait;
mod web;
mod why;

use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use cluster::{Connection, Problem};

/// Progressive delivery for Kubernetes.
#[derive(Parser)]
#[command(name = "sluice", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Subcommand)]
enum Command {
    /// Show one Rollout or Experiment, with all that belongs to it.
    Get {
        #[command(subcommand)]
        what: get::Get,
    },
    /// Show a row for each Rollout or Experiment.
    List {
        #[command(subcommand)]
        what: list::List,
    },
    /// Say how a release goes until it ends, with an exit code for scripts.
    Status(status::Status),
    /// Wait for the end of a release or a point on its way, with an exit code for scripts.
    Wait(wait::Wait),
    /// Say why a Rollout stands as it does, with the evidence, and what helps.
    Why(why::Why),
    /// Show how releases ended, who asked for it, and which revisions there is a way back to.
    History(why::Why),
    /// Show what changed between two revisions.
    Diff(diff::Diff),
    /// Show what was measured, or measure by hand.
    Analysis {
        #[command(subcommand)]
        what: analysis::Analysis,
    },
    #[command(flatten)]
    Do(actions::Do),
    /// Make the objects of manifests.
    Create(create::Create),
    /// Find all mistakes in manifests, without a cluster.
    Lint(lint::Args),
    /// Say what a reason of an event, a condition or a pause means, and what helps.
    Explain(explain::Explain),
    /// Look for what keeps Sluice from working in this cluster.
    Doctor(doctor::Doctor),
    /// Print the versions of this program and of the cluster.
    Version(version::Version),
    /// Print a script that lets a shell, or kubectl, complete verbs, flags and names.
    Completion(completion::Completion),
    /// Run a whole cluster in memory, watch a release in it, and break it.
    Playground(playground::Args),
    /// Release manifests on a clock of their own, and tell in a second how that goes.
    Simulate(simulate::Args),
    /// Release Rollouts in a cluster.
    Controller(Box<controller::Args>),
}

fn main() -> ExitCode {
    // TLS by ring, for all clients; it can only be there already.
    let _already = rustls::crypto::ring::default_provider().install_default();
    if let Some(words) = complete::asked(std::env::args_os().map(|word| word.to_string_lossy().into_owned())) {
        return asking(complete::run(&words, Cli::command()));
    }
    let Cli { command, connection } = parse();
    match &command {
        Command::Controller(args) => controller::run(args),
        Command::Playground(args) => playground::run(args),
        Command::Simulate(args) => simulate::run(args),
        Command::Lint(args) => lint::run(args),
        Command::Get { what } => asking(get::run(&connection, what)),
        Command::List { what } => asking(list::run(&connection, what)),
        Command::Status(status) => asking(status::run(&connection, status)),
        Command::Wait(wait) => asking(wait::run(&connection, wait)),
        Command::Diff(diff) => asking(diff::run(&connection, diff)),
        Command::Explain(explain) => said(explain::run(explain)),
        Command::Doctor(doctor) => asking(doctor::run(&connection, doctor)),
        Command::Why(why) => asking(why::explain(&connection, why)),
        Command::History(why) => asking(why::tell_history(&connection, why)),
        Command::Analysis { what } => asking(analysis::run(&connection, what)),
        Command::Do(verb) => asking(actions::run(&connection, verb)),
        Command::Create(create) => asking(create::run(&connection, create)),
        Command::Version(version) => asking(version::run(&connection, version)),
        Command::Completion(completion) => said(completion::run(completion, Cli::command(), typed_file())),
    }
}

/// The command line; help and mistakes speak of the name that was typed.
fn parse() -> Cli {
    let command = Cli::command().bin_name(typed_name());
    let matches = command.get_matches();
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// `kubectl sluice` where kubectl found this as its plugin `kubectl-sluice`.
fn typed_name() -> &'static str {
    match typed_file() {
        "kubectl-sluice" => "kubectl sluice",
        "kubectl-argo-rollouts" => "kubectl argo rollouts",
        _ => "sluice",
    }
}

/// The file that was started, if it is one of our names.
fn typed_file() -> &'static str {
    let program = std::env::args_os().next().unwrap_or_default();
    let stem = Path::new(&program).file_stem().and_then(|stem| stem.to_str());
    ["kubectl-sluice", "kubectl-argo-rollouts"].into_iter().find(|name| stem == Some(*name)).unwrap_or("sluice")
}

/// Runs a verb that asks a cluster.
fn asking(verb: impl Future<Output = Result<u8, Problem>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    said(match runtime {
        Ok(runtime) => runtime.block_on(verb),
        Err(error) => Err(Problem::new(format!("the process can't begin its work: {error}"))),
    })
}

fn said(outcome: Result<u8, Problem>) -> ExitCode {
    match outcome {
        Ok(code) => code.into(),
        Err(problem) => {
            print::problem(&problem);
            problem.code.into()
        }
    }
}
