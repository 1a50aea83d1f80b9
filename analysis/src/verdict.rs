//! The verdict on one measurement: what a metric's conditions say about a value.

use jiff::Timestamp;
use sluice_crds::analysis::{AnalysisPhase, Metric};
use sluice_crds::mistake::{FieldPath, Mistake};

use crate::condition::{Condition, Truth, Value};
use crate::provider::Reading;

/// What a measurement means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    Successful,
    Failed,
    Inconclusive,
    /// The value can't be judged.
    Error,
    /// There is nothing to judge.
    NoData,
}

impl Judgement {
    /// How it is written into a measurement. Other tools know no measurement without data; to them it is an error,
    /// which is neither good nor bad and is tried again.
    pub(crate) fn phase(self) -> AnalysisPhase {
        match self {
            Self::Successful => AnalysisPhase::Successful,
            Self::Failed => AnalysisPhase::Failed,
            Self::Inconclusive => AnalysisPhase::Inconclusive,
            Self::Error | Self::NoData => AnalysisPhase::Error,
        }
    }
}

/// A judgement and its reason in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) judgement: Judgement,
    pub(crate) message: String,
}

/// The conditions of a metric.
#[derive(Debug)]
pub(crate) struct Conditions {
    success: Option<Condition>,
    failure: Option<Condition>,
}

impl Conditions {
    /// Reads the conditions of a metric whose arguments are filled in.
    pub(crate) fn compile(path: &FieldPath, metric: &Metric) -> Result<Self, Vec<Mistake>> {
        let success = read(path.field("successCondition"), metric.success_condition.as_deref());
        let failure = read(path.field("failureCondition"), metric.failure_condition.as_deref());
        match (success, failure) {
            (Ok(success), Ok(failure)) => Ok(Self { success, failure }),
            (success, failure) => Err(success.err().into_iter().chain(failure.err()).collect()),
        }
    }

    /// What the conditions say about a value. What they say about its absence is the user's policy and counts; where
    /// they only fail on it, nothing was measured.
    pub(crate) fn judge(&self, name: &str, reading: &Reading, now: Timestamp) -> Judged {
        let judged = |judgement, message: String| Judged { judgement, message };
        let value = reading.value.clone().unwrap_or(Value::Nil);
        if self.success.is_none() && self.failure.is_none() {
            return match reading.value {
                Some(_) => judged(Judgement::Successful, format!("{name} is {}, without a condition", reading.shown)),
                None => judged(Judgement::NoData, "the answer has no value".to_owned()),
            };
        }
        let ask = |condition: Option<&Condition>| match condition?.judge(&value, now) {
            // Without a value a condition that can't cope with that has nothing to say.
            Err(_) if reading.value.is_none() => Some(Ok(Truth::NoData("the answer has no value".to_owned()))),
            other => Some(other),
        };
        let (failure, success) = (ask(self.failure.as_ref()), ask(self.success.as_ref()));
        if let Some(problem) = [("failureCondition", &failure), ("successCondition", &success)]
            .into_iter()
            .find_map(|(field, said)| said.as_ref()?.as_ref().err().map(|problem| format!("{field}: {problem}")))
        {
            return judged(Judgement::Error, problem);
        }
        let sentence = |condition: Option<&Condition>| {
            let comparison = condition.map(|condition| condition.explain(&value, now)).unwrap_or_default();
            format!("{name} {comparison}")
        };
        match (failure.and_then(Result::ok), success.and_then(Result::ok)) {
            (Some(Truth::True), _) => judged(Judgement::Failed, sentence(self.failure.as_ref())),
            (_, Some(Truth::True)) => judged(Judgement::Successful, sentence(self.success.as_ref())),
            (Some(Truth::NoData(why)), _) | (_, Some(Truth::NoData(why))) => judged(Judgement::NoData, why),
            (Some(Truth::False), Some(Truth::False)) => {
                judged(Judgement::Inconclusive, format!("{}, which is neither", sentence(self.success.as_ref())))
            }
            (Some(Truth::False), None) => judged(Judgement::Successful, sentence(self.failure.as_ref())),
            (None, _) => judged(Judgement::Failed, sentence(self.success.as_ref())),
        }
    }
}

fn read(path: FieldPath, source: Option<&str>) -> Result<Option<Condition>, Mistake> {
    let Some(source) = source.filter(|source| !source.trim().is_empty()) else {
        return Ok(None);
    };
    Condition::compile(source).map(Some).map_err(|mistake| in_field(path, source, &mistake))
}

/// A mistake in a condition as one of the field that holds it.
pub(crate) fn in_field(path: FieldPath, source: &str, mistake: &crate::condition::Mistake) -> Mistake {
    let place = if mistake.place.line > 1 { format!("line {}, ", mistake.place.line) } else { String::new() };
    let problem = format!("is not a condition, {place}column {}: {}", mistake.place.column, mistake.message);
    let mend = mistake.expected.clone().unwrap_or_else(|| "write one such as result[0] < 0.05".to_owned());
    Mistake::wrong(path, source, problem, mend)
}

/// The time that an expression such as `now() - duration("5m")` names.
pub(crate) fn time(expression: &str, now: Timestamp) -> Result<Timestamp, String> {
    let condition = Condition::compile(expression).map_err(|mistake| mistake.message)?;
    match condition.value(&Value::Nil, now) {
        Ok(Value::Date(time)) => Ok(time),
        Ok(other) => Err(format!("{expression:?} is {}, not a time; write now() - duration(\"5m\")", other.kind())),
        Err(problem) => Err(problem),
    }
}
