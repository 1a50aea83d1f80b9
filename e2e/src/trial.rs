//! A template tried out: its run is planned and judged by the pure crate and asks a real server, on a clock of its own
//! that goes faster than the wall's, so that five minutes of checks take some seconds.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use bytes::Bytes;
use futures::future::join_all;
use http::{Request, Uri};
use http_body_util::Full;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sluice_analysis::args::{RolloutFacts, Templates, new_run};
use sluice_analysis::provider::http::{HttpAnswer, HttpRequest};
use sluice_analysis::provider::{Failure, Question, Reading, Settings, question, read};
use sluice_analysis::run::{Answer, Outcome, Prepared, PreparedMetric, Task, What, assess, plan};
use sluice_analysis::secrets::Secrets;
use sluice_crds::analysis::AnalysisRunStatus;
use sluice_crds::mistake::{FieldPath, Mistake};
use sluice_crds::{AnalysisRun, AnalysisTemplate};
use tokio::time::Instant;

use crate::promql::server::ask_at;

/// Seconds of a run in one second of the wall's clock: five minutes are fifteen seconds.
const SPEED: u32 = 20;
/// No run of a template takes longer, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(120);

/// A run that is about to begin.
#[derive(Debug)]
pub struct Trial {
    run: AnalysisRun,
    prepared: Prepared,
}

impl Trial {
    /// The run that a Rollout would get that names this template with these arguments.
    pub fn of(file: &Path, args: &[(&str, &str)]) -> Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        let template: AnalysisTemplate = serde_saphyr::from_str(&text)?;
        let name = template.metadata.name.as_deref().context("the template has no name")?;
        let args: Vec<_> = args.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let analysis = serde_json::from_value(json!({"templates": [{"templateName": name}], "args": args}))?;
        let mut templates = Templates::default();
        templates.insert(name, &template.spec);
        let facts = RolloutFacts { rollout: &json!({}), stable_hash: "old", latest_hash: "new" };
        let spec = new_run(&FieldPath::of("spec.strategy.canary.analysis"), &analysis, &templates, facts);
        let run = AnalysisRun::new("trial", spec.map_err(|mistakes| told(&mistakes))?);
        let prepared = Prepared::new(&run, Secrets::default()).map_err(|mistakes| told(&mistakes))?;
        Ok(Self { run, prepared })
    }

    /// Measures until the verdict; `seen` is shown the status after each change.
    pub async fn judged(self, seen: impl FnMut(&AnalysisRunStatus)) -> Result<AnalysisRunStatus> {
        tokio::time::timeout(PATIENCE, self.measured(seen)).await.context("the run has no verdict")?
    }

    async fn measured(mut self, mut seen: impl FnMut(&AnalysisRunStatus)) -> Result<AnalysisRunStatus> {
        let clock = FastClock::new();
        let mut answers = Vec::new();
        loop {
            let status = assess(&self.prepared, &self.run, answers, clock.now()).status;
            seen(&status);
            self.run.status = Some(status.clone());
            let plan = plan(&self.prepared, &self.run, &BTreeSet::new(), clock.now());
            if plan.finished {
                return Ok(status);
            }
            if plan.tasks.is_empty() {
                clock.until(plan.wake_at.context("nothing would ever happen again")?).await;
            }
            answers = join_all(plan.tasks.iter().map(|task| self.answer(task, &clock))).await;
        }
    }

    async fn answer(&self, task: &Task, clock: &FastClock) -> Answer {
        let asked_at = clock.now();
        let outcome = match (&task.what, self.prepared.metrics().get(task.metric)) {
            (What::Measure { .. }, Some(metric)) => self.measure(metric).await,
            _ => Err(Failure("only measurements are tried here".to_owned())),
        };
        Answer { metric: task.metric, asked_at, outcome: outcome.map_or_else(Outcome::Failure, Outcome::Reading) }
    }

    /// The server lives by the wall's clock.
    async fn measure(&self, metric: &PreparedMetric) -> Result<Reading, Failure> {
        let asked = question(&metric.metric, self.prepared.secrets(), &Settings::default(), Timestamp::now())?;
        let Question::Http(request) = asked else {
            return Err(Failure("only questions over HTTP are tried here".to_owned()));
        };
        let answer = send(&request).await.map_err(|problem| Failure(format!("not answered: {problem:#}")))?;
        read(&metric.metric, &answer)
    }
}

async fn send(request: &HttpRequest) -> Result<HttpAnswer> {
    let url: Uri = request.url.parse()?;
    let authority = url.authority().context("no host")?.as_str();
    let target = url.path_and_query().context("no path")?.as_str();
    let mut builder = Request::builder().method(request.method.as_str()).uri(target);
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    let answer = ask_at(authority, builder.body(Full::new(Bytes::from(request.body.clone())))?).await?;
    let (status, body) = (answer.status().as_u16(), answer.into_body().to_vec());
    if body.is_empty() {
        bail!("an empty answer");
    }
    Ok(HttpAnswer { status, headers: Vec::new(), body })
}

fn told(mistakes: &[Mistake]) -> anyhow::Error {
    anyhow!(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

/// Begins with the wall's time, and goes faster.
struct FastClock {
    start: Timestamp,
    began: Instant,
}

impl FastClock {
    fn new() -> Self {
        Self { start: Timestamp::now(), began: Instant::now() }
    }

    fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.began.elapsed() * SPEED).unwrap_or(SignedDuration::MAX);
        self.start.saturating_add(passed).unwrap_or(Timestamp::MAX)
    }

    async fn until(&self, time: Timestamp) {
        let from_start = time.duration_since(self.start).unsigned_abs();
        tokio::time::sleep_until(self.began + from_start / SPEED).await;
    }
}
