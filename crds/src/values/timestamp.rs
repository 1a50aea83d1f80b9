//! Points in time as Kubernetes writes them: always UTC, whole seconds, or six digits for leases and events.

use jiff::Timestamp;

/// Reads an RFC 3339 time as the API server does: any offset, any number of digits behind the second (of which
/// nine count), no leap seconds.
///
/// # Errors
/// The text is not an RFC 3339 time; the sentence says how one is written.
pub fn parse_time(text: &str) -> Result<Timestamp, String> {
    read_rfc3339(text)
        .ok_or_else(|| format!("{} is not a time; write one like 2026-01-31T10:00:00Z", super::quoted(text)))
}

/// jiff also reads spaces, lower case and basic forms, and takes leap seconds, all of which the API server
/// refuses. So it gets only `YYYY-MM-DDTHH:MM:SS`, an optional fraction, and `Z` or `±HH:MM`.
fn read_rfc3339(text: &str) -> Option<Timestamp> {
    const SHAPE: &str = "0000-00-00T00:00:00";
    let (head, tail) = text.split_at_checked(SHAPE.len())?;
    let (fraction, offset) = match tail.strip_prefix(['.', ',']) {
        None => ("0", tail),
        Some(tail) => tail.split_at(tail.bytes().take_while(u8::is_ascii_digit).count()),
    };
    let offset_fits = offset == "Z" || has_shape(offset, "+00:00") || has_shape(offset, "-00:00");
    if !has_shape(head, SHAPE) || head.ends_with(":60") || fraction.is_empty() || !offset_fits {
        return None;
    }
    let counted = &fraction[..fraction.len().min(9)];
    format!("{head}.{counted}{offset}").parse().ok()
}

/// Whether a text has digits where the shape has zeros, and is the shape everywhere else.
fn has_shape(text: &str, shape: &str) -> bool {
    let fits = |(c, wanted): (u8, u8)| {
        if wanted == b'0' { c.is_ascii_digit() } else { c == wanted }
    };
    text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(fits)
}

/// The time as Kubernetes' `Time` prints it: `2026-01-31T10:00:00Z`; what is left of a second is dropped.
pub fn seconds_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The time as Kubernetes' `MicroTime` prints it: `2026-01-31T10:00:00.000000Z`.
pub fn micro_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}
