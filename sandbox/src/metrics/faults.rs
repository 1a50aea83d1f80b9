//! What goes wrong with a metrics backend.

use jiff::SignedDuration;

use super::promql::{Sample, Series, Value};

/// All of it at once, as it is now; the default is that nothing is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricsFaults {
    /// Nobody answers.
    pub gone: bool,
    /// Answers take so long.
    pub slow: SignedDuration,
    /// What becomes of the values in answers to queries.
    pub values: Values,
    /// Nothing is scraped any more: samples grow old, and after the look-back they are gone.
    pub stale: bool,
}

/// What becomes of the values in answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Values {
    /// Nothing.
    #[default]
    AsTheyAre,
    /// Each of them is not a number.
    NotANumber,
    /// No query finds any series.
    Empty,
}

impl Values {
    pub(super) fn of(self, value: Value) -> Value {
        match (self, value) {
            (Self::AsTheyAre, value) => value,
            (_, Value::Text(text)) => Value::Text(text),
            (Self::NotANumber | Self::Empty, Value::Scalar(_)) => Value::Scalar(f64::NAN),
            (Self::Empty, Value::Vector(_)) => Value::Vector(Vec::new()),
            (Self::Empty, Value::Matrix(_)) => Value::Matrix(Vec::new()),
            (Self::NotANumber, Value::Vector(samples)) => {
                Value::Vector(samples.into_iter().map(|sample| Sample { value: f64::NAN, ..sample }).collect())
            }
            (Self::NotANumber, Value::Matrix(series)) => Value::Matrix(series.into_iter().map(not_numbers).collect()),
        }
    }
}

fn not_numbers(mut series: Series) -> Series {
    series.points.iter_mut().for_each(|point| point.value = f64::NAN);
    series
}
