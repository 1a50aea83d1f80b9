//! `sluice completion`: what a shell needs to complete verbs and flags.

use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::{Shell, generate};

#[derive(Args)]
#[command(after_help = "Example:\n  source <(sluice completion bash)")]
pub(crate) struct Completion {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// The script is for the name of the file, also where that is a plugin of kubectl.
pub(crate) fn run(completion: &Completion, mut command: Command, file: &str) -> ExitCode {
    let mut script = Vec::new();
    generate(completion.shell, &mut command, file, &mut script);
    match crate::print::text(&String::from_utf8_lossy(&script)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            crate::print::problem(&problem);
            problem.code.into()
        }
    }
}
