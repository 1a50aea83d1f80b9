//! How a simulated release ended, and how it was expected to.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use sluice_crds::values::GoDuration;

use crate::view::ages::length;

/// What a release that ended in no metric's name was ended by.
pub(super) const DEADLINE: &str = "progress-deadline";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Promoted,
    Aborted,
    /// It is Degraded, and goes neither on nor back by itself.
    Stuck,
    /// An analysis could not tell, so a person would have to.
    Inconclusive,
    /// It was not over when the time was.
    Unfinished,
}

const ENDS: [(&str, End); 5] = [
    ("promoted", End::Promoted),
    ("aborted", End::Aborted),
    ("stuck", End::Stuck),
    ("inconclusive", End::Inconclusive),
    ("unfinished", End::Unfinished),
];

impl End {
    pub(super) fn word(self) -> &'static str {
        ENDS.iter().find(|(_, end)| *end == self).map_or("", |(word, _)| word)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) end: End,
    /// From the beginning of the release.
    pub(super) after: SignedDuration,
    /// The metrics, or the deadline, that ended it.
    pub(super) by: Vec<String>,
    /// Steps that were done when it ended.
    pub(super) step: Option<(usize, usize)>,
    pub(super) why: String,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.end.word())?;
        if !self.by.is_empty() {
            write!(f, " by {}", self.by.join(", "))?;
        }
        if let (Some((done, all)), true) = (self.step, self.end != End::Promoted) {
            write!(f, " at step {done}/{all}")?;
        }
        write!(f, " after {}", length(self.after.as_secs()))
    }
}

/// `aborted by error-rate at step 2 before 6m`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expectation {
    end: End,
    by: Option<String>,
    step: Option<usize>,
    before: Option<SignedDuration>,
    written: String,
}

impl Expectation {
    pub(super) fn is_met(&self, outcome: &Outcome) -> bool {
        self.end == outcome.end
            && self.by.as_ref().is_none_or(|by| outcome.by.contains(by))
            && self.step.is_none_or(|step| outcome.step.is_some_and(|(done, _)| done == step))
            && self.before.is_none_or(|before| outcome.after < before)
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl FromStr for Expectation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const MEND: &str = "write such as: promoted before 30m, or aborted by error-rate at step 2 before 6m";
        let mut words = text.split_whitespace();
        let first = words.next().unwrap_or_default();
        let ends = ENDS.map(|(word, _)| word).join(", ");
        let found = ENDS.iter().find(|(word, _)| *word == first);
        let (_, end) = found.ok_or_else(|| format!("{first:?} is no end of a release ({ends}); {MEND}"))?;
        let mut expected = Self { end: *end, by: None, step: None, before: None, written: text.to_owned() };
        while let Some(word) = words.next() {
            let mut next = || words.next().ok_or_else(|| format!("nothing stands behind {word:?}; {MEND}"));
            match word {
                "by" => expected.by = Some(next()?.to_owned()),
                "at" => match (next()?, next()?.parse()) {
                    ("step", Ok(step)) => expected.step = Some(step),
                    _ => return Err(format!("\"at\" is followed by step and a number; {MEND}")),
                },
                "before" => {
                    let duration: GoDuration = next()?.parse().map_err(|problem| format!("{problem}"))?;
                    expected.before = Some(duration.into());
                }
                other => return Err(format!("{other:?} is not understood; {MEND}")),
            }
        }
        if expected.end == End::Promoted && expected.by.is_some() {
            return Err(format!("a promotion is by no metric; leave \"by\" out; {MEND}"));
        }
        Ok(expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aborted() -> Outcome {
        Outcome {
            end: End::Aborted,
            after: SignedDuration::from_secs(300),
            by: vec!["error-rate".to_owned()],
            step: Some((2, 4)),
            why: "error-rate 0.2 > 0.05".to_owned(),
        }
    }

    #[test]
    fn an_expectation_is_met_when_all_of_it_is_so() {
        assert_eq!(aborted().to_string(), "aborted by error-rate at step 2/4 after 5m");
        for (expected, is_met) in [
            ("aborted", true),
            ("aborted by error-rate before 6m", true),
            ("aborted before 5m", false),
            ("aborted by latency", false),
            ("aborted at step 2", true),
            ("aborted at step 1 before 6m", false),
            ("promoted", false),
        ] {
            let expectation: Expectation = expected.parse().expect(expected);
            assert_eq!(expectation.is_met(&aborted()), is_met, "{expected}");
        }
    }

    #[test]
    fn what_can_not_be_expected_is_refused_with_the_mend() {
        for (wrong, part) in [
            ("finished", "\"finished\" is no end of a release (promoted, aborted, stuck, inconclusive, unfinished)"),
            ("aborted by", "nothing stands behind \"by\""),
            ("aborted at noon 12", "\"at\" is followed by step and a number"),
            ("promoted before lunch", "lunch"),
            ("promoted quickly", "\"quickly\" is not understood"),
            ("", "\"\" is no end of a release"),
        ] {
            let problem = wrong.parse::<Expectation>().expect_err(wrong);
            assert!(problem.contains(part), "{problem}");
        }
    }
}
