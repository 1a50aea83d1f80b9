//! Dates and durations. Dates are instants: what is asked of them is answered for UTC.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sluice_crds::values::GoDuration;

use super::super::names::{METHODS, Method, signature};
use super::super::tree::Node;
use super::super::value::Value;
use super::arithmetic::{between, moved};
use super::calls::Call;
use super::layout;
use super::{Evaluated, Evaluation, failed, no_data};

/// What `date` reads when it isn't told a layout.
const LAYOUTS: [&str; 7] = [
    "2006-01-02",
    "15:04:05",
    "2006-01-02 15:04:05",
    "2006-01-02T15:04:05Z07:00",
    "02 Jan 06 15:04 MST",
    "Monday, 02-Jan-06 15:04:05 MST",
    "Mon, 02 Jan 2006 15:04:05 MST",
];

impl Call<'_> {
    pub(super) fn duration(&self) -> Evaluated {
        match self.text(0)?.parse::<GoDuration>() {
            Ok(duration) => Ok(Value::Duration(duration)),
            Err(error) => failed(self.at, error.to_string()),
        }
    }

    /// `date(text, layout, zone)`; zones other than UTC would need a table of the world's clocks.
    pub(super) fn date(&self) -> Evaluated {
        let text = self.text(0)?;
        if self.values.len() > 2 && !matches!(&**self.text(2)?, "UTC" | "") {
            return failed(
                self.at,
                "the only zone that date knows by its name is \"UTC\"; write the offset into the date",
            );
        }
        let date = if self.values.len() > 1 {
            layout::read(self.text(1)?, text)
        } else {
            LAYOUTS.iter().find_map(|layout| layout::read(layout, text))
        };
        match date {
            Some(date) => Ok(Value::Date(date)),
            None => {
                let text = super::super::token::shortened(text);
                failed(self.at, format!("{text:?} is not a date; write it as 2006-01-02T15:04:05Z"))
            }
        }
    }
}

impl Evaluation<'_> {
    pub(super) fn method(&mut self, at: usize, of: &Value, method: Method, arguments: &[Node]) -> Evaluated {
        if *of == Value::Nil {
            return no_data(at, "there is neither a date nor a duration");
        }
        let values = arguments.iter().map(|argument| self.operand(argument)).collect::<Result<Vec<_>, _>>()?;
        let answer = match (of, values.as_slice()) {
            (Value::Date(date), values) => of_date(*date, method, values),
            (Value::Duration(span), []) => of_duration(*span, method),
            _ => None,
        };
        let name = signature(&METHODS, method).map_or("this method", |known| known.name);
        answer.map_or_else(|| failed(at, format!("{} has no {name} of this", of.kind())), Ok)
    }
}

fn of_date(date: Timestamp, method: Method, values: &[Value]) -> Option<Value> {
    let civil = date.to_zoned(TimeZone::UTC);
    let number = match method {
        Method::Day => i64::from(civil.day()),
        Method::Hour => i64::from(civil.hour()),
        Method::Minute => i64::from(civil.minute()),
        Method::Second => i64::from(civil.second()),
        Method::Unix => date.as_nanosecond().div_euclid(1_000_000_000).try_into().ok()?,
        Method::UnixMilli => date.as_nanosecond().div_euclid(1_000_000).try_into().ok()?,
        Method::Year => i64::from(civil.year()),
        Method::YearDay => i64::from(civil.day_of_year()),
        Method::String => return Some(Value::from(Value::Date(date).to_string())),
        Method::Add => match values {
            [Value::Duration(span)] => return moved(date, span.nanos()),
            _ => return None,
        },
        Method::After | Method::Before | Method::Sub => match values {
            [Value::Date(other)] if method == Method::After => return Some(Value::Bool(date > *other)),
            [Value::Date(other)] if method == Method::Before => return Some(Value::Bool(date < *other)),
            [Value::Date(other)] => return Some(between(date, *other)),
            _ => return None,
        },
        Method::Hours
        | Method::Microseconds
        | Method::Milliseconds
        | Method::Minutes
        | Method::Nanoseconds
        | Method::Seconds => return None,
    };
    Some(Value::Int(number))
}

fn of_duration(span: GoDuration, method: Method) -> Option<Value> {
    let nanos = span.nanos();
    Some(match method {
        Method::Hours => Value::Float(nanos as f64 / 3.6e12),
        Method::Minutes => Value::Float(nanos as f64 / 6e10),
        Method::Seconds => Value::Float(nanos as f64 / 1e9),
        Method::Milliseconds => Value::Int(nanos / 1_000_000),
        Method::Microseconds => Value::Int(nanos / 1_000),
        Method::Nanoseconds => Value::Int(nanos),
        Method::String => Value::from(span.to_string()),
        Method::Add
        | Method::After
        | Method::Before
        | Method::Day
        | Method::Hour
        | Method::Minute
        | Method::Second
        | Method::Sub
        | Method::Unix
        | Method::UnixMilli
        | Method::Year
        | Method::YearDay => return None,
    })
}
