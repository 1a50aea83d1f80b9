//! Regular expressions for metric names, which are Go's.

use regex_syntax::ast::{ErrorKind, parse::Parser};

use super::fields::Found;
use crate::mistake::{FieldPath, Mistake};

/// A pattern that no reader of regular expressions takes. Where Go's syntax and ours differ, it is passed over.
pub(super) fn check(path: FieldPath, pattern: &str, found: &mut Found) {
    let Err(error) = Parser::new().parse(pattern) else {
        return;
    };
    // Go reads everything between \Q and \E as it stands.
    if pattern.contains(r"\Q") {
        return;
    }
    let what = match error.kind() {
        ErrorKind::GroupUnclosed => "a ( is never closed",
        ErrorKind::GroupUnopened => "a ) was never opened",
        ErrorKind::RepetitionMissing => "there is nothing to repeat before *, + or ?",
        ErrorKind::UnsupportedLookAround => "it looks ahead or behind, which is not supported",
        ErrorKind::UnsupportedBackreference => "it refers back to a group, which is not supported",
        ErrorKind::EscapeUnexpectedEof => "it ends with a backslash",
        _ => return,
    };
    let problem = format!("is not a regular expression, {what}");
    found.push(Mistake::wrong(path, pattern, problem, "write the metric's name, or a pattern such as error-.*"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_go_refuses_too_is_a_mistake() {
        let rows = [
            ("error-rate", true),
            (".*", true),
            ("", true),
            (r"\Q(\E", true),
            ("a{", true),
            ("[[]", true),
            (r"\pN+", true),
            ("(?i)p95", true),
            ("(a", false),
            ("a)", false),
            ("*a", false),
            ("(?=a)", false),
            (r"(a)\1", false),
            ("a\\", false),
        ];
        for (pattern, good) in rows {
            let mut found = Found::new();
            check(FieldPath::of("metricName"), pattern, &mut found);
            assert_eq!(found.is_empty(), good, "{pattern}");
        }
    }
}
