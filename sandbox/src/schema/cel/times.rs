//! Functions of points in time and of durations.

use jiff::tz::TimeZone;

use super::eval::Outcome;
use super::value::Cel;

pub(super) fn timestamp_member(time: jiff::Timestamp, function: &str, args: &[Cel]) -> Option<Outcome> {
    let zone = match args {
        [] => TimeZone::UTC,
        [Cel::Text(name)] => match offset(name) {
            Some(zone) => zone,
            None => return Some(Err(format!("unknown time zone {name}").into())),
        },
        _ => return None,
    };
    let at = time.to_zoned(zone);
    let number = match function {
        "getFullYear" => i64::from(at.year()),
        "getMonth" => i64::from(at.month()) - 1,
        "getDate" => i64::from(at.day()),
        "getDayOfMonth" => i64::from(at.day()) - 1,
        "getDayOfWeek" => i64::from(at.weekday().to_sunday_zero_offset()),
        "getDayOfYear" => i64::from(at.day_of_year()) - 1,
        "getHours" => i64::from(at.hour()),
        "getMinutes" => i64::from(at.minute()),
        "getSeconds" => i64::from(at.second()),
        "getMilliseconds" => i64::from(at.millisecond()),
        _ => return None,
    };
    Some(Ok(Cel::Int(number)))
}

/// UTC or a fixed offset such as `-05:30`; the names of zones depend on the machine.
fn offset(name: &str) -> Option<TimeZone> {
    if matches!(name, "UTC" | "Etc/UTC" | "GMT" | "Z") {
        return Some(TimeZone::UTC);
    }
    let (sign, rest) = match name.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, name.strip_prefix('+').unwrap_or(name)),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let seconds =
        hours.parse::<i32>().ok()?.checked_mul(3600)?.checked_add(minutes.parse::<i32>().ok()?.checked_mul(60)?)?;
    jiff::tz::Offset::from_seconds(sign * seconds).ok().map(TimeZone::fixed)
}

pub(super) fn duration_member(nanos: i128, function: &str) -> Option<Outcome> {
    let unit = match function {
        "getHours" => 3_600_000_000_000,
        "getMinutes" => 60_000_000_000,
        "getSeconds" => 1_000_000_000,
        "getMilliseconds" => 1_000_000,
        _ => return None,
    };
    Some(i64::try_from(nanos / unit).map(Cel::Int).map_err(|_| "integer overflow".into()))
}
