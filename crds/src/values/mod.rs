//! Small types that carry their rules: what a manifest says stays as it was written, and is read at the door.
//!
//! Each field of a manifest that has a grammar of its own keeps its text (so that an object which breaks the
//! grammar can still be read, shown and mended) and offers one method that reads it or says what is wrong.

mod duration;
mod int_or_percent;
mod quantity;
mod quote;
mod selector;
mod shared;
mod timestamp;
mod weight;

pub use duration::{DurationError, DurationString, GoDuration, PauseDuration};
pub use int_or_percent::{IntOrPercent, IntOrPercentError, Rounding};
pub use quantity::{Quantity, QuantityError};
pub use selector::{
    LabelSelector, LabelSelectorRequirement, Operator, Requirement, Selector, SelectorMistake, SelectorParseError,
    label_key_mistake, label_value_mistake,
};
pub use shared::Shared;
pub use timestamp::{micro_time, parse_time, seconds_time};
pub use weight::{Weight, WeightError, replicas_for};

pub(crate) use quote::quoted;
