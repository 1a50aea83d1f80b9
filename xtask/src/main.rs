//! The project's own commands: `cargo xtask <command>`. Each command is a file of its own.

mod advisories;
mod builtin_schemas;
mod cache;
mod cargo_build;
mod ci;
mod control_plane;
mod control_plane_tools;
mod crds;
mod debian;
mod deny;
mod e2e;
mod guarded;
mod instance;
mod kubernetes_tables;
mod libtest;
mod process;
mod prometheus;
mod proxies;
mod readme;
mod report;
mod simulate;
mod template_hashes;
mod test;
mod wire_fields;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The project's own commands.
///
/// Times are those of a quiet machine with two cores. What costs much to build is kept in
/// $XDG_CACHE_HOME/sluice (or ~/.cache/sluice), never in the checkout.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_version_flag = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Test(test::Test),
    E2e(e2e::E2e),
    Simulate(simulate::Simulate),
    /// Format, lints, licences and then everything that `cargo xtask test` runs (15 min; 30 min on a fresh machine).
    ///
    /// All of it runs, whatever fails first; the last line has the counts. With CI=true nothing may be skipped.
    Ci,
    Crds(crds::Crds),
    KubernetesTables(kubernetes_tables::KubernetesTables),
    ControlPlane(control_plane::ControlPlane),
    /// Check licences, banned crates and sources of all dependencies by deny.toml (3 s; 1 to 2 min the first time).
    Deny,
    /// Check dependencies against RustSec's advisory database (10 s; needs git and the network).
    ///
    /// Not part of ci: a new advisory, or a database that is out of reach, must not fail a change that has nothing
    /// to do with it. Run it before a release and on a schedule.
    Advisories,
}

fn main() -> ExitCode {
    let outcome: Result<ExitCode> = match Arguments::parse().command {
        Command::Test(test) => test.run(),
        Command::E2e(e2e) => Ok(e2e.run()),
        Command::Simulate(simulate) => simulate.run(),
        Command::Ci => ci::run(),
        Command::Crds(crds) => crds.run(),
        Command::KubernetesTables(tables) => tables.run(),
        Command::ControlPlane(control_plane) => control_plane.run(),
        Command::Deny => deny::run(),
        Command::Advisories => advisories::run(),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
