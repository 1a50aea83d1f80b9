//! What goes out: data to stdout, everything else to stderr.

use std::io::{self, Write as _};

use serde_json::Value;

use crate::cluster::Problem;
use crate::view::text::harmless;

/// Prints text as it is. A reader that has seen enough, as `head` does, closes the pipe; that is no failure of ours.
pub(crate) fn text(text: &str) -> Result<(), Problem> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Problem::new(format!("can't write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

pub(crate) fn line(line: &str) -> Result<(), Problem> {
    text(&format!("{line}\n"))
}

pub(crate) fn json(value: &Value) -> Result<(), Problem> {
    text(&format!("{value:#}\n"))
}

pub(crate) fn yaml(value: &Value) -> Result<(), Problem> {
    text(&as_yaml(value)?)
}

pub(crate) fn as_yaml(value: &Value) -> Result<String, Problem> {
    let yaml =
        serde_saphyr::to_string(value).map_err(|error| Problem::new(format!("not writable as YAML: {error}")))?;
    Ok(format!("{}\n", yaml.trim_end()))
}

/// Something to know, which is no failure.
pub(crate) fn note(note: &str) {
    let _read_or_not = writeln!(io::stderr(), "note: {}", harmless(note));
}

pub(crate) fn problem(problem: &Problem) {
    let _read_or_not = writeln!(io::stderr(), "error: {}", harmless(&problem.sentence));
}
