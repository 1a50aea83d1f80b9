//! A simulated release as text and as JSON.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::outcome::{End, Outcome};
use crate::stage::frame::Frame;
use crate::stage::scenario::Scenario;
use crate::stage::story::Entry;
use crate::stage::traffic::Totals;
use crate::view::text::{Cell, Hue, Style, joined, sign, table, wrapped};

/// The text's last column is at least so wide, however narrow the terminal is.
const LEAST_ROOM: usize = 40;

/// All that is told of one release.
pub(super) struct Told {
    /// `namespace/name`
    pub(super) rollout: String,
    pub(super) scenario: Scenario,
    pub(super) began: Timestamp,
    pub(super) entries: Vec<Entry>,
    pub(super) samples: Vec<Sample>,
    pub(super) outcome: Outcome,
    pub(super) left_out: Vec<String>,
    pub(super) flows: Vec<String>,
}

/// One second of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    /// Seconds since the beginning.
    pub(super) at_s: i64,
    /// The share of the new version, in percent.
    pub(super) weight: i64,
    pub(super) requests: u64,
    pub(super) errors: u64,
}

impl Sample {
    pub(super) fn new(frame: &Frame, since: &Totals, began: Timestamp) -> Self {
        Self {
            at_s: frame.at.duration_since(began).as_secs(),
            weight: share(frame, since),
            requests: since.requests(),
            errors: since.errors(),
        }
    }
}

/// What the status says; for strategies without weights what the requests say.
fn share(frame: &Frame, since: &Totals) -> i64 {
    if let Some((actual, _)) = frame.standing.weight {
        return actual;
    }
    let of_new = since.served.iter().filter(|(hash, _)| frame.numbers.get(*hash) == Some(&frame.revision));
    let new: u64 = of_new.map(|(_, served)| served.requests).sum();
    (new * 100).checked_div(since.requests()).and_then(|share| i64::try_from(share).ok()).unwrap_or(0)
}

impl Told {
    /// `1:05`: minutes and seconds since the beginning.
    pub(super) fn clock(&self, at: Timestamp) -> String {
        let seconds = at.duration_since(self.began).as_secs();
        format!("{}:{:02}", seconds / 60, seconds % 60)
    }

    pub(super) fn headline(&self) -> String {
        format!("{}, next version {}: {}", self.rollout, self.scenario.word(), self.outcome)
    }

    pub(super) fn text(&self, style: Style) -> String {
        let mut rows = vec![["TIME", "PHASE", "STEP", "WEIGHT", "ERRORS", "PODS", "WHAT"].map(Cell::from).to_vec()];
        rows.extend(self.entries.iter().map(|entry| self.row(entry)));
        let room = style.width.map(|width| {
            let widest = |column: usize| rows.iter().map(|row| row[column].text.chars().count()).max().unwrap_or(0) + 2;
            width.saturating_sub((0..6).map(widest).sum()).max(LEAST_ROOM)
        });
        let lines = rows.into_iter().flat_map(|row| unfolded(row, room)).collect();
        let hue = if self.outcome.end == End::Promoted { Hue::Good } else { Hue::Bad };
        let mut page = vec![vec![Cell::new(self.headline(), hue)]];
        let why = style.width.map_or_else(|| vec![self.outcome.why.clone()], |width| wrapped(&self.outcome.why, width));
        page.extend(why.into_iter().map(|line| vec![Cell::from(line)]));
        page.push(Vec::new());
        page.extend(table(lines));
        joined(&page, style)
    }

    fn row(&self, entry: &Entry) -> Vec<Cell> {
        let pair = |pair: Option<String>| Cell::from(pair.unwrap_or_else(|| "-".to_owned()));
        vec![
            self.clock(entry.at).into(),
            Cell::new(entry.phase.clone(), sign(&entry.phase).1),
            pair(entry.step.map(|(done, all)| format!("{done}/{all}"))),
            pair(entry.weight.map(|(actual, wanted)| format!("{actual}/{wanted}"))),
            pair(entry.errors.map(percent)),
            entry.pods.as_str().into(),
            entry.what.as_str().into(),
        ]
    }

    pub(super) fn json(&self) -> Value {
        let Outcome { end, after, by, step, why } = &self.outcome;
        let entry = |entry: &Entry| {
            json!({
                "atSeconds": entry.at.duration_since(self.began).as_secs(),
                "phase": entry.phase,
                "stepsDone": entry.step.map(|(done, _)| done),
                "weight": entry.weight.map(|(actual, _)| actual),
                "wantedWeight": entry.weight.map(|(_, wanted)| wanted),
                "pods": entry.pods,
                "errorPermille": entry.errors,
                "what": entry.what,
            })
        };
        let sample = |one: &Sample| json!({"atSeconds": one.at_s, "weight": one.weight, "requests": one.requests, "errors": one.errors});
        json!({
            "formatVersion": 1,
            "rollout": self.rollout,
            "scenario": self.scenario.word(),
            "outcome": {
                "end": end.word(), "afterSeconds": after.as_secs(), "by": by, "why": why,
                "stepsDone": step.map(|(done, _)| done), "steps": step.map(|(_, all)| all),
            },
            "requestsTo": self.flows,
            "leftOut": self.left_out,
            "timeline": self.entries.iter().map(entry).collect::<Vec<_>>(),
            "samples": self.samples.iter().map(sample).collect::<Vec<_>>(),
        })
    }
}

/// A row whose last cell goes on below itself.
fn unfolded(mut row: Vec<Cell>, room: Option<usize>) -> Vec<Vec<Cell>> {
    let Some(room) = room else { return vec![row] };
    let Some(last) = row.pop() else { return vec![row] };
    let columns = row.len();
    let parts = wrapped(&last.text, room).into_iter().enumerate();
    parts
        .map(|(index, part)| {
            let before = if index == 0 { std::mem::take(&mut row) } else { vec![Cell::from(""); columns] };
            before.into_iter().chain([Cell::new(part, last.hue)]).collect()
        })
        .collect()
}

/// Thousandths as percent with one digit.
pub(super) fn percent(permille: u64) -> String {
    format!("{}.{}%", permille / 10, permille % 10)
}
