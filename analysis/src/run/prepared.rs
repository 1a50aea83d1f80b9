//! A run's metrics with everything in them read once: arguments, durations, limits and conditions.

use std::fmt;

use jiff::SignedDuration;
use regex::Regex;
use sluice_crds::analysis::{AnalysisRun, AnalysisRunSpec, Metric, OnNoData};
use sluice_crds::mistake::{FieldPath, Mistake};
use sluice_crds::unit::IntOrString;
use sluice_crds::validate;
use sluice_crds::values::DurationString;

use super::limits::Limits;
use crate::args;
use crate::secrets::{Redactor, Secrets};
use crate::verdict::Conditions;

/// Measurements of a metric that are kept where no rule says otherwise.
const KEPT: usize = 10;

/// A run whose metrics can be measured and judged. It depends on the spec and on the values of its Secrets alone, so
/// it is made once and used for every pass.
#[derive(Debug)]
pub struct Prepared {
    pub(super) metrics: Vec<PreparedMetric>,
    pub(super) redactor: Redactor,
    pub(super) secrets: Secrets,
}

/// A metric that can be measured and judged.
pub struct PreparedMetric {
    /// The metric with its arguments filled in.
    pub metric: Metric,
    pub(super) conditions: Conditions,
    pub(super) limits: Limits,
    pub(super) interval: Option<SignedDuration>,
    pub(super) initial_delay: SignedDuration,
    pub(super) on_no_data: Option<OnNoData>,
    pub(super) dry_run: bool,
    pub(super) kept: usize,
}

impl Prepared {
    /// Reads a run's spec.
    ///
    /// # Errors
    /// All mistakes in it at once; no secret is in their sentences.
    pub fn new(run: &AnalysisRun, secrets: Secrets) -> Result<Self, Vec<Mistake>> {
        let redactor = Redactor::new(secrets.values());
        match Self::read(&run.spec, &secrets) {
            Ok(metrics) => Ok(Self { metrics, redactor, secrets }),
            Err(mistakes) => Err(mistakes.into_iter().map(|mistake| clean(mistake, &redactor)).collect()),
        }
    }

    fn read(spec: &AnalysisRunSpec, secrets: &Secrets) -> Result<Vec<PreparedMetric>, Vec<Mistake>> {
        let values = args::resolve(spec, secrets)?;
        let path = FieldPath::of("spec.metrics");
        let mut mistakes = Vec::new();
        let mut filled = Vec::with_capacity(spec.metrics().len());
        for (index, metric) in spec.metrics().iter().enumerate() {
            match args::fill_in(&path.index(index), metric, &values) {
                Ok(metric) => filled.push(metric),
                Err(more) => mistakes.extend(more),
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        // With its arguments filled in, the run is judged by the rules for what people write.
        let with_values = AnalysisRunSpec { metrics: Some(filled), ..spec.clone() };
        mistakes.extend(validate::analysis_run(&AnalysisRun::new("run", with_values.clone())));
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let dry_run: Vec<Rule> = spec.dry_run.iter().flatten().map(|rule| Rule::read(&rule.metric_name)).collect();
        let kept = spec.measurement_retention.iter().flatten();
        let kept: Vec<(Rule, Option<i32>)> = kept.map(|rule| (Rule::read(&rule.metric_name), rule.limit)).collect();
        let mut metrics = Vec::new();
        for (index, metric) in with_values.metrics.into_iter().flatten().enumerate() {
            let dry_run = dry_run.iter().any(|rule| rule.fits(&metric.name));
            let kept = kept.iter().rev().find(|(rule, _)| rule.fits(&metric.name)).and_then(|(_, limit)| *limit);
            match PreparedMetric::new(&path.index(index), metric, dry_run, kept) {
                Ok(metric) => metrics.push(metric),
                Err(more) => mistakes.extend(more),
            }
        }
        if mistakes.is_empty() { Ok(metrics) } else { Err(mistakes) }
    }

    /// The metrics, in the order of the spec.
    pub fn metrics(&self) -> &[PreparedMetric] {
        &self.metrics
    }

    /// What requests of this run may need.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}

/// Metrics with their arguments filled in hold secrets; printing one prints its name.
impl fmt::Debug for PreparedMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.metric.name)
    }
}

impl PreparedMetric {
    fn new(path: &FieldPath, metric: Metric, dry_run: bool, kept: Option<i32>) -> Result<Self, Vec<Mistake>> {
        let conditions = Conditions::compile(path, &metric)?;
        Ok(Self {
            conditions,
            limits: Limits::of(&metric),
            interval: span(metric.interval.as_ref()).filter(SignedDuration::is_positive),
            initial_delay: span(metric.initial_delay.as_ref()).unwrap_or_default(),
            on_no_data: metric.on_no_data.clone(),
            dry_run,
            // The latest one always stays: the schedule is counted from it.
            kept: kept.map_or(KEPT, |limit| usize::try_from(limit).unwrap_or(1).max(1)),
            metric,
        })
    }
}

fn clean(mistake: Mistake, redactor: &Redactor) -> Mistake {
    let value = mistake.value.map(|value| match redactor.clean(value.as_str()) {
        clean if clean == value.as_str() => value,
        _ => "*****".into(),
    });
    Mistake { value, problem: redactor.clean(&mistake.problem), mend: redactor.clean(&mistake.mend), ..mistake }
}

/// A duration that validation has read before.
fn span(written: Option<&DurationString>) -> Option<SignedDuration> {
    written?.parse().ok().map(SignedDuration::from)
}

/// A number that validation has read before.
pub(super) fn number(written: &IntOrString) -> i64 {
    match written {
        IntOrString::Int(number) => *number,
        IntOrString::String(text) => text.parse().unwrap_or(0),
    }
}

/// A rule about metrics: a pattern found anywhere in their names.
enum Rule {
    Pattern(Regex),
    Name(String),
}

impl Rule {
    /// What only Go's regular expressions know is taken as a name.
    fn read(pattern: &str) -> Self {
        Regex::new(pattern).map_or_else(|_| Self::Name(pattern.to_owned()), Self::Pattern)
    }

    fn fits(&self, name: &str) -> bool {
        match self {
            Self::Pattern(pattern) => pattern.is_match(name),
            Self::Name(known) => known == name,
        }
    }
}
