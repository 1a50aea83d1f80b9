//! What is worth telling between two looks at a release.

use jiff::Timestamp;

use super::frame::{Ended, Frame};
use super::traffic::Totals;

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// How it stands now.
    State,
    /// A measurement.
    Measured,
    /// How a release ended.
    End,
    /// What somebody did.
    Deed,
}

/// One line of a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) about: About,
    pub(crate) at: Timestamp,
    pub(crate) phase: String,
    pub(crate) step: Option<(usize, usize)>,
    /// Share of the new version as it is, and as it is wanted.
    pub(crate) weight: Option<(i64, i64)>,
    pub(crate) pods: String,
    /// Thousandths of all requests that failed since the last line.
    pub(crate) errors: Option<u64>,
    /// The sentence; empty where only pods came and went.
    pub(crate) what: String,
}

/// Tells a release look by look.
#[derive(Debug, Default)]
pub(crate) struct Story {
    last: Option<Frame>,
    told: Totals,
}

impl Story {
    /// What is new.
    pub(crate) fn tell(&mut self, frame: &Frame) -> Vec<Entry> {
        let mut entries = Vec::new();
        let stood = |frame: &Frame| (frame.standing.phase.clone(), frame.standing.step, frame.standing.weight);
        let said = self.last.as_ref().map(|last| sentence(last).to_owned());
        let is_said = said.as_deref() == Some(sentence(frame));
        let is_same = self.last.as_ref().is_some_and(|last| stood(last) == stood(frame) && last.pods == frame.pods);
        for what in self.last.as_ref().map(|last| measured(last, frame)).unwrap_or_default() {
            entries.push(self.entry(frame, About::Measured, what));
        }
        if !is_said || !is_same {
            let what = if is_said { String::new() } else { sentence(frame).to_owned() };
            entries.push(self.entry(frame, About::State, what));
        }
        if let (Some(ended), Some(last)) = (&frame.ended, &self.last)
            && last.ended.as_ref() != Some(ended)
        {
            let why = if ended.why.is_empty() { String::new() } else { format!(": {}", ended.why) };
            let what = format!("revision {} ended as {}{why}", ended.revision, ended.result);
            entries.push(self.entry(frame, About::End, what));
        }
        self.last = Some(frame.clone());
        entries
    }

    /// How the latest release that is known of ended.
    pub(crate) fn ended(&self) -> Option<Ended> {
        self.last.as_ref()?.ended.clone()
    }

    /// Something that is no state of the Rollout, such as what a person did.
    pub(crate) fn add(&mut self, frame: &Frame, what: &str) -> Entry {
        self.entry(frame, About::Deed, what.to_owned())
    }

    fn entry(&mut self, frame: &Frame, about: About, what: String) -> Entry {
        let since = frame.traffic.since(&self.told);
        self.told = frame.traffic.clone();
        let standing = &frame.standing;
        Entry {
            about,
            at: frame.at,
            phase: standing.phase.clone(),
            step: standing.step,
            weight: standing.weight,
            pods: frame.pods_told(),
            errors: since.error_permille(),
            what,
        }
    }
}

fn sentence(frame: &Frame) -> &str {
    frame.standing.sentence()
}

/// First values, and all that are not good.
fn measured(last: &Frame, frame: &Frame) -> Vec<String> {
    let is_first = |metric: &str| {
        last.revision != frame.revision || !last.evidence.iter().any(|one| one.metric == metric && one.measured > 0)
    };
    let mut lines = Vec::new();
    for now in &frame.evidence {
        let then = last.evidence.iter().find(|one| one.metric == now.metric && last.revision == frame.revision);
        let before = then.map(|one| one.counts).unwrap_or_default();
        let verdict = if now.counts.bad > before.bad {
            "bad"
        } else if now.counts.errors > before.errors {
            "not measured"
        } else if now.counts.unclear > before.unclear {
            "neither good nor bad"
        } else if now.counts.good > before.good && is_first(&now.metric) {
            "good"
        } else {
            continue;
        };
        let value = if now.value.is_empty() { "no value".to_owned() } else { short(&now.value) };
        let limit = if now.limit.is_empty() { String::new() } else { format!(" ({})", now.limit) };
        let told = now.counts.told();
        let message = if now.counts.errors > before.errors && !now.message.is_empty() {
            format!(": {}", now.message)
        } else {
            String::new()
        };
        lines.push(format!("{} {value} is {verdict}{limit}, so far {told}{message}", now.metric));
    }
    lines
}

/// Numbers with at most four digits behind the point, as a person reads them.
fn short(value: &str) -> String {
    let is_part = |char: char| char.is_ascii_digit() || char == '.';
    let mut out = String::new();
    let mut rest = value;
    while let Some(start) = rest.find(is_part) {
        let (before, behind) = rest.split_at(start);
        let end = behind.find(|char| !is_part(char)).unwrap_or(behind.len());
        let (number, after) = behind.split_at(end);
        let kept = number.find('.').map_or(number.len(), |point| (point + 5).min(number.len()));
        out.push_str(before);
        out.push_str(&number[..kept]);
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_as_people_read_them() {
        for (value, expected) in
            [("[0.056874999999999946]", "[0.0568]"), ("12345", "12345"), ("[1.5 NaN]", "[1.5 NaN]"), ("", "")]
        {
            assert_eq!(short(value), expected);
        }
    }
}
