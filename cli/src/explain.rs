//! `sluice explain`: what a reason of an event, a condition or a pause means, and what to do.

mod reasons;

use clap::Args;

use crate::cluster::Problem;
use crate::terminal::Look;
use crate::view::text::{Cell, joined, table, wrapped};
use crate::{exit, print};
use reasons::{REASONS, Reason};

#[derive(Args)]
pub(crate) struct Explain {
    /// A reason as events, conditions and messages say it [default: all of them]
    reason: Option<String>,
    #[command(flatten)]
    look: Look,
}

pub(crate) fn run(explain: &Explain) -> Result<u8, Problem> {
    let style = explain.look.style();
    let Some(asked) = &explain.reason else {
        let rows = REASONS.iter().map(|reason| vec![reason.name.into(), Cell::from(reason.means)]);
        return print::text(&joined(&table(rows.collect()), style)).map(|()| exit::DONE);
    };
    let Some(Reason { name, means, helps }) = found(asked) else {
        let nearest = nearest(asked).map(|name| format!(", did you mean {name}?")).unwrap_or_default();
        return Err(Problem::new(format!(
            "{asked:?} is no reason that Sluice gives{nearest}; \"explain\" alone lists all"
        )));
    };
    let width = style.width.unwrap_or(usize::MAX);
    let lines = [*name, means].into_iter().chain((!helps.is_empty()).then_some(*helps));
    let lines = lines.flat_map(|text| wrapped(text, width)).map(|line| vec![Cell::from(line)]);
    print::text(&joined(&lines.collect::<Vec<_>>(), style)).map(|()| exit::DONE)
}

/// However it is capitalised, and also out of `RolloutAborted: Rollout aborted update to revision 2`.
fn found(asked: &str) -> Option<&'static Reason> {
    let word = asked.split([':', ' ']).next().unwrap_or_default();
    REASONS.iter().find(|reason| reason.name.eq_ignore_ascii_case(word))
}

/// The name that takes the fewest changes to get to, if it takes few.
fn nearest(asked: &str) -> Option<&'static str> {
    let distance = |name: &str| changes(&asked.to_lowercase(), &name.to_lowercase());
    let best = REASONS.iter().map(|reason| (distance(reason.name), reason.name)).min()?;
    (best.0 <= asked.chars().count() / 3 + 1).then_some(best.1)
}

/// How many letters must be put in, taken out or replaced.
fn changes(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Every reason that stands in the sources of the planner and the controller, outside of their tests.
    fn told_in(folder: &Path, reasons: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                if !entry.ends_with("tables") {
                    told_in(&entry, reasons);
                }
            } else {
                let text = fs::read_to_string(&entry).expect("text");
                let product = text.split("#[cfg(test)]").next().unwrap_or_default();
                for before in [
                    "Event::normal(\"",
                    "Event::warning(\"",
                    "is(\"True\", \"",
                    "is(\"False\", \"",
                    "is(\"Unknown\", \"",
                    "reason: \"",
                    "event: Some((\"",
                ] {
                    let starts = product.match_indices(before).map(|(index, _)| &product[index + before.len()..]);
                    reasons.extend(
                        starts
                            .filter_map(|rest| rest.split('"').next())
                            .filter(|word| !word.contains(' '))
                            .map(str::to_owned),
                    );
                }
            }
        }
    }

    #[test]
    fn every_reason_that_is_told_can_be_explained() {
        let mut reasons = BTreeSet::new();
        for folder in ["planner/src", "controller/src", "traffic/src"] {
            told_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder), &mut reasons);
        }
        assert!(reasons.len() > 20, "{reasons:?}");
        let unknown: Vec<&String> = reasons.iter().filter(|reason| found(reason).is_none()).collect();
        assert!(unknown.is_empty(), "no line in explain/reasons.rs: {unknown:?}");
    }

    #[test]
    fn each_is_there_once_and_found_as_messages_say_it() {
        let names: BTreeSet<&str> = REASONS.iter().map(|reason| reason.name).collect();
        assert_eq!(names.len(), REASONS.len());
        assert_eq!(
            found("RolloutAborted: Rollout aborted update to revision 2").map(|one| one.name),
            Some("RolloutAborted")
        );
        assert_eq!(found("canarypausestep").map(|one| one.name), Some("CanaryPauseStep"));
        assert_eq!((nearest("RolloutAbortd"), nearest("Unrelated")), (Some("RolloutAborted"), None));
    }
}
