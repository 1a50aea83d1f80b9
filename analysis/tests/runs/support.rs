//! A run as a story: what its metrics measure, attempt by attempt, on a clock that jumps to whatever is next.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sluice_analysis::condition;
use sluice_analysis::provider::{Failure, Reading};
use sluice_analysis::run::{Answer, Outcome, Prepared, RunPlan, What, assess, plan};
use sluice_analysis::secrets::Secrets;
use sluice_crds::AnalysisRun;
use sluice_crds::analysis::{AnalysisRunStatus, MetricResult};

pub(crate) fn start() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().expect("a time")
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

/// A metric that is good below 0.05, bad above 0.1, and neither in between, with these fields besides.
pub(crate) fn metric(name: &str, more: Value) -> Value {
    let mut metric = json!({
        "name": name, "successCondition": "result[0] < 0.05", "failureCondition": "result[0] > 0.1",
        "provider": {"prometheus": {"address": "http://prometheus:9090", "query": "errors"}},
    });
    if let (Some(fields), Value::Object(more)) = (metric.as_object_mut(), more) {
        fields.extend(more);
    }
    metric
}

pub(crate) struct Story {
    pub(crate) run: AnalysisRun,
    prepared: Prepared,
    now: Timestamp,
    scripts: BTreeMap<String, Vec<char>>,
    /// When each metric was asked, in seconds from the start.
    pub(crate) asked: BTreeMap<String, Vec<i64>>,
}

impl Story {
    /// A run of these metrics; `more` are other fields of its spec.
    pub(crate) fn new(metrics: &[Value], more: Value) -> Self {
        let mut spec = json!({"metrics": metrics});
        if let (Some(fields), Value::Object(more)) = (spec.as_object_mut(), more) {
            fields.extend(more);
        }
        let run: AnalysisRun =
            serde_json::from_value(json!({"metadata": {"name": "run"}, "spec": spec})).expect("a run");
        let prepared = Prepared::new(&run, Secrets::default()).expect("a run without mistakes");
        Self { run, prepared, now: start(), scripts: BTreeMap::new(), asked: BTreeMap::new() }
    }

    /// What a metric measures, one letter an attempt: good, bad, inconclusive, an error, or nothing. The last one is
    /// measured again and again.
    pub(crate) fn script(mut self, metric: &str, letters: &str) -> Self {
        self.scripts.insert(metric.to_owned(), letters.chars().rev().collect());
        self
    }

    /// Runs until the verdict, or for so many seconds.
    pub(crate) fn play(mut self, seconds: i64) -> Self {
        let end = at(seconds);
        self.assess(Vec::new());
        loop {
            let plan = self.plan();
            if !plan.tasks.is_empty() {
                let answers = plan.tasks.iter().map(|task| self.answer(task.metric, &task.what)).collect();
                self.assess(answers);
                continue;
            }
            match plan.wake_at.filter(|wake_at| *wake_at <= end && !plan.finished) {
                Some(wake_at) => self.now = wake_at,
                None => return self,
            }
        }
    }

    pub(crate) fn terminate(mut self) -> Self {
        self.run.spec.terminate = Some(true);
        self
    }

    pub(crate) fn plan(&self) -> RunPlan {
        plan(&self.prepared, &self.run, &BTreeSet::new(), self.now)
    }

    fn assess(&mut self, answers: Vec<Answer>) {
        self.run.status = Some(assess(&self.prepared, &self.run, answers, self.now).status);
    }

    fn answer(&mut self, metric: usize, what: &What) -> Answer {
        assert!(matches!(what, What::Measure { .. }), "{what:?}");
        let name = self.prepared.metrics()[metric].metric.name.clone();
        let seconds = self.now.duration_since(start()).as_secs();
        self.asked.entry(name.clone()).or_default().push(seconds);
        let script = self.scripts.get_mut(&name).expect("a script");
        let letter = if script.len() > 1 { script.pop() } else { script.last().copied() };
        Answer { metric, asked_at: self.now, outcome: outcome(letter.expect("a letter")) }
    }

    pub(crate) fn status(&self) -> &AnalysisRunStatus {
        self.run.status.as_ref().expect("a status")
    }

    pub(crate) fn phase(&self) -> String {
        self.status().phase.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    pub(crate) fn message(&self) -> &str {
        self.status().message.as_deref().unwrap_or_default()
    }

    pub(crate) fn result(&self, metric: &str) -> &MetricResult {
        let mut results = self.status().metric_results.iter().flatten();
        results.find(|result| result.name == metric).unwrap_or_else(|| panic!("{metric} has no result"))
    }

    /// Seconds from the start to the end.
    pub(crate) fn took(&self) -> Option<i64> {
        Some(self.status().completed_at.as_ref()?.0.duration_since(start()).as_secs())
    }
}

pub(crate) fn outcome(letter: char) -> Outcome {
    let numbers = match letter {
        'g' => vec![0.01],
        'b' => vec![0.2],
        'i' => vec![0.07],
        'n' => vec![],
        'e' => return Outcome::Failure(Failure("HTTP 503".to_owned())),
        other => panic!("{other} means nothing"),
    };
    let shown = format!("{numbers:?}");
    Outcome::Reading(Reading { value: Some(condition::Value::from(numbers)), shown, metadata: BTreeMap::new() })
}
