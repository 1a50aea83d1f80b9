//! A user's value inside a sentence: quoted, one line, and short enough for a condition's message.

/// Characters of a value that a sentence shows; what is wrong is nearly always in the first few.
const SHOWN: usize = 64;

/// The text in double quotes, with control characters escaped and cut after [`SHOWN`] characters.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_value_is_shown_on_one_line_and_never_longer_than_a_message_bears() {
        assert_eq!(quoted("10x"), r#""10x""#);
        assert_eq!(quoted("a\nb\"c"), r#""a\nb\"c""#);
        assert_eq!(quoted(&"é".repeat(64)), format!("\"{}\"", "é".repeat(64)));
        assert_eq!(quoted(&"é".repeat(1_000_000)), format!("\"{}\"…", "é".repeat(64)));
    }
}
