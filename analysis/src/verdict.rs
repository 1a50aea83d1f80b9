//! The verdict on one measurement: what a metric's conditions say about a value.

use jiff::Timestamp;
use sluice_crds::analysis::{AnalysisPhase, Metric};
use sluice_crds::mistake::{FieldPath, Mistake};

use crate::condition::{Condition, Outcome, Value};
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
        if self.success.is_none() && self.failure.is_none() {
            return match reading.value {
                Some(_) => judged(Judgement::Successful, format!("{name} is {}, without a condition", reading.shown)),
                None => judged(Judgement::NoData, NO_VALUE.to_owned()),
            };
        }
        let (failure, success) = match (
            Said::by("failureCondition", self.failure.as_ref(), reading, now),
            Said::by("successCondition", self.success.as_ref(), reading, now),
        ) {
            (Ok(failure), Ok(success)) => (failure, success),
            (Err(problem), _) | (_, Err(problem)) => return judged(Judgement::Error, problem),
        };
        let told = |condition: Option<&Condition>| sentence(name, condition, reading, now);
        match (failure, success) {
            (Said::Yes, _) => judged(Judgement::Failed, told(self.failure.as_ref())),
            (_, Said::Yes) => judged(Judgement::Successful, told(self.success.as_ref())),
            (Said::NoData(why), _) | (_, Said::NoData(why)) => judged(Judgement::NoData, why),
            (Said::No, Said::No) => {
                judged(Judgement::Inconclusive, format!("{}: neither good nor bad", told(self.success.as_ref())))
            }
            (Said::No, Said::NotAsked) => judged(Judgement::Successful, told(self.failure.as_ref())),
            (Said::NotAsked, _) => judged(Judgement::Failed, told(self.success.as_ref())),
        }
    }
}

const NO_VALUE: &str = "the answer has no value";

/// What one condition says.
enum Said {
    NotAsked,
    Yes,
    No,
    NoData(String),
}

impl Said {
    fn by(field: &str, condition: Option<&Condition>, reading: &Reading, now: Timestamp) -> Result<Self, String> {
        let Some(condition) = condition else {
            return Ok(Self::NotAsked);
        };
        match condition.judge(reading.value.as_ref().unwrap_or(&Value::Nil), now) {
            Ok(Outcome::True) => Ok(Self::Yes),
            Ok(Outcome::False) => Ok(Self::No),
            Ok(Outcome::NoData(gap)) => Ok(Self::NoData(gap.to_string())),
            // Without a value, a condition that can't cope with that has nothing to say.
            Err(_) if reading.value.is_none() => Ok(Self::NoData(NO_VALUE.to_owned())),
            Err(failure) => Err(format!("{field}, {failure}")),
        }
    }
}

/// The comparison that decided, such as `error-rate 0.027 > 0.01`; the whole value where no single one did.
fn sentence(name: &str, condition: Option<&Condition>, reading: &Reading, now: Timestamp) -> String {
    let value = reading.value.as_ref().unwrap_or(&Value::Nil);
    match condition.and_then(|condition| condition.explain(value, now)) {
        Some(comparison) => format!("{name} {comparison}"),
        None => format!("{name} is {}", reading.shown),
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

/// The time that an expression such as `now() - duration("5m")` names. Conditions compare, so it is compared, and what
/// stood on the left is looked at.
pub(crate) fn time(expression: &str, now: Timestamp) -> Result<Timestamp, String> {
    let wanted = || format!("{expression:?} names no time; write now() - duration(\"5m\")");
    let condition = Condition::compile(&format!("({expression}\n) <= now()")).map_err(|mistake| mistake.message)?;
    match condition.explain(&Value::Nil, now).map(|comparison| comparison.left) {
        Some(Value::Date(time)) => Ok(time),
        Some(_) | None => Err(wanted()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn judge(success: &str, failure: &str, value: Option<Value>, shown: &str) -> (Judgement, String) {
        let metric = Metric {
            success_condition: Some(success.to_owned()),
            failure_condition: Some(failure.to_owned()),
            ..Metric::default()
        };
        let conditions = Conditions::compile(&FieldPath::root(), &metric).expect("good conditions");
        let reading = Reading { value, shown: shown.to_owned(), metadata: BTreeMap::new() };
        let judged = conditions.judge("rate", &reading, Timestamp::UNIX_EPOCH);
        (judged.judgement, judged.message)
    }

    #[test]
    fn a_value_is_judged_by_the_conditions_that_there_are() {
        use Judgement::{Error, Failed, Inconclusive, NoData, Successful};
        let list = |numbers: &[f64]| Some(Value::from(numbers.to_vec()));
        let (good, bad) = ("result[0] < 0.05", "result[0] > 0.1");
        let nan = f64::NAN;
        let rows = [
            // Neither condition.
            ("", "", list(&[0.5]), Successful, "rate is X, without a condition"),
            ("", "", None, NoData, "the answer has no value"),
            // Only one of them.
            (good, "", list(&[0.01]), Successful, "rate 0.01 < 0.05"),
            (good, "", list(&[0.2]), Failed, "rate 0.2 is not < 0.05"),
            ("", bad, list(&[0.2]), Failed, "rate 0.2 > 0.1"),
            ("", bad, list(&[0.01]), Successful, "rate 0.01 is not > 0.1"),
            // Both: failure is asked first, and between them nobody can say.
            (good, bad, list(&[0.2]), Failed, "rate 0.2 > 0.1"),
            (good, bad, list(&[0.01]), Successful, "rate 0.01 < 0.05"),
            (good, bad, list(&[0.07]), Inconclusive, "rate 0.07 is not < 0.05: neither good nor bad"),
            ("result[0] < 1", bad, list(&[0.2]), Failed, "rate 0.2 > 0.1"),
            // What the conditions say about absence is the user's policy.
            ("len(result) == 0 || result[0] < 0.05", bad, list(&[]), Successful, "rate 0 == 0"),
            ("isNaN(result[0]) || result[0] < 0.05", "", list(&[nan]), Successful, "rate is X"),
            ("isNil(result) || result < 0.05", "", None, Successful, "rate is X"),
            ("default(result, 0) > 5", "", None, Failed, "rate 0 is not > 5"),
            // A condition that can't be judged is an error, whatever the other one says.
            ("result.ok", bad, list(&[0.2]), Error, ""),
        ];
        for (success, failure, value, judgement, sentence) in rows {
            let (found, message) = judge(success, failure, value, "X");
            assert_eq!(found, judgement, "{success} / {failure}: {message}");
            if !sentence.is_empty() {
                assert_eq!(message, sentence, "{success} / {failure}");
            }
        }
    }

    #[test]
    fn no_data_is_neither_good_nor_bad() {
        let list = |numbers: &[f64]| Some(Value::from(numbers.to_vec()));
        let (good, bad) = ("result[0] < 0.05", "result[0] > 0.1");
        for (success, failure) in [(good, ""), ("", bad), (good, bad), ("result < 1", "")] {
            for value in [list(&[]), list(&[f64::NAN]), None] {
                if success == "result < 1" && value.is_some() {
                    continue;
                }
                let (judgement, message) = judge(success, failure, value.clone(), "X");
                assert_eq!(judgement, Judgement::NoData, "{success} / {failure} of {value:?}: {message}");
                assert_eq!(judgement.phase(), AnalysisPhase::Error);
            }
        }
    }

    #[test]
    fn times_are_named_by_expressions() {
        let now: Timestamp = "2026-01-01T12:00:00Z".parse().expect("a time");
        let rows = [
            ("now()", Ok("2026-01-01T12:00:00Z")),
            ("now() - duration(\"5m\")", Ok("2026-01-01T11:55:00Z")),
            ("5", Err(())),
            ("now() -", Err(())),
            ("now()) || (now()", Err(())),
        ];
        for (expression, expected) in rows {
            let found = time(expression, now).map(|time| time.to_string()).map_err(|_| ());
            assert_eq!(found.as_deref(), expected.as_ref().map(|time| *time), "{expression}");
        }
    }
}
