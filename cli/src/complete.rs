//! What could stand at the end of a command line: verbs, flags, and names from the cluster.
//!
//! The answer is the one that kubectl expects of a plugin's helper: a candidate a line, behind a tab what it is, and in
//! the last line what else may follow.

use std::time::Duration;

use clap::Command;
use serde_json::Value;

use crate::cluster::{Cluster, Connection, Kind, Problem, Where};
use crate::{exit, print};

/// Nobody waits longer for a name.
const ANSWERED_WITHIN: Duration = Duration::from_secs(1);
/// Candidates are all there is; files are none. Or: files may be what is meant.
const NO_FILES: &str = ":4";
const FILES: &str = ":0";

/// What stands before the words that were typed. They are no command line yet, so nothing else may read them.
const ASKED_BY: &str = "__complete";

/// The words that were typed, the last one perhaps empty, where a shell or kubectl asks what could come next.
pub(crate) fn asked(mut arguments: impl Iterator<Item = String>) -> Option<Vec<String>> {
    arguments.next();
    (arguments.next()? == ASKED_BY).then(|| arguments.collect())
}

/// What is to be completed.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    /// These, of which some begin as the last word does.
    These(Vec<(String, String)>),
    Names(Kind),
    Files,
}

pub(crate) async fn run(words: &[String], mut command: Command) -> Result<u8, Problem> {
    command.build();
    let (before, last) = match words.split_last() {
        Some((last, before)) => (before, last.as_str()),
        None => (&[][..], ""),
    };
    let (candidates, files) = match wanted(&command, before, last) {
        Wanted::These(candidates) => (candidates, NO_FILES),
        Wanted::Names(kind) => (names(before, kind).await, NO_FILES),
        Wanted::Files => (Vec::new(), FILES),
    };
    let mut text = String::new();
    for (name, what) in candidates.iter().filter(|(name, _)| name.starts_with(last)) {
        text.push_str(&if what.is_empty() { format!("{name}\n") } else { format!("{name}\t{what}\n") });
    }
    print::text(&format!("{text}{files}\n")).map(|()| exit::DONE)
}

fn wanted(root: &Command, before: &[String], last: &str) -> Wanted {
    let (mut command, mut path, mut takes_value) = (root, Vec::new(), None);
    for word in before {
        if takes_value.take().is_some() {
            continue;
        }
        if let Some(flag) = word.strip_prefix('-') {
            let flag = flag.trim_start_matches('-');
            let found = command
                .get_arguments()
                .find(|arg| arg.get_long() == Some(flag) || arg.get_short().map(String::from).as_deref() == Some(flag));
            takes_value = found
                .filter(|arg| arg.get_action().takes_values() && arg.get_num_args().is_none_or(|n| n.min_values() > 0));
        } else if let Some(found) = command.find_subcommand(word) {
            path.push(found.get_name());
            command = found;
        }
    }
    if let Some(arg) = takes_value {
        let values = arg.get_possible_values();
        let told = values.iter().map(|value| (value.get_name().to_owned(), String::new())).collect::<Vec<_>>();
        return if told.is_empty() { Wanted::Files } else { Wanted::These(told) };
    }
    if last.starts_with('-') {
        let flags = command.get_arguments().filter(|arg| !arg.is_hide_set());
        let told = flags.filter_map(|arg| Some((format!("--{}", arg.get_long()?), first_line(arg.get_help()))));
        return Wanted::These(told.collect());
    }
    let verbs: Vec<(String, String)> = command
        .get_subcommands()
        .filter(|one| !one.is_hide_set())
        .map(|one| (one.get_name().to_owned(), first_line(one.get_about())))
        .collect();
    if !verbs.is_empty() {
        return Wanted::These(verbs);
    }
    kind(&path).map_or(Wanted::Files, Wanted::Names)
}

/// Verbs that take the name of a Rollout at once.
const OF_ROLLOUTS: [&str; 11] =
    ["abort", "diff", "history", "pause", "promote", "restart", "resume", "status", "undo", "wait", "why"];

/// What a verb takes the name of.
fn kind(path: &[&str]) -> Option<Kind> {
    match path {
        ["analysis", "show"] | [.., "analysisrun"] if path.first() != Some(&"create") => Some(Kind::ANALYSIS_RUN),
        ["analysis", "run"] => Some(Kind::ANALYSIS_TEMPLATE),
        ["get" | "retry" | "terminate", "experiment"] => Some(Kind::EXPERIMENT),
        ["get" | "retry", "rollout"] | ["set", "image"] => Some(Kind::ROLLOUT),
        [verb] => OF_ROLLOUTS.contains(verb).then_some(Kind::ROLLOUT),
        _ => None,
    }
}

fn first_line(help: Option<&clap::builder::StyledStr>) -> String {
    help.map(ToString::to_string).unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

/// Of the cluster that the words before name. Whatever goes wrong, a shell has no place to say it.
async fn names(before: &[String], kind: Kind) -> Vec<(String, String)> {
    let asked = async {
        let connection = Connection::of_words(before);
        let cluster = Cluster::connect(&connection).await.ok()?;
        cluster.list(kind, Where::Namespace(&cluster.namespace), "").await.ok()
    };
    let listed = tokio::time::timeout(ANSWERED_WITHIN, asked).await.ok().flatten();
    let items = listed.map(|listed| listed.items).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    items.iter().map(|one| (text(&one["metadata"]["name"]), text(&one["status"]["phase"]))).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn of(words: &[&str]) -> Wanted {
        let mut command = crate::Cli::command();
        command.build();
        let (last, before) = words.split_last().expect("a word");
        wanted(&command, &before.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>(), last)
    }

    #[test]
    fn each_place_of_a_command_line_has_its_own_candidates() {
        let has = |words: &[&str], expected: &str| match of(words) {
            Wanted::These(candidates) => candidates.iter().any(|(name, _)| name == expected),
            other => panic!("{words:?}: {other:?}"),
        };
        assert!(has(&["pro"], "promote"));
        assert!(has(&["get", ""], "rollout") && has(&["-n", "shop", "get", ""], "experiment"));
        assert!(has(&["promote", "shop", "--"], "--full") && has(&["simulate", "--scenario", ""], "bad-errors"));
        for (words, kind) in [
            (&["promote", ""][..], Kind::ROLLOUT),
            (&["promote", "--full", ""], Kind::ROLLOUT),
            (&["-n", "shop", "get", "ro", ""], Kind::ROLLOUT),
            (&["terminate", "analysisrun", ""], Kind::ANALYSIS_RUN),
            (&["analysis", "run", ""], Kind::ANALYSIS_TEMPLATE),
        ] {
            assert_eq!(of(words), Wanted::Names(kind), "{words:?}");
        }
        assert_eq!(of(&["lint", "-f", ""]), Wanted::Files);
    }
}
