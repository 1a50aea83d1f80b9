//! The one binary, `sluice`.

mod controller;
mod lint;
mod playground;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Progressive delivery for Kubernetes.
#[derive(Parser)]
#[command(name = "sluice", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Release Rollouts in a cluster.
    Controller(Box<controller::Args>),
    /// Run a whole cluster in memory, with a demo service, for plain kubectl to work with.
    Playground(playground::Args),
    /// Find all mistakes in manifests, without a cluster.
    Lint(lint::Args),
}

fn main() -> ExitCode {
    // TLS by ring, for all clients; it can only be there already.
    let _already = rustls::crypto::ring::default_provider().install_default();
    match Cli::parse().command {
        Command::Controller(args) => controller::run(&args),
        Command::Playground(args) => playground::run(&args),
        Command::Lint(args) => lint::run(&args),
    }
}
