//! Conditions: the expressions in `successCondition` and `failureCondition`.
//!
//! The language is that of expr-lang, in which AnalysisTemplates are written, with `result` for what was measured and
//! the functions `asInt`, `asFloat`, `isNaN`, `isInf`, `isNil` and `default`. A condition is compiled once and judged
//! for every measurement:
//!
//! ```
//! use sluice_analysis::condition::{Condition, Outcome, Value};
//!
//! let condition = Condition::compile("len(result) > 0 && result[0] >= 0.95")?;
//! let now = jiff::Timestamp::UNIX_EPOCH;
//! assert_eq!(condition.judge(&Value::from(vec![0.97]), now), Ok(Outcome::True));
//! assert_eq!(condition.judge(&Value::from(vec![]), now), Ok(Outcome::False));
//! assert!(matches!(condition.judge(&Value::from(vec![f64::NAN]), now), Ok(Outcome::NoData(_))));
//! # Ok::<(), sluice_analysis::condition::Mistake>(())
//! ```
//!
//! It says what the language says, with these differences, all for the same reason: no data is no verdict.
//! - An index beyond an array and a member of nothing are [`Outcome::NoData`] and no error.
//! - So are a comparison with NaN, and one with a member that a map doesn't have, where the language says false; and
//!   the mean and the median of nothing, where it says 0. `x == nil`, `?.`, `??`, `isNil`, `isNaN` and
//!   `default` are the author's own word about absence and stand.
//! - `&&`, `||`, `all`, `any`, `none` and `one` look past a part without data whether the others decide alone.
//! - Maps list their keys in the order of the alphabet; `isNaN` and `isInf` take whole numbers; named time zones other
//!   than UTC, `$env` and Base64 don't exist.
//!
//! Neither a text nor a value makes it panic, hang or run out of stack or memory: sources have at most
//! [`LONGEST_SOURCE`] bytes and bounded depth, evaluations bounded steps and memory.

mod check;
mod escape;
mod evaluate;
mod explain;
mod mistake;
mod names;
mod parser;
mod token;
mod tree;
mod value;

use jiff::Timestamp;

use evaluate::{Evaluation, Reason, Stop};
use mistake::Wrong;
use tree::Node;

pub use explain::{Comparison, Operator};
pub use mistake::{Failure, Gap, Mistake, Place};
pub use value::{Array, Map, TooDeep, Value};

/// How many bytes a condition may have.
pub const LONGEST_SOURCE: usize = 8 * 1024;

/// A condition, read once and ready to be judged many times.
#[derive(Debug)]
pub struct Condition {
    source: Box<str>,
    root: Node,
}

/// What a condition says of a measurement.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It holds.
    True,
    /// It doesn't hold.
    False,
    /// Nobody can say: what it asks about is missing.
    NoData(Gap),
}

impl Condition {
    /// Reads a condition. Everything that its text tells is checked here: brackets, names, the number and kinds of
    /// arguments, patterns, and that it gives true or false.
    pub fn compile(source: &str) -> Result<Self, Mistake> {
        if source.len() > LONGEST_SOURCE {
            let message = format!("this condition has {} bytes, and {LONGEST_SOURCE} are read", source.len());
            return Err(Wrong::with(0, message, "put the calculation into the query").within(source));
        }
        let root = parser::parse(source).and_then(|root| check::check(&root).map(|()| root));
        let root = root.map_err(|wrong| wrong.within(source))?;
        Ok(Self { source: source.into(), root })
    }

    /// The text that this was read from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether the condition holds for what was measured, at this time.
    pub fn judge(&self, result: &Value, now: Timestamp) -> Result<Outcome, Failure> {
        match Evaluation::new(result, now).operand(&self.root) {
            Ok(Value::Bool(true)) => Ok(Outcome::True),
            Ok(Value::Bool(false)) => Ok(Outcome::False),
            Ok(Value::Nil) | Err(Stop::Chained) => Ok(Outcome::NoData(
                self.gap(&Reason { at: self.root.at(), message: "there is nothing here".to_owned() }),
            )),
            Ok(other) => Err(Failure {
                message: format!("this condition gives {} and has to give true or false", other.kind()),
                place: Place::of(&self.source, self.root.at()),
            }),
            Err(Stop::NoData(gap)) => Ok(Outcome::NoData(self.gap(&gap))),
            Err(Stop::Failed(reason)) => {
                Err(Failure { message: reason.message, place: Place::of(&self.source, reason.at) })
            }
        }
    }

    /// The comparison that decided, for a sentence such as `2.7 > 1` or `0.91 is not >= 0.95`; nothing where no
    /// single comparison did.
    pub fn explain(&self, result: &Value, now: Timestamp) -> Option<Comparison> {
        Evaluation::new(result, now).deciding(&self.root)
    }

    fn gap(&self, reason: &Reason) -> Gap {
        Gap { message: reason.message.clone(), place: Place::of(&self.source, reason.at) }
    }
}
