//! `cargo xtask advisories`: known weaknesses of dependencies.

use std::process::ExitCode;

use anyhow::Result;

use crate::deny;

pub(crate) fn run() -> Result<ExitCode> {
    deny::check(&["advisories"])?;
    eprintln!("no advisory is open against any dependency");
    Ok(ExitCode::SUCCESS)
}
