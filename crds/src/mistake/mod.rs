//! A mistake in what a user wrote: where it is, what is there, what is wrong with it, and the mend.
//!
//! Every check in this crate answers with a list of these, so that the controller's condition, `sluice lint`, the
//! admission answer and a test all print the same sentence.

mod path;
mod rendering;

use std::fmt;

pub use path::{FieldPath, Segment};
pub use rendering::Shown;
pub(crate) use rendering::word;

/// One mistake, ready to be shown.
///
/// ```
/// use sluice_crds::mistake::{FieldPath, Mistake};
///
/// let pause = FieldPath::of("spec.strategy.canary.steps").index(2).field("pause").field("duration");
/// let mistake = Mistake::wrong(pause, "10x", "is not a duration", "write 30s, 10m or 1h");
/// assert_eq!(
///     mistake.to_string(),
///     r#"spec.strategy.canary.steps[2].pause.duration: "10x" is not a duration; write 30s, 10m or 1h"#
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// The field that has to change.
    pub path: FieldPath,
    /// What is written there, escaped and cut to a readable length; `None` where nothing is, or where it must not
    /// be shown.
    pub value: Option<Shown>,
    /// What is wrong, to be read behind the value: `is not a duration`.
    pub problem: String,
    /// What to do about it: `write 30s, 10m or 1h`.
    pub mend: String,
    /// What sort of mistake it is; decides who gets to see it.
    pub nature: Nature,
}

/// A mistake, and the text with a caret below the place where that says more than words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pictured {
    /// The mistake.
    pub mistake: Mistake,
    /// Two lines: the text, and the caret.
    pub picture: Option<String>,
}

impl From<Mistake> for Pictured {
    fn from(mistake: Mistake) -> Self {
        Self { mistake, picture: None }
    }
}

/// What sort of mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nature {
    /// Something is written that can't work.
    Wrong,
    /// Something that is needed is not written. Not worth a second sentence where a value was written, but so
    /// badly that it could not be read.
    Missing,
    /// A field that nobody reads. Told by lint only: an API server or a newer version may know it, so the
    /// controller must not stop a release for it.
    Unknown,
    /// A key that is written twice; only the text shows it, so only lint can tell.
    Duplicate,
    /// Something that runs today, but does nothing or only works by luck. Told by lint only.
    Doubtful,
}

impl Mistake {
    /// What is written at `path` can't work.
    pub fn wrong(
        path: FieldPath,
        value: impl Into<Shown>,
        problem: impl Into<String>,
        mend: impl Into<String>,
    ) -> Mistake {
        let value = if path.holds_a_secret() { Shown::hidden() } else { value.into() };
        Mistake { value: Some(value), ..Mistake::about(path, problem, mend) }
    }

    /// Something is wrong at `path` that its value alone doesn't show, such as two fields that exclude each other.
    pub fn about(path: FieldPath, problem: impl Into<String>, mend: impl Into<String>) -> Mistake {
        Mistake { path, value: None, problem: problem.into(), mend: mend.into(), nature: Nature::Wrong }
    }

    /// What the reader of a small value said of the text that it was given. Such readers begin their sentence with
    /// the value and end it with the mend: `"10x" is not a duration; write 30s, 10m or 1h`.
    pub(crate) fn told(path: FieldPath, sentence: &str) -> Mistake {
        let (value, rest) = rendering::leading_value(sentence);
        let (problem, mend) = rest.rsplit_once("; ").unwrap_or((rest, "write another value"));
        match value {
            Some(value) => Mistake::wrong(path, value, problem, mend),
            None => Mistake::about(path, problem, mend),
        }
    }

    /// What is written at `path` runs today, but hardly does what was meant.
    pub fn doubtful(path: FieldPath, problem: impl Into<String>, mend: impl Into<String>) -> Mistake {
        Mistake { nature: Nature::Doubtful, ..Mistake::about(path, problem, mend) }
    }

    /// Whether a release can't go on with this mistake. The others are for the author's eyes only, in lint.
    pub fn stops_a_release(&self) -> bool {
        matches!(self.nature, Nature::Wrong | Nature::Missing)
    }

    /// Something is needed at `path` and not there.
    pub fn missing(path: FieldPath, problem: impl Into<String>, mend: impl Into<String>) -> Mistake {
        Mistake { nature: Nature::Missing, ..Mistake::about(path, problem, mend) }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_root() {
            write!(f, "{}: ", self.path)?;
        }
        if let Some(value) = &self.value {
            write!(f, "{value} ")?;
        }
        write!(f, "{}; {}", self.problem, self.mend)
    }
}

/// How many mistakes a condition names before it says how many more there are: a condition is read in a terminal
/// and stored in etcd, a list of ten thousand belongs in neither.
const NAMED_IN_A_CONDITION: usize = 10;

/// All mistakes in one text for a status condition: one line each, at most ten of them, then `and 3 more`.
pub fn for_condition(mistakes: &[Mistake]) -> String {
    let mut lines: Vec<String> = mistakes.iter().take(NAMED_IN_A_CONDITION).map(Mistake::to_string).collect();
    if mistakes.len() > NAMED_IN_A_CONDITION {
        lines.push(format!("and {} more", mistakes.len() - NAMED_IN_A_CONDITION));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_names_ten_mistakes_and_counts_the_rest() {
        let mistakes: Vec<Mistake> = (0..13)
            .map(|step| Mistake::about(FieldPath::of("spec.steps").index(step), "does nothing", "remove it"))
            .collect();
        let text = for_condition(&mistakes);
        assert_eq!(text.lines().count(), 11);
        assert_eq!(text.lines().next(), Some("spec.steps[0]: does nothing; remove it"));
        assert_eq!(text.lines().last(), Some("and 3 more"));
    }

    #[test]
    fn a_secret_is_not_repeated() {
        let path = FieldPath::of("spec.metrics").index(0).field("headers").index(1).field("value");
        let mistake = Mistake::wrong(path, "Bearer abc", "is not a header", "write one");
        assert_eq!(mistake.to_string(), "spec.metrics[0].headers[1].value: (hidden) is not a header; write one");
    }

    #[test]
    fn a_mistake_of_the_whole_document_has_no_path() {
        let mistake = Mistake::about(FieldPath::root(), "is not an object", "write apiVersion, kind and spec");
        assert_eq!(mistake.to_string(), "is not an object; write apiVersion, kind and spec");
    }
}
