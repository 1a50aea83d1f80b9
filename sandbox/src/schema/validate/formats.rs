//! String formats that a real API server checks; all others are ignored.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::super::names;

const KNOWN: [&str; 26] = [
    "bsonobjectid",
    "uri",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "cidr",
    "mac",
    "uuid",
    "uuid3",
    "uuid4",
    "uuid5",
    "isbn",
    "isbn10",
    "isbn13",
    "creditcard",
    "ssn",
    "hexcolor",
    "rgbcolor",
    "byte",
    "password",
    "date",
    "duration",
    "datetime",
    "k8sshortname",
    "k8slongname",
];

fn normalized(format: &str) -> String {
    format.replace('-', "")
}

pub(super) fn is_known(format: &str) -> bool {
    KNOWN.contains(&normalized(format).as_str())
}

pub(super) fn is_valid(format: &str, text: &str) -> bool {
    match normalized(format).as_str() {
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => is_cidr(text),
        "mac" => is_mac(text),
        "uuid" => is_uuid(text, None),
        "uuid3" => is_uuid(text, Some('3')),
        "uuid4" => is_uuid(text, Some('4')),
        "uuid5" => is_uuid(text, Some('5')),
        "bsonobjectid" => text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit()),
        "uri" => is_uri(text),
        "email" => is_email(text),
        "hostname" => is_hostname(text),
        "isbn" => is_isbn10(text) || is_isbn13(text),
        "isbn10" => is_isbn10(text),
        "isbn13" => is_isbn13(text),
        "ssn" => is_ssn(text),
        "hexcolor" => is_hex_color(text),
        "rgbcolor" => is_rgb_color(text),
        "byte" => is_base64(text),
        "date" => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
        "datetime" => is_date_time(text),
        "duration" => is_duration(text),
        "k8sshortname" => names::is_dns_label(text),
        "k8slongname" => names::is_dns_subdomain(text),
        // A password is any string; a card number is any string with enough digits.
        "creditcard" => (13..=19).contains(&text.bytes().filter(u8::is_ascii_digit).count()),
        _ => true,
    }
}

fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let Ok(bits) = bits.parse::<u8>() else { return false };
    address.parse::<Ipv4Addr>().is_ok() && bits <= 32 || address.parse::<Ipv6Addr>().is_ok() && bits <= 128
}

fn is_mac(text: &str) -> bool {
    let separator = if text.contains(':') { ':' } else { '-' };
    let groups: Vec<&str> = text.split(separator).collect();
    matches!(groups.len(), 6 | 8 | 20)
        && groups.iter().all(|g| g.len() == 2 && g.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_uuid(text: &str, version: Option<char>) -> bool {
    let digits: Vec<char> = text.chars().filter(|c| *c != '-').collect();
    let shape = text.chars().enumerate().all(|(i, c)| c != '-' || (8..=23).contains(&i));
    digits.len() == 32
        && shape
        && digits.iter().all(char::is_ascii_hexdigit)
        && version.is_none_or(|version| digits[12] == version)
        && (!matches!(version, Some('4' | '5')) || matches!(digits[16], '8' | '9' | 'a' | 'b' | 'A' | 'B'))
}

fn is_uri(text: &str) -> bool {
    if text.starts_with('/') {
        return true;
    }
    let Some((scheme, _)) = text.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

fn is_email(text: &str) -> bool {
    text.rsplit_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !text.contains(char::is_whitespace))
}

/// One label alone, or labels that end in a word of letters.
fn is_hostname(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let (before, last) = text.rsplit_once('.').unwrap_or(("", text));
    let ends_well = before.is_empty() && !text.contains('.')
        || (2..=63).contains(&last.len()) && last.chars().all(char::is_alphabetic);
    text.len() <= 255 && ends_well && text.split('.').all(label)
}

fn isbn_digits(text: &str) -> Option<Vec<u32>> {
    let bare: Vec<char> = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
    let last = bare.len().checked_sub(1)?;
    bare.iter().enumerate().map(|(i, c)| if i == last && *c == 'X' { Some(10) } else { c.to_digit(10) }).collect()
}

fn is_isbn10(text: &str) -> bool {
    isbn_digits(text).is_some_and(|digits| {
        digits.len() == 10 && (1..=10).zip(&digits).map(|(weight, d)| weight * d).sum::<u32>() % 11 == 0
    })
}

fn is_isbn13(text: &str) -> bool {
    isbn_digits(text).is_some_and(|digits| {
        digits.len() == 13
            && digits.iter().enumerate().map(|(i, d)| if i % 2 == 0 { *d } else { 3 * d }).sum::<u32>() % 10 == 0
    })
}

fn is_ssn(text: &str) -> bool {
    let digits: Vec<char> = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
    digits.len() == 9 && digits.iter().all(char::is_ascii_digit) && text.len() <= 11
}

fn is_hex_color(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or(text);
    matches!(digits.len(), 3 | 6) && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_rgb_color(text: &str) -> bool {
    text.strip_prefix("rgb(").and_then(|rest| rest.strip_suffix(')')).is_some_and(|inside| {
        let parts: Vec<&str> = inside.split(',').collect();
        parts.len() == 3 && parts.iter().all(|part| part.trim().parse::<u8>().is_ok())
    })
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - body.len() <= 2
        && body.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
}

fn is_date_time(text: &str) -> bool {
    text.contains(['T', 't']) && text.parse::<jiff::Timestamp>().is_ok()
}

/// A number and a unit, repeated; also spelled out as in `22 seconds`.
fn is_duration(text: &str) -> bool {
    const UNITS: [&str; 28] = [
        "ns",
        "us",
        "µs",
        "μs",
        "ms",
        "s",
        "m",
        "h",
        "d",
        "w",
        "nano",
        "nanos",
        "nanosecond",
        "nanoseconds",
        "micro",
        "micros",
        "milli",
        "millis",
        "millisecond",
        "milliseconds",
        "second",
        "seconds",
        "minute",
        "minutes",
        "hour",
        "hours",
        "day",
        "days",
    ];
    if text == "0" {
        return true;
    }
    let mut rest = text.trim_start_matches(['-', '+']);
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let number = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        let after = rest[number..].trim_start();
        let unit = after.len() - after.trim_start_matches(char::is_alphabetic).len();
        if number == 0 || !UNITS.contains(&&after[..unit]) {
            return false;
        }
        rest = after[unit..].trim_start();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_accept_and_refuse_what_they_should() {
        let rows = [
            ("ipv4", "10.0.0.1", "10.0.0"),
            ("ipv6", "::1", "10.0.0.1"),
            ("cidr", "10.0.0.0/8", "10.0.0.0/64"),
            ("mac", "aa:bb:cc:dd:ee:ff", "aa:bb"),
            ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123"),
            ("uuid4", "123e4567-e89b-42d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"),
            ("uri", "https://a.b/c", "no uri"),
            ("email", "a@b.c", "a.b.c"),
            ("hostname", "a.b-c.io", "-a"),
            ("isbn", "978-0321751041", "978-0321751042"),
            ("byte", "aGk=", "aGk"),
            ("date", "2026-01-31", "2026-02-31"),
            ("date-time", "2026-01-31T10:00:00Z", "2026-01-31"),
            ("duration", "1h30m", "1x"),
            ("hexcolor", "#fff", "#ff"),
            ("rgbcolor", "rgb(1,2,255)", "rgb(1,2,256)"),
            ("k8s-short-name", "abc-1", "a.b"),
        ];
        for (format, good, bad) in rows {
            assert!(is_valid(format, good), "{format} {good}");
            assert!(!is_valid(format, bad), "{format} {bad}");
        }
        assert!(!is_known("color") && is_known("date-time"));
    }
}
