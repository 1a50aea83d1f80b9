//! What a container's process does, as far as its manifest says: when it ends, what it touches, how it takes
//! SIGTERM.

use jiff::SignedDuration;
use serde_json::Value;

use super::absent::says_absent;
use super::files::{FileChange, Files};
use super::read::words;
use super::shell::{Shell, Unknown, base_name, shell_script};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Program {
    /// The runtime can't start it.
    CannotStart {
        why: String,
    },
    Runs(Course),
}

/// One run, in offsets from its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Course {
    /// When it ends by itself, and with which code.
    pub(super) end: Option<(SignedDuration, i32)>,
    pub(super) files: Vec<FileChange>,
    /// `None` ignores the signal; otherwise the code with which the process ends.
    pub(super) on_sigterm: Option<i32>,
}

const KILLED_BY_SIGTERM: i32 = 143;

/// The program of a container. Without a `command` the image's own entrypoint runs: an application that the model
/// does not know, unless the arguments are themselves a command that it knows (as with `image: busybox`).
pub(super) fn of_container(container: &Value, unknown: Unknown) -> Program {
    let mut argv = words(container, "/command");
    let arguments = words(container, "/args");
    if argv.is_empty() && !arguments.first().is_some_and(|first| is_command(first)) {
        return Program::Runs(match unknown {
            Unknown::RunsForEver => Course { end: None, files: Vec::new(), on_sigterm: Some(0) },
            Unknown::SucceedsAtOnce => {
                Course { end: Some((SignedDuration::ZERO, 0)), files: Vec::new(), on_sigterm: Some(0) }
            }
        });
    }
    argv.extend(arguments);
    of_command(&argv, unknown)
}

fn of_command(argv: &[String], unknown: Unknown) -> Program {
    if let Some(why) = cannot_start(argv) {
        return Program::CannotStart { why };
    }
    let mut shell = Shell::new(Files::default(), unknown);
    let end = shell.run(argv);
    // A shell and `sleep` die of the signal; a server shuts down and reports success.
    let dies = shell_script(argv).is_some() || argv.first().is_some_and(|name| base_name(name) == "sleep");
    let code = if dies { KILLED_BY_SIGTERM } else { 0 };
    Program::Runs(Course { end, on_sigterm: (!shell.ignores_sigterm).then_some(code), files: shell.changes })
}

/// Why a runtime can't execute this command, if it can't.
pub(super) fn cannot_start(argv: &[String]) -> Option<String> {
    let name = argv.first()?;
    says_absent(name).then(|| {
        let place = if name.contains('/') { "no such file or directory" } else { "executable file not found in $PATH" };
        format!(
            "failed to create containerd task: failed to create shim task: OCI runtime create failed: \
             exec: \"{name}\": {place}"
        )
    })
}

fn is_command(word: &str) -> bool {
    matches!(base_name(word), "sh" | "bash" | "ash" | "dash" | "sleep" | "true" | "false" | "echo" | "touch" | "tail")
        || says_absent(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn says(container: &Value) -> String {
        match of_container(container, Unknown::RunsForEver) {
            Program::CannotStart { why } => why.rsplit(": exec: ").next().unwrap_or_default().to_owned(),
            Program::Runs(course) => {
                let end = match course.end {
                    Some((after, code)) => format!("ends after {}s with {code}", after.as_secs()),
                    None => "runs".to_owned(),
                };
                match course.on_sigterm {
                    Some(code) => format!("{end}, SIGTERM {code}"),
                    None => format!("{end}, ignores SIGTERM"),
                }
            }
        }
    }

    #[test]
    fn a_manifest_says_what_its_process_does() {
        for (container, expected) in [
            (json!({"image": "nginx"}), "runs, SIGTERM 0"),
            (json!({"image": "nginx", "args": ["--verbose"]}), "runs, SIGTERM 0"),
            (json!({"command": ["/app", "--port", "80"]}), "runs, SIGTERM 0"),
            (json!({"command": ["sleep", "3"]}), "ends after 3s with 0, SIGTERM 143"),
            (json!({"command": ["sleep"], "args": ["infinity"]}), "runs, SIGTERM 143"),
            (json!({"image": "busybox", "args": ["sh", "-c", "sleep 2; exit 3"]}), "ends after 2s with 3, SIGTERM 143"),
            (json!({"command": ["sh", "-c"], "args": ["exit 3"]}), "ends after 0s with 3, SIGTERM 143"),
            (json!({"command": ["sh", "-c", "trap '' TERM; sleep 60"]}), "ends after 60s with 0, ignores SIGTERM"),
            (json!({"command": ["false"]}), "ends after 0s with 1, SIGTERM 0"),
            (json!({"command": ["no-such-program"]}), "\"no-such-program\": executable file not found in $PATH"),
            (json!({"command": ["/bin/missing"]}), "\"/bin/missing\": no such file or directory"),
            (json!({"command": ["sh", "-c", "does-not-exist"]}), "ends after 0s with 127, SIGTERM 143"),
            (json!({"command": "not a list"}), "runs, SIGTERM 0"),
        ] {
            assert_eq!(says(&container), expected, "{container}");
        }
    }
}
