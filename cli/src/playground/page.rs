//! The playground on a terminal: what to type, how each release stands, and what happened last.

use super::welcome::Welcome;
use crate::stage::frame::Frame;
use crate::view::evidence::sparkline;
use crate::view::page;
use crate::view::text::{Cell, Hue, labelled, table, wrapped};

/// A terminal shows so many Rollouts; the lines below tell of all.
const MOST_ROLLOUTS: usize = 3;
/// So many lines of what happened are shown at least, however small the terminal is.
const LEAST_LINES: usize = 4;

pub(super) struct Page<'a> {
    pub(super) welcome: &'a Welcome,
    pub(super) frames: &'a [((String, String), Frame)],
    pub(super) shares: &'a str,
    /// Errors in percent, the latest last.
    pub(super) errors: &'a [f64],
    pub(super) lines: &'a [String],
}

impl Page<'_> {
    /// What is known of the releases comes first, then what happened last, then what can be typed.
    pub(super) fn drawn(&self, width: usize, rows: usize) -> Vec<Vec<Cell>> {
        let mut standing = Vec::new();
        for ((_, name), frame) in self.frames.iter().take(MOST_ROLLOUTS) {
            standing.push(Vec::new());
            standing.extend(release(name, frame, width));
        }
        standing.extend(self.traffic(width));
        standing.push(Vec::new());
        let told: Vec<String> = self.lines.iter().flat_map(|line| hanging(line, width)).collect();
        // The last row is the cursor's.
        let room = rows.saturating_sub(standing.len() + 1);
        let mut lines = self.welcome(width, room.saturating_sub(LEAST_LINES));
        let skipped = told.len().saturating_sub(room.saturating_sub(lines.len()));
        lines.append(&mut standing);
        lines.extend(told.into_iter().skip(skipped).map(|line| vec![Cell::from(line)]));
        lines
    }

    /// As much of it as there is room for: where the kubeconfig is, then what to try, then where all that is.
    fn welcome(&self, width: usize, room: usize) -> Vec<Vec<Cell>> {
        let Welcome { place, export, tries } = self.welcome;
        let place: Vec<String> = place.iter().flat_map(|line| wrapped(line, width)).collect();
        let mut lines: Vec<Vec<Cell>> = Vec::new();
        if room >= place.len() + 2 + tries.len() {
            lines.extend(place.into_iter().map(|line| vec![Cell::from(line)]));
        }
        if room < 2 {
            return lines;
        }
        lines.push(vec![Cell::from("In another terminal:")]);
        lines.push(vec![Cell::new(format!("  {export}"), Hue::Moving)]);
        let tries = tries.iter().take(room - 2);
        let tries = tries.map(|(what, command)| vec![format!("  {command}").into(), Cell::from(*what)]);
        lines.extend(table(tries.collect()));
        lines
    }

    fn traffic(&self, width: usize) -> Vec<Vec<Cell>> {
        let mut lines = Vec::new();
        if !self.shares.is_empty() {
            lines.extend(labelled("Traffic:", self.shares.into(), Some(width)));
        }
        if let Some(latest) = self.errors.last() {
            let hue = if *latest > 1.0 { Hue::Bad } else { Hue::Good };
            lines.extend(labelled(
                "Errors:",
                Cell::new(format!("{latest:.1}%  {}", sparkline(self.errors)), hue),
                None,
            ));
        }
        lines
    }
}

fn release(name: &str, frame: &Frame, width: usize) -> Vec<Vec<Cell>> {
    let standing = &frame.standing;
    let mut lines = labelled(&format!("{name}:"), Cell::state(&standing.phase), Some(width));
    lines.extend(labelled("Why:", standing.sentence().into(), Some(width)));
    if let Some(ended) = frame.ended.as_ref().filter(|ended| frame.is_aborted && ended.revision == frame.revision) {
        lines.extend(labelled("Because:", Cell::new(ended.why.as_str(), Hue::Bad), Some(width)));
    }
    if let Some(countdown) = standing.countdown(frame.at) {
        lines.extend(labelled("Next:", countdown.into(), Some(width)));
    }
    if let (Some((done, all)), Some((actual, wanted))) = (standing.step, standing.weight) {
        let told = format!("{done}/{all}  {} {actual}% of {wanted}%", bar(actual));
        lines.extend(labelled("Step, weight:", told.into(), None));
    }
    lines.extend(labelled("Pods ready:", frame.pods_told().into(), Some(width)));
    if !frame.evidence.is_empty() && !frame.is_stable {
        lines.extend(table(frame.evidence.iter().map(page::row).collect()));
    }
    lines
}

/// A weight as a bar of twenty characters.
fn bar(weight: i64) -> String {
    let full = usize::try_from(weight.clamp(0, 100) / 5).unwrap_or(0);
    format!("{}{}", "█".repeat(full), "▁".repeat(20 - full))
}

/// A line that goes on below itself, behind its time of day.
fn hanging(line: &str, width: usize) -> Vec<String> {
    const INDENT: usize = 10;
    let room = width.saturating_sub(INDENT).max(20);
    let (time, text) = line.split_at_checked(INDENT).unwrap_or(("", line));
    let parts = wrapped(text, room).into_iter().enumerate();
    parts
        .map(|(index, part)| if index == 0 { format!("{time}{part}") } else { format!("{:INDENT$}{part}", "") })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;
    use serde_json::json;

    use super::super::Args;
    use super::*;
    use crate::family::Family;
    use crate::stage::traffic::Totals;
    use crate::view::text::{Style, rendered};

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        args: Args,
    }

    fn shown(width: usize, rows: usize) -> Vec<String> {
        let args = Only::parse_from(["playground"]).args;
        let welcome = Welcome::new("127.0.0.1:1", "http://127.0.0.1:2", Path::new("/tmp/kubeconfig"), &args);
        let rollout = json!({
            "metadata": {"generation": 2},
            "spec": {"strategy": {"canary": {"steps": [{"setWeight": 20}, {"pause": {}}]}}},
            "status": {"observedGeneration": "2", "phase": "Progressing", "why": "the canary has 1 of 2 pods available", "columns": {"weight": "0/20"}},
        });
        let family = Family { rollout, ..Family::default() };
        let at = "2026-01-01T00:00:00Z".parse().expect("a time");
        let frames = [(("default".to_owned(), "shop".to_owned()), Frame::new(&family, Totals::default(), at))];
        let lines: Vec<String> =
            (0..40).map(|number| format!("00:00:{number:02}  line {number} of what happened")).collect();
        let page =
            Page { welcome: &welcome, frames: &frames, shares: "rev 1 100%", errors: &[0.0, 20.0], lines: &lines };
        rendered(&page.drawn(width, rows), Style::default())
    }

    #[test]
    fn what_to_type_how_it_stands_and_what_happened_last_fit_a_terminal() {
        for (width, rows) in [(80, 24), (200, 60), (80, 14)] {
            let lines = shown(width, rows);
            assert!(lines.len() < rows, "{} lines in {rows} rows: {lines:#?}", lines.len());
            assert_eq!(lines.last().map(String::as_str), Some("00:00:39  line 39 of what happened"));
            assert!(lines.contains(&"shop:            ◌ Progressing".to_owned()), "{lines:#?}");
            let is_there = lines.iter().any(|line| line.contains("export KUBECONFIG=/tmp/kubeconfig"));
            assert_eq!(is_there, rows > 20, "{lines:#?}");
        }
    }

    #[test]
    fn a_release_that_was_taken_back_says_because_of_what() {
        let rollout = json!({
            "metadata": {"generation": 2, "annotations": {"rollout.argoproj.io/revision": "2"}},
            "spec": {"strategy": {"canary": {}}},
            "status": {
                "observedGeneration": "2", "phase": "Degraded", "abort": true, "why": "aborted: revision 2 is taken back",
                "history": [{"revision": 2, "result": "Aborted", "why": "error-rate 0.2 > 0.05"}],
            },
        });
        let family = Family { rollout, ..Family::default() };
        let frame = Frame::new(&family, Totals::default(), "2026-01-01T00:00:00Z".parse().expect("a time"));
        let lines = rendered(&release("shop", &frame, 80), Style::default());
        assert!(lines.contains(&"Because:         error-rate 0.2 > 0.05".to_owned()), "{lines:#?}");
    }

    #[test]
    fn a_weight_is_a_bar() {
        assert_eq!(bar(20), format!("████{}", "▁".repeat(16)));
        assert_eq!((bar(-5), bar(300)), ("▁".repeat(20), "█".repeat(20)));
    }
}
