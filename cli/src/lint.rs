//! `sluice lint`: all mistakes in manifests, with file and line.

pub(crate) mod files;
mod output;
mod reports;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::ValueEnum;

use files::Source;
use output::Linted;

/// Exit codes: 0 when nothing is wrong, 1 when there are mistakes, 2 when lint could not do its work.
const MISTAKES: u8 = 1;
const FAILED: u8 = 2;

#[derive(clap::Args)]
#[command(after_help = "Exit codes: 0 no mistakes, 1 mistakes, 2 wrong usage or a file that can't be read.\n\n\
                        Examples:\n  sluice lint -f rollout.yaml\n  sluice lint -f deploy/\n  \
                        helm template . | sluice lint -f -")]
pub(crate) struct Args {
    /// A file, a directory (its .yaml, .yml and .json files, at any depth), an address, or - for standard input. May be given
    /// several times.
    #[arg(short = 'f', long = "filename", value_name = "FILE|DIR|URL|-", required = true)]
    filenames: Vec<String>,

    /// How the mistakes are written.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A line for each mistake, and a summary.
    Text,
    /// One JSON object, for tools.
    Json,
    /// SARIF 2.1.0, which code hosts show beside the lines.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
}

/// Lints, prints, and says by its exit code how it went.
pub(crate) fn run(args: &Args) -> ExitCode {
    let sources = match files::find(&args.filenames) {
        Ok(sources) => sources,
        Err(error) => return failed(&error),
    };
    let mut linted = Linted::default();
    for source in &sources {
        match source.read() {
            Ok(bytes) => linted.add(source, sluice_crds::lint::lint_with(&bytes, &sluice_analysis::check::check)),
            Err(error) => return failed(&error),
        }
    }
    let text = match args.output {
        Format::Text => linted.text(),
        Format::Json => linted.json(),
        Format::Sarif => reports::sarif(linted.findings()),
        Format::Github => reports::github(linted.findings()),
    };
    // A reader that has seen enough, as `head` does, closes the pipe; that is no failure of ours.
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => failed(&error.into()),
        _ if linted.is_clean() => ExitCode::SUCCESS,
        _ => ExitCode::from(MISTAKES),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::from(FAILED)
}
