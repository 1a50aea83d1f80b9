//! Small things about texts.

/// A text as a regular expression that matches nothing else.
pub(crate) fn quoted_pattern(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for letter in text.chars() {
        if r"\.+*?()|[]{}^$".contains(letter) {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted
}
