//! What the terminal can show, and how a page is kept true on it.

use std::io::IsTerminal as _;

use clap::{Args, ValueEnum};

use crate::cluster::Problem;
use crate::print;
use crate::view::text::{Cell, Style, cut, rendered};

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Look {
    /// When to use colours; NO_COLOR and TERM=dumb are respected
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN", hide_short_help = true)]
    color: Color,
    /// The same as --color=never
    #[arg(long, hide_short_help = true)]
    no_color: bool,
    /// Only characters that every terminal has
    #[arg(long)]
    ascii: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

/// What is known of the place where output goes.
#[derive(Clone, Copy, Debug, Default)]
struct Surroundings {
    is_terminal: bool,
    no_color: bool,
    force_color: bool,
    is_dumb: bool,
    width: Option<usize>,
}

impl Look {
    pub(crate) fn style(self) -> Style {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_terminal = std::io::stdout().is_terminal();
        self.style_in(Surroundings {
            is_terminal,
            no_color: is_set("NO_COLOR"),
            force_color: is_set("CLICOLOR_FORCE"),
            is_dumb: std::env::var_os("TERM").is_some_and(|term| term == "dumb"),
            width: size().filter(|_| is_terminal).map(|(width, _)| width),
        })
    }

    fn style_in(self, there: Surroundings) -> Style {
        let auto = there.force_color || (there.is_terminal && !there.no_color && !there.is_dumb);
        let color = match self.color {
            _ if self.no_color => false,
            Color::Always => true,
            Color::Never => false,
            Color::Auto => auto,
        };
        Style { color, ascii: self.ascii, width: there.width }
    }
}

/// A page that stays where it is: only lines that changed are written again.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    shown: Vec<String>,
    size: Option<(usize, usize)>,
}

impl Screen {
    pub(crate) fn show(&mut self, lines: &[Vec<Cell>], style: Style) -> Result<(), Problem> {
        let size = size();
        let mut out = String::new();
        if self.size.is_some() && self.size != size {
            // What a terminal makes of its lines when it is resized, nobody knows.
            out.push_str("\x1b[H\x1b[2J");
            self.shown.clear();
        }
        let wanted = size.map_or_else(|| lines.to_vec(), |(width, rows)| fitted(lines, width, rows));
        let wanted = rendered(&wanted, style);
        out.push_str(&repaint(&self.shown, &wanted));
        (self.shown, self.size) = (wanted, size);
        print::text(&out)
    }
}

/// Columns and rows of the terminal.
pub(crate) fn size() -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    let (width, rows) = (usize::from(size.ws_col), usize::from(size.ws_row));
    (width > 0 && rows > 1).then_some((width, rows))
}

/// What a terminal can show without breaking lines or scrolling: either would move lines from where they are known.
fn fitted(lines: &[Vec<Cell>], width: usize, rows: usize) -> Vec<Vec<Cell>> {
    let room = rows - 1;
    let mut fitting: Vec<Vec<Cell>> = lines.iter().map(|line| cut(line, width)).collect();
    if fitting.len() > room {
        let more = format!("({} lines more; a taller terminal shows them)", fitting.len() - room + 1);
        fitting.truncate(room - 1);
        fitting.push(cut(&[Cell::from(more)], width));
    }
    fitting
}

/// What turns the lines that are shown, with the cursor below them, into the wanted ones.
fn repaint(shown: &[String], wanted: &[String]) -> String {
    if shown == wanted {
        return String::new();
    }
    let mut out = if shown.is_empty() { String::new() } else { format!("\x1b[{}F", shown.len()) };
    for (index, line) in wanted.iter().enumerate() {
        if shown.get(index) != Some(line) {
            out.push_str(line);
            out.push_str("\x1b[K");
        }
        out.push('\n');
    }
    if shown.len() > wanted.len() {
        out.push_str("\x1b[J");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_and_for_those_who_ask() {
        let auto = Look { color: Color::Auto, no_color: false, ascii: false };
        let terminal = Surroundings { is_terminal: true, ..Surroundings::default() };
        // (flags, surroundings → colour)
        let rows = [
            (auto, terminal, true),
            (auto, Surroundings::default(), false),
            (auto, Surroundings { no_color: true, ..terminal }, false),
            (auto, Surroundings { is_dumb: true, ..terminal }, false),
            (auto, Surroundings { force_color: true, ..Surroundings::default() }, true),
            (Look { color: Color::Always, ..auto }, Surroundings::default(), true),
            (Look { color: Color::Never, ..auto }, terminal, false),
            (Look { no_color: true, ..auto }, terminal, false),
        ];
        for (look, there, color) in rows {
            assert_eq!(look.style_in(there).color, color, "{look:?} {there:?}");
        }
    }

    #[test]
    fn a_page_that_is_too_large_says_so_in_its_last_line() {
        let lines: Vec<Vec<Cell>> = ["one", "two", "three", "four"].map(|line| vec![Cell::from(line)]).to_vec();
        let shown = |width, rows| rendered(&fitted(&lines, width, rows), Style::default());
        assert_eq!(shown(80, 5), ["one", "two", "three", "four"]);
        assert_eq!(shown(80, 4), ["one", "two", "(2 lines more; a taller terminal shows them)"]);
        assert_eq!(shown(3, 5), ["one", "two", "thr", "fou"]);
        assert_eq!(shown(4, 2), ["(4 l"]);
    }

    #[test]
    fn only_what_changed_is_painted_again() {
        let lines = |text: &[&str]| text.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        assert_eq!(repaint(&[], &lines(&["a"])), "a\x1b[K\n");
        assert_eq!(repaint(&lines(&["a", "b"]), &lines(&["a", "b"])), "");
        assert_eq!(repaint(&lines(&["a", "b"]), &lines(&["a", "c"])), "\x1b[2F\nc\x1b[K\n");
        assert_eq!(repaint(&lines(&["a", "b"]), &lines(&["a"])), "\x1b[2F\n\x1b[J");
    }
}
