//! Conditions, as far as they can be judged without running them: whatever its words mean, an expression with an
//! open bracket or an open quote has no value.

use crate::mistake::{FieldPath, Mistake};
use crate::validate::fields::Found;

pub(super) fn check(path: FieldPath, condition: Option<&str>, found: &mut Found) {
    const LONGEST: usize = 64 * 1024;
    let Some(condition) = condition else {
        return;
    };
    if condition.len() > LONGEST {
        let problem = format!("has {} characters, and {LONGEST} are read", condition.len());
        found.push(Mistake::about(path, problem, "put the calculation into the query"));
    } else if let Some(what) = imbalance(condition) {
        let problem = format!("is not an expression, {what}");
        found.push(Mistake::wrong(path, condition, problem, "write one such as result[0] < 0.05"));
    }
}

/// What is left open or closed too often, in words.
fn imbalance(expression: &str) -> Option<String> {
    let mut open: Vec<char> = Vec::new();
    let mut characters = expression.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            // Brackets within a text are part of it, so reading goes on behind its end.
            '\'' | '"' | '`' if !skip_text(character, &mut characters) => {
                return Some(format!("a {character} is never closed"));
            }
            '/' if characters.peek() == Some(&'/') => {
                characters.by_ref().find(|character| *character == '\n');
            }
            '/' if characters.peek() == Some(&'*') => {
                let mut before = ' ';
                characters.by_ref().skip(1).find(|character| {
                    let ends = before == '*' && *character == '/';
                    before = *character;
                    ends
                });
            }
            '(' | '[' | '{' => open.push(character),
            ')' | ']' | '}' => {
                let opening = match character {
                    ')' => '(',
                    ']' => '[',
                    _ => '{',
                };
                if open.pop() != Some(opening) {
                    return Some(format!("a {character} has no {opening} before it"));
                }
            }
            _ => {}
        }
    }
    open.last().map(|open| format!("a {open} is never closed"))
}

/// Reads on to the end of a text in quotes; `false` if there is none.
fn skip_text(quote: char, characters: &mut impl Iterator<Item = char>) -> bool {
    while let Some(character) = characters.next() {
        if character == quote {
            return true;
        }
        // Texts in backquotes know no escapes.
        if character == '\\' && quote != '`' {
            characters.next();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_open_is_told() {
        let rows = [
            ("result[0] < 0.05", None),
            ("len(result) == 0 || result[0] < {{args.limit}}", None),
            ("result == 'it''s (fine'", None),
            (r#"result contains "a \" (" "#, None),
            ("result > 1 // (never mind", None),
            ("result > 1 /* ( */ && true", None),
            ("result == `\\`", None),
            ("", None),
            ("result[0 < 1", Some("a [ is never closed")),
            ("result) < 1", Some("a ) has no ( before it")),
            ("(result]", Some("a ] has no [ before it")),
            ("result == 'x", Some("a ' is never closed")),
            ("any(result, {# > 1)", Some("a ) has no ( before it")),
        ];
        for (expression, expected) in rows {
            assert_eq!(imbalance(expression).as_deref(), expected, "{expression}");
        }
    }
}
