//! Times as kubectl prints them.

use jiff::Timestamp;
use serde_json::Value;

/// How long ago, in one or two units: 5s, 90s, 12m, 3h, 7d.
pub(crate) fn age(of: &Value, now: Timestamp) -> String {
    time(of).map_or_else(|| "-".to_owned(), |then| length(now.duration_since(then).as_secs()))
}

pub(crate) fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// Seconds as a person says them.
pub(crate) fn length(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let pair = |big: i64, small: i64, units: (&str, &str)| {
        if small == 0 { format!("{big}{}", units.0) } else { format!("{big}{}{small}{}", units.0, units.1) }
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 => pair(seconds / 60, seconds % 60, ("m", "s")),
        600..10_800 => format!("{}m", seconds / 60),
        10_800..28_800 => pair(seconds / 3600, seconds / 60 % 60, ("h", "m")),
        28_800..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_the_units_that_matter() {
        let rows = [
            (-3, "0s"),
            (90, "90s"),
            (135, "2m15s"),
            (180, "3m"),
            (4_000, "66m"),
            (11_000, "3h3m"),
            (90_000, "25h"),
            (700_000, "8d"),
        ];
        for (seconds, expected) in rows {
            assert_eq!(length(seconds), expected);
        }
    }
}
