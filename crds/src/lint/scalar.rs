//! Unquoted words of a YAML document, read as kubectl reads them: `yes` is true, `0755` is 493, `1e3` is 1000, a date
//! is a text. Whoever reads them otherwise tells a user that a manifest is fine which the API server refuses.

use serde_json::Value;

/// What an unquoted word stands for.
pub(super) fn plain(word: &str) -> Value {
    match word {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Value::from(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Value::from(false),
        _ => number(word).unwrap_or_else(|| Value::from(word)),
    }
}

/// Whether the word is one of YAML's numbers that JSON has no way to write.
pub(super) fn is_not_finite(word: &str) -> bool {
    matches!(word.trim_start_matches(['+', '-']), ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN")
}

/// The number that a word stands for, if it stands for one.
pub(super) fn number(word: &str) -> Option<Value> {
    match word.bytes().next()? {
        b'.' => float(word),
        b'+' | b'-' | b'0'..=b'9' => {
            let digits = word.replace('_', "");
            integer(&digits).or_else(|| float(&digits))
        }
        _ => None,
    }
}

/// Go's integers: a prefix names the base, and a leading zero alone means octal.
fn integer(digits: &str) -> Option<Value> {
    let (negative, unsigned) = match digits.as_bytes().first()? {
        b'-' => (true, &digits[1..]),
        b'+' => (false, &digits[1..]),
        _ => (false, digits),
    };
    let (base, rest) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &unsigned[2..]),
        [b'0', b'o' | b'O', ..] => (8, &unsigned[2..]),
        [b'0', b'b' | b'B', ..] => (2, &unsigned[2..]),
        [b'0', _, ..] => (8, &unsigned[1..]),
        _ => (10, unsigned),
    };
    if rest.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = u64::from_str_radix(rest, base).ok()?;
    if negative {
        let number = i128::from(magnitude).checked_neg()?;
        i64::try_from(number).ok().map(Value::from)
    } else {
        Some(Value::from(magnitude))
    }
}

/// Floats; one without a fraction is the whole number that it stands for, as Go's JSON writes it.
#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small enough to be exact")]
fn float(digits: &str) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let looks_like_one = digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    if !looks_like_one || !digits.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    let float: f64 = digits.parse().ok()?;
    if !float.is_finite() {
        return None;
    }
    if float.fract() == 0.0 && float.abs() <= EXACT {
        return Some(Value::from(float as i64));
    }
    Some(Value::from(float))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_are_read_as_kubectl_reads_them() {
        let rows = [
            ("yes", json!(true)),
            ("Off", json!(false)),
            ("n", json!(false)),
            ("yEs", json!("yEs")),
            ("~", json!(null)),
            ("", json!(null)),
            ("0755", json!(493)),
            ("0o755", json!(493)),
            ("0x1F", json!(31)),
            ("-0x1F", json!(-31)),
            ("0b11", json!(3)),
            ("1_000", json!(1000)),
            ("08", json!(8)),
            ("0", json!(0)),
            ("-0", json!(0)),
            ("+5", json!(5)),
            ("1e3", json!(1000)),
            ("1.5", json!(1.5)),
            ("3.0", json!(3)),
            (".5", json!(0.5)),
            ("1:30", json!("1:30")),
            ("2001-01-01", json!("2001-01-01")),
            ("0.5.1", json!("0.5.1")),
            ("25%", json!("25%")),
            ("-", json!("-")),
            ("+-5", json!("+-5")),
            ("1e400", json!("1e400")),
            ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("infinity", json!("infinity")),
            ("1e", json!("1e")),
        ];
        for (word, expected) in rows {
            assert_eq!(plain(word), expected, "{word}");
        }
    }
}
