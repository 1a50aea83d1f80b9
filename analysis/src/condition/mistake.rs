//! What is wrong with a condition, and where in it.

use std::fmt;

/// How much of a long line is shown on either side of the place.
const AROUND: usize = 50;

/// Why a text is not a condition. Its `Display` is a sentence with the line and a caret below it:
///
/// ```text
/// column 10: expected a closing ], found "<"
///   result[0 < 0.05
///            ^
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong, in one sentence without the place.
    pub message: String,
    /// What would be right there, if one thing would.
    pub expected: Option<String>,
    /// Where it is.
    pub place: Place,
}

/// Why a condition has no verdict although there is data: it asks for something that these values can't answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong, in one sentence without the place.
    pub message: String,
    /// Where in the condition.
    pub place: Place,
}

/// Why a condition has no verdict: what it asks about isn't there, or isn't a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// What is missing, in one sentence without the place.
    pub message: String,
    /// Where in the condition.
    pub place: Place,
}

/// A place in the text of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// In bytes from the beginning.
    pub byte: usize,
    /// The line, from 1.
    pub line: usize,
    /// The character in that line, from 1.
    pub column: usize,
    /// A line of text around the place, and the column of the place in it.
    shown: (String, usize),
}

impl Place {
    pub(super) fn of(source: &str, byte: usize) -> Self {
        let byte = (0..=byte.min(source.len())).rev().find(|byte| source.is_char_boundary(*byte)).unwrap_or(0);
        let (before, behind) = source.split_at(byte);
        let begin = before.rfind('\n').map_or(0, |newline| newline + 1);
        let before_in_line: Vec<char> = before[begin..].chars().collect();
        let behind_in_line: Vec<char> = behind.chars().take_while(|character| *character != '\n').collect();
        let (from, to) = (before_in_line.len().saturating_sub(AROUND), behind_in_line.len().min(AROUND));
        let mut shown = String::new();
        shown.push_str(if from > 0 { "…" } else { "" });
        shown.extend(before_in_line[from..].iter().chain(&behind_in_line[..to]).copied().map(printable));
        shown.push_str(if to < behind_in_line.len() { "…" } else { "" });
        let caret = before_in_line.len() - from + usize::from(from > 0);
        Self { byte, line: 1 + before.matches('\n').count(), column: before_in_line.len() + 1, shown: (shown, caret) }
    }
}

/// Control characters would move the caret or worse.
fn printable(character: char) -> char {
    if character.is_control() { ' ' } else { character }
}

impl fmt::Display for Place {
    /// The line with the caret below it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, caret) = &self.shown;
        write!(f, "  {line}\n  {:caret$}^", "")
    }
}

fn sentence(f: &mut fmt::Formatter<'_>, message: &str, place: &Place) -> fmt::Result {
    if place.line > 1 {
        write!(f, "line {}, ", place.line)?;
    }
    write!(f, "column {}: {message}", place.column)
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        sentence(f, &self.message, &self.place)?;
        if let Some(expected) = &self.expected {
            write!(f, "; {expected}")?;
        }
        write!(f, "\n{}", self.place)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        sentence(f, &self.message, &self.place)
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Mistake {}

impl std::error::Error for Failure {}

/// A mistake before its place is worked out from the text.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) at: usize,
    pub(super) message: String,
    pub(super) expected: Option<String>,
}

impl Wrong {
    pub(super) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), expected: None }
    }

    pub(super) fn with(at: usize, message: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { at, message: message.into(), expected: Some(expected.into()) }
    }

    pub(super) fn within(self, source: &str) -> Mistake {
        Mistake { message: self.message, expected: self.expected, place: Place::of(source, self.at) }
    }
}
