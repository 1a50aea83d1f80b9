//! Durations as Go writes them, because that is what is in people's manifests.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::int_or_percent::{IntOrText, int_or_string_schema};
use super::quoted;

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
/// One nanosecond more than the longest duration; only a negative duration reaches it.
const LIMIT: u64 = 1 << 63;

/// A span of time in whole nanoseconds, at most about 292 years either way.
///
/// It is read by Go's grammar to the letter (`1h30m`, `-1.5s`, `.5m`, a bare `0`, no days, no spaces), with the
/// same overflow, and printed the way Go prints it (`1m30s`, `1.5s`, `100ms`, `0s`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoDuration(i64);

impl GoDuration {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest span, `2562047h47m16.854775807s`.
    pub const MAX: Self = Self(i64::MAX);

    /// A span of so many nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// A span of so many seconds, or nothing where that is more than 292 years.
    pub const fn from_seconds(seconds: i64) -> Option<Self> {
        match seconds.checked_mul(SECOND as i64) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// The span in nanoseconds.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// The whole seconds of the span; what is left of a second is dropped.
    pub const fn seconds(self) -> i64 {
        self.0 / SECOND as i64
    }

    /// Whether the span runs backwards.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }
}

impl From<GoDuration> for jiff::SignedDuration {
    fn from(duration: GoDuration) -> Self {
        jiff::SignedDuration::from_nanos(duration.0)
    }
}

/// Why a text is not a duration. Its sentence names the value and the mend; the caller puts the field before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// The text does not follow the grammar.
    #[error("{} is not a duration; write 30s, 10m or 1h", quoted(.0))]
    Malformed(String),
    /// A number with nothing behind it.
    #[error("{} is not a duration, it has no unit; write {number}s, {number}m or {number}h", quoted(.number))]
    NoUnit {
        /// The text as it was written.
        number: String,
    },
    /// Days, which Go does not know.
    #[error("{} is not a duration, there are no days; write {hours}h", quoted(.text))]
    Days {
        /// The text as it was written.
        text: String,
        /// The same span in hours.
        hours: u64,
    },
    /// The text names a span beyond [`GoDuration::MAX`].
    #[error("{} is too long for a duration; write at most 2562047h", quoted(.0))]
    TooLong(String),
}

impl FromStr for GoDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        parse(text).map(Self).map_err(|problem| match problem {
            Problem::TooLong => DurationError::TooLong(text.to_owned()),
            Problem::Malformed => explain_malformed(text),
        })
    }
}

enum Problem {
    Malformed,
    TooLong,
}

/// The two mistakes that people make most get a mend of their own.
fn explain_malformed(text: &str) -> DurationError {
    let is_short_number = |number: &str| (1..=9).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    if is_short_number(text) {
        return DurationError::NoUnit { number: text.to_owned() };
    }
    if let Some(number) = text.strip_suffix('d')
        && is_short_number(number)
        && let Ok(days) = number.parse::<u64>()
    {
        return DurationError::Days { text: text.to_owned(), hours: days * 24 };
    }
    DurationError::Malformed(text.to_owned())
}

fn parse(text: &str) -> Result<i64, Problem> {
    let (negative, mut rest) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(Problem::Malformed);
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (term, after) = parse_term(rest)?;
        total = total.checked_add(term).filter(|sum| *sum <= LIMIT).ok_or(Problem::TooLong)?;
        rest = after;
    }
    match (negative, i64::try_from(total)) {
        (false, Ok(nanos)) => Ok(nanos),
        (true, Ok(nanos)) => Ok(-nanos),
        (true, Err(_)) => Ok(i64::MIN),
        (false, Err(_)) => Err(Problem::TooLong),
    }
}

/// One number with its unit, in nanoseconds, and what stands behind it.
fn parse_term(text: &str) -> Result<(u64, &str), Problem> {
    let whole_end = text.bytes().take_while(u8::is_ascii_digit).count();
    let (whole_digits, mut rest) = text.split_at(whole_end);
    let whole = whole_number(whole_digits)?;
    let mut fraction_digits = "";
    if let Some(after_point) = rest.strip_prefix('.') {
        let end = after_point.bytes().take_while(u8::is_ascii_digit).count();
        (fraction_digits, rest) = after_point.split_at(end);
    }
    if whole_digits.is_empty() && fraction_digits.is_empty() {
        return Err(Problem::Malformed);
    }
    let unit_end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit_name, rest) = rest.split_at(unit_end);
    let unit = match unit_name {
        "ns" => 1,
        // U+00B5 is the micro sign, U+03BC the Greek letter; keyboards have the one or the other.
        "us" | "\u{b5}s" | "\u{3bc}s" => MICROSECOND,
        "ms" => MILLISECOND,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        _ => return Err(Problem::Malformed),
    };
    let whole = whole.checked_mul(unit).filter(|nanos| *nanos <= LIMIT).ok_or(Problem::TooLong)?;
    let nanos = whole + fraction_of(fraction_digits, unit);
    if nanos > LIMIT { Err(Problem::TooLong) } else { Ok((nanos, rest)) }
}

fn whole_number(digits: &str) -> Result<u64, Problem> {
    digits.bytes().try_fold(0_u64, |number, digit| {
        number
            .checked_mul(10)
            .and_then(|tenfold| tenfold.checked_add(u64::from(digit - b'0')))
            .filter(|number| *number <= LIMIT)
            .ok_or(Problem::TooLong)
    })
}

/// The nanoseconds of the digits behind the point. Go goes through a float here and drops the digits that an
/// integer of 63 bits can't take; so do we, to the same nanosecond.
fn fraction_of(digits: &str, unit: u64) -> u64 {
    let mut number: u64 = 0;
    let mut scale = 1.0_f64;
    for digit in digits.bytes() {
        if number > (LIMIT - 1) / 10 {
            break;
        }
        let longer = number * 10 + u64::from(digit - b'0');
        if longer > LIMIT {
            break;
        }
        number = longer;
        scale *= 10.0;
    }
    (number as f64 * (unit as f64 / scale)) as u64
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.unsigned_abs();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        match nanos {
            0 => f.write_str("0s"),
            1..MICROSECOND => write!(f, "{nanos}ns"),
            MICROSECOND..MILLISECOND => write!(f, "{}µs", decimal(nanos, MICROSECOND)),
            MILLISECOND..SECOND => write!(f, "{}ms", decimal(nanos, MILLISECOND)),
            _ => {
                let (hours, minutes) = (nanos / HOUR, nanos % HOUR / MINUTE);
                if hours > 0 {
                    write!(f, "{hours}h")?;
                }
                if nanos >= MINUTE {
                    write!(f, "{minutes}m")?;
                }
                write!(f, "{}s", decimal(nanos % MINUTE, SECOND))
            }
        }
    }
}

/// So many units with the fraction that is left, without closing zeros.
fn decimal(nanos: u64, unit: u64) -> String {
    let places = unit.ilog10() as usize;
    let text = format!("{}.{:0places$}", nanos / unit, nanos % unit);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A manifest's duration, kept as it was written; [`DurationString::parse`] reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DurationString(pub String);

impl DurationString {
    /// The span that the text names.
    ///
    /// # Errors
    /// The text is not a Go duration, or is too long for one.
    pub fn parse(&self) -> Result<GoDuration, DurationError> {
        self.0.parse()
    }
}

impl From<&str> for DurationString {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for DurationString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for DurationString {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// How long a pause step waits: a number of seconds, or a text that is a number of seconds or a Go duration.
/// Kept as it was written; [`PauseDuration::parse`] reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "IntOrText", into = "IntOrText")]
pub enum PauseDuration {
    /// `duration: 30`
    Seconds(i64),
    /// `duration: 10m`, or `duration: "30"`, which means 30 seconds.
    Text(String),
}

impl PauseDuration {
    /// The span to wait. It can be negative, which is for validation to refuse.
    ///
    /// # Errors
    /// The text is neither a number of seconds nor a Go duration, or the span is too long.
    pub fn parse(&self) -> Result<GoDuration, DurationError> {
        let seconds = match self {
            Self::Seconds(seconds) => {
                i32::try_from(*seconds).map_err(|_| DurationError::TooLong(seconds.to_string()))?
            }
            Self::Text(text) => match text.parse::<i32>() {
                Ok(seconds) => seconds,
                Err(_) => return text.parse(),
            },
        };
        Ok(GoDuration(i64::from(seconds) * SECOND as i64))
    }
}

impl From<IntOrText> for PauseDuration {
    fn from(value: IntOrText) -> Self {
        match value {
            IntOrText::Int(seconds) => Self::Seconds(seconds),
            IntOrText::Text(text) => Self::Text(text),
        }
    }
}

impl From<PauseDuration> for IntOrText {
    fn from(value: PauseDuration) -> Self {
        match value {
            PauseDuration::Seconds(seconds) => Self::Int(seconds),
            PauseDuration::Text(text) => Self::Text(text),
        }
    }
}

impl fmt::Display for PauseDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seconds(seconds) => write!(f, "{seconds}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl JsonSchema for PauseDuration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "PauseDuration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        int_or_string_schema()
    }
}
