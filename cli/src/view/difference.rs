//! Two texts, line by line: what went and what came, with a few lines around.

use super::text::{Cell, Hue};

/// So many lines around a change are shown.
const AROUND: usize = 3;
/// Beyond so many pairs of lines all of the one text goes and all of the other comes: nobody reads that anyway.
const MOST_PAIRS: usize = 4_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line<'a> {
    Same(&'a str),
    Gone(&'a str),
    New(&'a str),
}

/// Each text has a title.
pub(crate) fn page(before: (&str, &str), after: (&str, &str)) -> Vec<Vec<Cell>> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.1.lines().collect(), after.1.lines().collect());
    let lines = compared(&old, &new);
    let is_change = |line: &Line<'_>| !matches!(line, Line::Same(_));
    let is_near = |index: usize| {
        let around = index.saturating_sub(AROUND)..(index + AROUND + 1).min(lines.len());
        lines[around].iter().any(is_change)
    };
    let mut page = vec![
        vec![Cell::new(format!("--- {}", before.0), Hue::Bad)],
        vec![Cell::new(format!("+++ {}", after.0), Hue::Good)],
    ];
    let mut was_near = true;
    for (index, line) in lines.iter().enumerate() {
        let is_near = is_near(index);
        if is_near && !was_near {
            page.push(vec![Cell::new("...", Hue::Moving)]);
        }
        was_near = is_near;
        if is_near {
            page.push(vec![match line {
                Line::Same(text) => Cell::from(format!("  {text}")),
                Line::Gone(text) => Cell::new(format!("- {text}"), Hue::Bad),
                Line::New(text) => Cell::new(format!("+ {text}"), Hue::Good),
            }]);
        }
    }
    page
}

/// By the longest common sequence of lines.
fn compared<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    if old.len().saturating_mul(new.len()) > MOST_PAIRS {
        return old.iter().map(|line| Line::Gone(line)).chain(new.iter().map(|line| Line::New(line))).collect();
    }
    // `common[i][j]`: how many lines old[i..] and new[j..] have in common.
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            let kept = common[i + 1][j].max(common[i][j + 1]);
            common[i][j] = if old[i] == new[j] { common[i + 1][j + 1] + 1 } else { kept };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() && j < new.len() {
        if old[i] == new[j] {
            lines.push(Line::Same(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if common[i + 1][j] >= common[i][j + 1] {
            lines.push(Line::Gone(old[i]));
            i += 1;
        } else {
            lines.push(Line::New(new[j]));
            j += 1;
        }
    }
    lines.extend(old[i..].iter().map(|line| Line::Gone(line)));
    lines.extend(new[j..].iter().map(|line| Line::New(line)));
    lines
}

#[cfg(test)]
mod tests {
    use super::super::text::{Style, joined};
    use super::*;

    #[test]
    fn what_went_and_what_came_is_shown_with_a_few_lines_around() {
        let before = "a\nb\nc\nd\ne\nimage: shop:1\nf\n";
        let after = "a\nb\nc\nd\ne\nimage: shop:2\nf\ng\n";
        let expected =
            "--- revision 1\n+++ as it is now\n...\n  c\n  d\n  e\n- image: shop:1\n+ image: shop:2\n  f\n+ g\n";
        let page = page(("revision 1", before), ("as it is now", after));
        // The first lines are passed over.
        assert_eq!(joined(&page, Style::default()), expected);
    }

    #[test]
    fn texts_without_a_common_line_and_empty_ones_are_compared_too() {
        assert_eq!(compared(&["a"], &["b"]), [Line::Gone("a"), Line::New("b")]);
        assert_eq!(compared(&[], &["b"]), [Line::New("b")]);
        assert_eq!(compared(&["a"], &[]), [Line::Gone("a")]);
        let many: Vec<String> = (0..3000).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(compared(&many, &many).len(), 6000);
    }
}
