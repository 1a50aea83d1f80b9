//! Lines of coloured cells, aligned, wrapped and, on request, in ASCII only.

use std::borrow::Cow;

/// How text goes out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) color: bool,
    pub(crate) ascii: bool,
    /// Columns of the terminal; none where lines may be as long as they are.
    pub(crate) width: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hue {
    Plain,
    Good,
    Bad,
    Waiting,
    Moving,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) hue: Hue,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>, hue: Hue) -> Self {
        Self { text: text.into(), hue }
    }

    /// A phase or state behind its icon, so that colour never says anything alone.
    pub(crate) fn state(state: &str) -> Self {
        let (icon, hue) = sign(state);
        Self::new(format!("{icon} {state}"), hue)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::new(text, Hue::Plain)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(text, Hue::Plain)
    }
}

/// Icon and colour of a phase, a state of a ReplicaSet or a reason of a pod.
pub(crate) fn sign(state: &str) -> (&'static str, Hue) {
    match state {
        "Healthy" | "Successful" | "Running" | "Completed" | "Promoted" | "FastPromoted" => ("✔", Hue::Good),
        "Degraded" | "Failed" | "Error" | "Aborted" | "Evicted" | "OOMKilled" => ("✖", Hue::Bad),
        "Paused" => ("॥", Hue::Waiting),
        "Progressing" | "ContainerCreating" | "PodInitializing" | "NotReady" => ("◌", Hue::Moving),
        "Pending" | "Terminating" => ("◷", Hue::Waiting),
        "Inconclusive" | "Unknown" => ("?", Hue::Waiting),
        "ScaledDown" | "Superseded" | "RolledBack" | "FastRolledBack" => ("•", Hue::Plain),
        _ => ("⚠", Hue::Bad),
    }
}

/// Rows whose columns are aligned, two blanks apart.
pub(crate) fn table(rows: Vec<Vec<Cell>>) -> Vec<Vec<Cell>> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| length(&cell.text)).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let aligned = |row: Vec<Cell>| {
        let last = row.len().saturating_sub(1);
        let cells = row.into_iter().enumerate().flat_map(|(column, cell)| {
            let gap = if column < last { widths[column] - length(&cell.text) + 2 } else { 0 };
            [cell, Cell::from(" ".repeat(gap))]
        });
        cells.collect()
    };
    rows.into_iter().map(aligned).collect()
}

/// A label and its value, which goes on below itself where the terminal ends.
pub(crate) fn labelled(label: &str, value: Cell, width: Option<usize>) -> Vec<Vec<Cell>> {
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(LABEL).max(20));
    let Cell { text, hue } = value;
    let parts = wrapped(&text, room).into_iter().enumerate();
    parts
        .map(|(index, part)| {
            let label = if index == 0 { label } else { "" };
            vec![Cell::from(format!("{label:<LABEL$}")), Cell::new(part, hue)]
        })
        .collect()
}

const LABEL: usize = 17;

/// The words of a text in lines of at most so many characters; a longer word is a line of its own.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split([' ', '\n']) {
        if !line.is_empty() && length(&line) + 1 + length(word) > width {
            lines.push(std::mem::take(&mut line));
        } else if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// Text of others without what a terminal would take for a command.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    let commands = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\t');
    if text.contains(commands) { text.replace(commands, "\u{fffd}").into() } else { text.into() }
}

/// Lines as they are printed.
pub(crate) fn rendered(lines: &[Vec<Cell>], style: Style) -> Vec<String> {
    let line = |cells: &Vec<Cell>| {
        let mut line = String::new();
        for Cell { text, hue } in cells {
            let text = harmless(text);
            let text = if style.ascii { text.chars().map(ascii).collect() } else { text.into_owned() };
            match hue.code().filter(|_| style.color && !text.is_empty()) {
                Some(code) => line.push_str(&format!("\x1b[{code}m{text}\x1b[0m")),
                None => line.push_str(&text),
            }
        }
        line.trim_end().to_owned()
    };
    lines.iter().map(line).collect()
}

/// The same in one text.
pub(crate) fn joined(lines: &[Vec<Cell>], style: Style) -> String {
    rendered(lines, style).into_iter().map(|line| line + "\n").collect()
}

/// What of a line fits.
pub(crate) fn cut(line: &[Cell], width: usize) -> Vec<Cell> {
    let mut room = width;
    let mut kept = Vec::new();
    for Cell { text, hue } in line {
        let text: String = text.chars().take(room).collect();
        room -= length(&text);
        kept.push(Cell::new(text, *hue));
    }
    kept
}

fn length(text: &str) -> usize {
    text.chars().count()
}

impl Hue {
    const fn code(self) -> Option<u8> {
        match self {
            Self::Plain => None,
            Self::Good => Some(32),
            Self::Bad => Some(31),
            Self::Waiting => Some(33),
            Self::Moving => Some(94),
        }
    }
}

/// One character for one, so that columns stay where they are.
const fn ascii(char: char) -> char {
    match char {
        '✔' => '+',
        '✖' => 'x',
        '◌' => '~',
        '⚠' => '!',
        '॥' => '=',
        '◷' => '.',
        '•' | '─' => '-',
        '├' | '│' => '|',
        '└' => '`',
        '⟳' => 'R',
        '⧉' => 'S',
        '□' => 'P',
        'Σ' => 'E',
        'α' => 'A',
        '⊞' => 'J',
        '→' => '>',
        '▁' => '1',
        '▂' => '2',
        '▃' => '3',
        '▄' => '4',
        '▅' => '5',
        '▆' => '6',
        '▇' => '7',
        '█' => '8',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other_in_colour_and_in_ascii() {
        let rows = || {
            vec![
                vec![Cell::from("NAME"), "STATUS".into(), "AGE".into()],
                vec!["shop".into(), Cell::state("Healthy"), "7d".into()],
            ]
        };
        let plain = joined(&table(rows()), Style::default());
        assert_eq!(plain, "NAME  STATUS     AGE\nshop  ✔ Healthy  7d\n");
        let ascii = joined(&table(rows()), Style { ascii: true, ..Style::default() });
        assert_eq!(ascii, "NAME  STATUS     AGE\nshop  + Healthy  7d\n");
        let color = joined(&table(rows()), Style { color: true, ..Style::default() });
        assert_eq!(color, "NAME  STATUS     AGE\nshop  \x1b[32m✔ Healthy\x1b[0m  7d\n");
    }

    #[test]
    fn a_long_sentence_goes_on_below_itself() {
        let lines = labelled("Why:", "the canary has two of three pods ready".into(), Some(40));
        let text = joined(&lines, Style::default());
        assert_eq!(text, "Why:             the canary has two of\n                 three pods ready\n");
    }
}
