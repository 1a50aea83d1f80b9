//! The differences that are deliberate: the table in `sandbox/DIFFERENCES.md`.

use anyhow::{Context as _, bail};

use super::compare::Difference;

/// One row: which checks, which lines of them, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The check's name; `*` stands for any text.
    pub check: String,
    /// What differs; `*` stands for any text.
    pub line: String,
    /// Why the sandbox answers otherwise.
    pub reason: String,
}

impl Listed {
    /// The rows of the table.
    ///
    /// # Errors
    /// When a row hasn't all of its three columns filled in.
    pub fn parse(markdown: &str) -> anyhow::Result<Vec<Self>> {
        let rows = markdown.lines().map(str::trim).filter(|line| line.starts_with("| `"));
        rows.map(|row| Self::row(row).with_context(|| format!("in the row {row:?}"))).collect()
    }

    fn row(row: &str) -> anyhow::Result<Self> {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [check, line, reason] = cells[..] else { bail!("a row has three cells, this one has {}", cells.len()) };
        let code = |cell: &str| {
            let inner = cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`'));
            inner.map(ToOwned::to_owned).with_context(|| format!("{cell:?} stands in backticks"))
        };
        if reason.is_empty() {
            bail!("a difference needs a reason");
        }
        Ok(Self { check: code(check)?, line: code(line)?, reason: reason.to_owned() })
    }

    fn explains(&self, check: &str, line: &str) -> bool {
        matches(&self.check, check) && matches(&self.line, line)
    }
}

/// The lines of a difference that no row explains; rows that explain one are marked as used.
#[must_use]
pub fn unexplained(difference: &Difference, listed: &[Listed], used: &mut [bool]) -> Vec<String> {
    let mut left = Vec::new();
    for line in &difference.lines {
        let mut explained = false;
        for (row, used) in listed.iter().zip(used.iter_mut()) {
            if row.explains(&difference.check, line) {
                explained = true;
                *used = true;
            }
        }
        if !explained {
            left.push(line.clone());
        }
    }
    left
}

fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_explains_the_lines_it_names_and_no_others() -> anyhow::Result<()> {
        let table = "\
| check | what differs | why |
|---|---|---|
| `a pod */ 2: GET *` | `.status.qosClass: *` | not modelled |
";
        let listed = Listed::parse(table)?;
        let lines = vec![".status.qosClass: real 1, sandbox 2".to_owned(), ".spec: real 1, sandbox 2".to_owned()];
        let difference = Difference { check: "a pod is made / 2: GET /x".to_owned(), lines };
        let mut used = [false];
        assert_eq!(unexplained(&difference, &listed, &mut used), [".spec: real 1, sandbox 2"]);
        assert_eq!(used, [true]);
        Ok(())
    }

    #[test]
    fn a_row_without_a_reason_is_refused() {
        assert!(Listed::parse("| `a` | `b` |  |").is_err());
        assert!(Listed::parse("| `a` | b | c |").is_err());
    }

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "ab", true),
            ("*b", "ab", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abde", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }
}
