//! Selectors: which series, and which of their samples.

use std::time::{Duration, SystemTime};

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{AtModifier, Expr, MatrixSelector, Offset, SubqueryExpr, VectorSelector};

use super::error::QueryError;
use super::evaluate::Evaluation;
use super::value::{Sample, Series, Value};
use crate::metrics::labels::{Labels, NAME};
use crate::metrics::store::{Point, within};

/// How far back an instant vector looks for a sample.
pub(super) const LOOKBACK_MS: i64 = 5 * 60 * 1_000;

/// The step of a subquery that names none: Prometheus' default evaluation interval.
const DEFAULT_STEP_MS: i64 = 60 * 1_000;

/// What has to hold of a series' labels.
pub(crate) struct Selector<'a> {
    name: Option<&'a str>,
    matchers: &'a [Matcher],
}

impl<'a> Selector<'a> {
    pub(super) fn of(selector: &'a VectorSelector) -> Self {
        Self { name: selector.name.as_deref(), matchers: &selector.matchers.matchers }
    }

    /// The metric's name where the selector asks for exactly one.
    pub(crate) fn metric(&self) -> Option<&'a str> {
        self.name.or_else(|| {
            let named = |matcher: &&Matcher| matcher.name == NAME && matches!(matcher.op, MatchOp::Equal);
            self.matchers.iter().find(named).map(|matcher| matcher.value.as_str())
        })
    }

    pub(crate) fn takes(&self, labels: &Labels) -> bool {
        self.name.is_none_or(|name| labels.metric() == name)
            && self.matchers.iter().all(|matcher| matcher.is_match(labels.get(&matcher.name)))
    }

    /// The labels that every series selected has: what `absent` answers with.
    pub(super) fn certain_labels(&self) -> Labels {
        let mut certain = Labels::default();
        let mut seen: Vec<&str> = Vec::new();
        for matcher in self.matchers.iter().filter(|matcher| matcher.name != NAME) {
            if matches!(matcher.op, MatchOp::Equal) && !seen.contains(&matcher.name.as_str()) {
                certain.set(&matcher.name, &matcher.value);
                seen.push(&matcher.name);
            } else {
                certain.set(&matcher.name, "");
            }
        }
        certain
    }
}

/// Series over a span of time that is closed on both sides.
pub(super) struct Windows {
    pub(super) from_ms: i64,
    pub(super) until_ms: i64,
    pub(super) range_ms: i64,
    pub(super) series: Vec<Series>,
}

impl Evaluation<'_> {
    /// The latest sample of each series, with the time that it was taken at.
    pub(super) fn instant(&self, selector: &VectorSelector, at_ms: i64) -> Result<Vec<(Labels, Point)>, QueryError> {
        let at_ms = self.moved(selector.at.as_ref(), selector.offset.as_ref(), at_ms);
        let wanted = Selector::of(selector);
        let found: Vec<(Labels, Point)> = self
            .store
            .series(wanted.metric())
            .filter(|(labels, _)| wanted.takes(labels))
            .filter_map(|(labels, points)| {
                let latest = within(points, at_ms.saturating_sub(LOOKBACK_MS), at_ms).last()?;
                (!latest.is_stale()).then(|| (labels.clone(), *latest))
            })
            .collect();
        self.spend(found.len())?;
        Ok(found)
    }

    /// The samples of a range vector.
    pub(super) fn windows(&self, expr: &Expr, at_ms: i64) -> Result<Windows, QueryError> {
        match expr {
            Expr::MatrixSelector(matrix) => self.matrix(matrix, at_ms),
            Expr::Subquery(subquery) => self.subquery(subquery, at_ms),
            Expr::Paren(paren) => self.windows(&paren.expr, at_ms),
            _ => Err(QueryError::Execution("expected a range vector".to_owned())),
        }
    }

    fn matrix(&self, matrix: &MatrixSelector, at_ms: i64) -> Result<Windows, QueryError> {
        let until_ms = self.moved(matrix.vs.at.as_ref(), matrix.vs.offset.as_ref(), at_ms);
        let range_ms = milliseconds(matrix.range);
        let from_ms = until_ms.saturating_sub(range_ms);
        let wanted = Selector::of(&matrix.vs);
        let mut series = Vec::new();
        for (labels, points) in self.store.series(wanted.metric()).filter(|(labels, _)| wanted.takes(labels)) {
            let points: Vec<Point> =
                within(points, from_ms, until_ms).iter().filter(|point| !point.is_stale()).copied().collect();
            self.spend(points.len())?;
            if !points.is_empty() {
                series.push(Series { labels: labels.clone(), points });
            }
        }
        Ok(Windows { from_ms, until_ms, range_ms, series })
    }

    /// The steps of a subquery are multiples of its step, wherever its range begins.
    fn subquery(&self, subquery: &SubqueryExpr, at_ms: i64) -> Result<Windows, QueryError> {
        let until_ms = self.moved(subquery.at.as_ref(), subquery.offset.as_ref(), at_ms);
        let range_ms = milliseconds(subquery.range);
        let from_ms = until_ms.saturating_sub(range_ms);
        let step_ms = subquery.step.map_or(DEFAULT_STEP_MS, milliseconds).max(1);
        let mut series: Vec<Series> = Vec::new();
        let mut place = std::collections::BTreeMap::new();
        let mut next = first_step(from_ms, step_ms);
        let steps = next.map_or(0, |first| until_ms.saturating_sub(first) / step_ms);
        self.spend(usize::try_from(steps).unwrap_or(0))?;
        while let Some(step) = next.filter(|step| *step <= until_ms) {
            let samples = match self.value(&subquery.expr, step)? {
                Value::Scalar(value) => vec![Sample { labels: Labels::default(), value }],
                other => other.vector()?,
            };
            for Sample { labels, value } in samples {
                let index = *place.entry(labels.clone()).or_insert_with(|| {
                    series.push(Series { labels, points: Vec::new() });
                    series.len() - 1
                });
                series[index].points.push(Point { at_ms: step, value });
            }
            next = step.checked_add(step_ms);
        }
        Ok(Windows { from_ms, until_ms, range_ms, series })
    }

    /// The instant that a selector means.
    fn moved(&self, at: Option<&AtModifier>, offset: Option<&Offset>, now_ms: i64) -> i64 {
        let base = match at {
            None => now_ms,
            Some(AtModifier::Start) => self.from_ms,
            Some(AtModifier::End) => self.until_ms,
            Some(AtModifier::At(time)) => epoch_ms(*time),
        };
        match offset {
            None => base,
            Some(Offset::Pos(back)) => base.saturating_sub(milliseconds(*back)),
            Some(Offset::Neg(ahead)) => base.saturating_add(milliseconds(*ahead)),
        }
    }
}

/// The first multiple of the step that is not before this instant.
fn first_step(from_ms: i64, step_ms: i64) -> Option<i64> {
    let past = from_ms.rem_euclid(step_ms);
    if past == 0 { Some(from_ms) } else { from_ms.checked_add(step_ms - past) }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn epoch_ms(time: SystemTime) -> i64 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => milliseconds(after),
        Err(before) => milliseconds(before.duration()).saturating_neg(),
    }
}
