//! A simulated release as one page that needs nothing besides itself: no script, no font, no address.

use super::outcome::End;
use super::told::{Sample, Told, percent};
use crate::stage::story::Entry;

const STYLE: &str = "
:root { color-scheme: light dark; --line: #8886; --weight: #2a78d6; --errors: #c62828; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
h1 { font-size: 1.3rem; } .promoted { color: #1b7f3b; } .bad { color: var(--errors); }
svg { width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
.grid { stroke: var(--line); } .weight { stroke: var(--weight); } .errors { stroke: var(--errors); }
.weight, .errors { fill: none; stroke-width: 2; } .errors { stroke-dasharray: 5 3; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0; }
tr { border-bottom: 1px solid var(--line); } td.number { white-space: nowrap; font-variant-numeric: tabular-nums; }
";

/// The chart's inner size, and what is around it.
const WIDTH: i64 = 1000;
const HEIGHT: i64 = 220;
const MARGIN: i64 = 44;
/// Errors are told of so many seconds at a time: of one second they are all or nothing.
const WINDOW: usize = 5;
/// More points than this can't be seen apart.
const MOST_POINTS: usize = 2000;

pub(super) fn page(told: &Told) -> String {
    let class = if told.outcome.end == End::Promoted { "promoted" } else { "bad" };
    let rows: String = told.entries.iter().map(|entry| row(told, entry)).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head>\n\
         <body><h1 class=\"{class}\">{title}</h1>\n<p>{why}</p>\n{chart}\n<table><thead><tr><th>Time</th><th>Phase</th>\
         <th>Step</th><th>Weight</th><th>Errors</th><th>Pods</th><th>What</th></tr></thead><tbody>\n{rows}</tbody></table>\n\
         <p>Requests went to {flows}. Simulated by Sluice {version}.</p></body></html>\n",
        title = escaped(&told.headline()),
        why = escaped(&told.outcome.why),
        chart = chart(&told.samples),
        flows = escaped(&if told.flows.is_empty() { "nowhere".to_owned() } else { told.flows.join(", ") }),
        version = env!("CARGO_PKG_VERSION"),
    )
}

fn row(told: &Told, entry: &Entry) -> String {
    let pair = |text: Option<String>| escaped(&text.unwrap_or_else(|| "–".to_owned()));
    format!(
        "<tr><td class=\"number\">{}</td><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>\
         <td class=\"number\">{}</td><td>{}</td><td>{}</td></tr>\n",
        told.clock(entry.at),
        escaped(&entry.phase),
        pair(entry.step.map(|(done, all)| format!("{done}/{all}"))),
        pair(entry.weight.map(|(actual, wanted)| format!("{actual}/{wanted}"))),
        pair(entry.errors.map(percent)),
        escaped(&entry.pods),
        escaped(&entry.what),
    )
}

/// Weight and errors over time, both in percent.
fn chart(samples: &[Sample]) -> String {
    let end = samples.last().map_or(1, |sample| sample.at_s.max(1));
    let (x, y) =
        (|at: i64| MARGIN + at * WIDTH / end, |percent: i64| 10 + (100 - percent.clamp(0, 100)) * HEIGHT / 100);
    let mut grid = String::new();
    for percent in [0, 25, 50, 75, 100] {
        let (at, right) = (y(percent), MARGIN + WIDTH);
        grid.push_str(&format!(
            "<line class=\"grid\" x1=\"{MARGIN}\" y1=\"{at}\" x2=\"{right}\" y2=\"{at}\"/><text x=\"4\" y=\"{}\">{percent}%</text>",
            at + 4
        ));
    }
    for quarter in 0..=4 {
        let at = end * quarter / 4;
        grid.push_str(&format!("<text x=\"{}\" y=\"{}\">{}:{:02}</text>", x(at) - 12, HEIGHT + 28, at / 60, at % 60));
    }
    let thinned: Vec<(i64, i64, i64)> = points(samples);
    let line = |of: fn(&(i64, i64, i64)) -> i64| {
        thinned.iter().map(|point| format!("{},{}", x(point.0), y(of(point)))).collect::<Vec<_>>().join(" ")
    };
    format!(
        "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Weight of the new version and errors of all requests over time\">{grid}\
         <polyline class=\"weight\" points=\"{}\"/><polyline class=\"errors\" points=\"{}\"/>\
         <text x=\"{MARGIN}\" y=\"{}\">solid: weight of the new version · dashed: errors of all requests</text></svg>",
        WIDTH + MARGIN + 20,
        HEIGHT + 56,
        line(|point| point.1),
        line(|point| point.2),
        HEIGHT + 48,
    )
}

/// Time, weight and errors of what can be seen.
fn points(samples: &[Sample]) -> Vec<(i64, i64, i64)> {
    let every = samples.len().div_ceil(MOST_POINTS).max(1);
    let errors = |index: usize| {
        let window = samples.get(index.saturating_sub(WINDOW - 1)..=index).unwrap_or_default();
        let sum = |of: fn(&Sample) -> u64| window.iter().map(of).sum::<u64>();
        let share = (sum(|one| one.errors) * 100).checked_div(sum(|one| one.requests)).unwrap_or(0);
        i64::try_from(share).unwrap_or(100)
    };
    let seen = samples.iter().enumerate().filter(|(index, _)| index % every == 0 || *index + 1 == samples.len());
    seen.map(|(index, sample)| (sample.at_s, sample.weight, errors(index))).collect()
}

/// Names and sentences come from manifests, so nothing in them may become part of the page.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_manifests_say_stays_text() {
        assert_eq!(escaped("<script>'\"&"), "&lt;script&gt;&#39;&quot;&amp;");
    }

    #[test]
    fn a_chart_shows_the_first_and_the_last_moment_however_long_the_release_was() {
        let sample = |at_s: i64| Sample { at_s, weight: 20, requests: 50, errors: 10 };
        let samples: Vec<Sample> = (1..=10_000).map(sample).collect();
        let points = points(&samples);
        assert!(points.len() <= MOST_POINTS + 1);
        assert_eq!((points.first(), points.last()), (Some(&(1, 20, 20)), Some(&(10_000, 20, 20))));
        assert!(chart(&[]).starts_with("<svg"));
    }
}
