//! What a backslash means within quotes.

use super::mistake::Wrong;

/// The text that stands for `written`, which begins at `at` and lies between two `quote`s.
pub(super) fn unescaped(written: &str, at: usize, quote: char) -> Result<String, Wrong> {
    if !written.contains('\\') {
        return Ok(written.to_owned());
    }
    let mut text = String::with_capacity(written.len());
    let mut rest = written;
    while let Some(backslash) = rest.find('\\') {
        text.push_str(&rest[..backslash]);
        let escape = &rest[backslash + 1..];
        let here = at + written.len() - rest.len() + backslash;
        let (character, length) = one(escape, quote).ok_or_else(|| {
            Wrong::with(here, "this escape is unknown", format!("write \\n, \\t, \\\\, \\{quote} or \\u00e9"))
        })?;
        text.push(character);
        rest = &escape[length..];
    }
    text.push_str(rest);
    Ok(text)
}

/// The character that an escape names, and how long it is without its backslash.
fn one(escape: &str, quote: char) -> Option<(char, usize)> {
    let first = escape.chars().next()?;
    let plain = match first {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' => '\\',
        _ if first == quote => quote,
        'x' => return numbered(escape.get(1..3)?, 16, 3),
        'u' if escape[1..].starts_with('{') => {
            let digits = &escape[2..escape.find('}')?];
            return if digits.len() <= 6 { numbered(digits, 16, digits.len() + 3) } else { None };
        }
        'u' => return numbered(escape.get(1..5)?, 16, 5),
        'U' => return numbered(escape.get(1..9)?, 16, 9),
        '0'..='7' => return numbered(escape.get(..3)?, 8, 3).filter(|(character, _)| *character <= '\u{ff}'),
        _ => return None,
    };
    Some((plain, first.len_utf8()))
}

fn numbered(digits: &str, base: u32, length: usize) -> Option<(char, usize)> {
    // `from_str_radix` would take a sign.
    if !digits.chars().all(|digit| digit.is_digit(base)) {
        return None;
    }
    let character = char::from_u32(u32::from_str_radix(digits, base).ok()?)?;
    Some((character, length))
}
