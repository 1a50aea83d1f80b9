//! What a number of seconds since 1970 is in the calendar, in UTC.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// The part of the calendar that a function asks for; `None` where it is no function of the calendar.
pub(super) fn part(function: &str) -> Option<fn(DateTime) -> f64> {
    Some(match function {
        "minute" => |time| f64::from(time.minute()),
        "hour" => |time| f64::from(time.hour()),
        "day_of_week" => |time| f64::from(time.weekday().to_sunday_zero_offset()),
        "day_of_month" => |time| f64::from(time.day()),
        "day_of_year" => |time| f64::from(time.day_of_year()),
        "days_in_month" => |time| f64::from(time.days_in_month()),
        "month" => |time| f64::from(time.month()),
        "year" => |time| f64::from(time.year()),
        _ => return None,
    })
}

/// Times that no calendar holds are not a number.
#[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate, and what is out of range has no time")]
pub(super) fn of(seconds: f64, part: fn(DateTime) -> f64) -> f64 {
    if seconds.is_nan() {
        return f64::NAN;
    }
    Timestamp::from_second(seconds as i64).map_or(f64::NAN, |time| part(Offset::UTC.to_datetime(time)))
}
