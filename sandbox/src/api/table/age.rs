//! Ages as kubectl users know them: `5m12s`, `3h`, `41d`.

use jiff::Timestamp;

use crate::clock::parse_rfc3339;

/// How long ago an instant was; `<unknown>` where there is none.
pub(super) fn since(instant: &str, now: Timestamp) -> String {
    parse_rfc3339(instant)
        .map_or_else(|| "<unknown>".to_owned(), |instant| human(now.duration_since(instant).as_secs()))
}

/// A span in the two units that matter.
pub(super) fn human(seconds: i64) -> String {
    let two = |whole: i64, unit: &str, rest: i64, rest_unit: &str| {
        if rest == 0 { format!("{whole}{unit}") } else { format!("{whole}{unit}{rest}{rest_unit}") }
    };
    let (minutes, hours) = (seconds / 60, seconds / 3_600);
    let days = hours / 24;
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        _ if minutes < 10 => two(minutes, "m", seconds % 60, "s"),
        _ if minutes < 180 => format!("{minutes}m"),
        _ if hours < 8 => two(hours, "h", minutes % 60, "m"),
        _ if hours < 48 => format!("{hours}h"),
        _ if days < 8 => two(days, "d", hours % 24, "h"),
        _ if days < 730 => format!("{days}d"),
        _ if days < 2_920 => two(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn ages_read_as_kubectl_prints_them() {
        let minute = 60;
        let hour = 60 * minute;
        let day = 24 * hour;
        let table = [
            (-5, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (10 * minute + 5, "10m"),
            (179 * minute, "179m"),
            (3 * hour, "3h"),
            (3 * hour + 5 * minute, "3h5m"),
            (47 * hour, "47h"),
            (2 * day, "2d"),
            (2 * day + hour, "2d1h"),
            (8 * day + hour, "8d"),
            (729 * day, "729d"),
            (731 * day, "2y1d"),
            (3_000 * day, "8y"),
        ];
        for (seconds, wanted) in table {
            assert_eq!(human(seconds), wanted, "{seconds} s");
        }
    }
}
