//! Points in time as Kubernetes writes them: always UTC, whole seconds, or six digits for leases and events.

use jiff::Timestamp;

/// Reads an RFC 3339 time, with any offset and any number of digits behind the second.
///
/// # Errors
/// The text is not an RFC 3339 time; the sentence says how one is written.
pub fn parse_time(text: &str) -> Result<Timestamp, String> {
    let mistake = || {
        format!(
            "{} is not a time; write one like 2026-01-31T10:00:00Z",
            super::quoted(text)
        )
    };
    // jiff also reads spaces, a missing offset's brackets and basic forms, all of which the API server refuses.
    if looks_like_rfc3339(text.as_bytes()) {
        text.parse().map_err(|_| mistake())
    } else {
        Err(mistake())
    }
}

/// `YYYY-MM-DDTHH:MM:SS`, an optional fraction, and `Z` or `±HH:MM`.
fn looks_like_rfc3339(text: &[u8]) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    let fits = |text: &[u8], shape: &[u8]| {
        text.len() == shape.len()
            && text.iter().zip(shape).all(|(c, wanted)| {
                if *wanted == b'0' {
                    c.is_ascii_digit()
                } else {
                    c == wanted
                }
            })
    };
    let Some((head, mut tail)) = text.split_at_checked(SHAPE.len()) else {
        return false;
    };
    if let [b'.', fraction @ ..] = tail {
        let digits = fraction.iter().take_while(|c| c.is_ascii_digit()).count();
        if digits == 0 {
            return false;
        }
        tail = &fraction[digits..];
    }
    fits(head, SHAPE) && (tail == b"Z" || fits(tail, b"+00:00") || fits(tail, b"-00:00"))
}

/// The time as Kubernetes' `Time` prints it: `2026-01-31T10:00:00Z`; what is left of a second is dropped.
pub fn seconds_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The time as Kubernetes' `MicroTime` prints it: `2026-01-31T10:00:00.000000Z`.
pub fn micro_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}
