//! The AnalysisRuns' controller: what is due is measured at once, and judged by the product's own judge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use sluice_analysis::provider::http::HttpAnswer;
use sluice_analysis::provider::{Failure, read};
use sluice_analysis::run::{self, Answer, Outcome, Prepared, What, assess};
use sluice_analysis::secrets::Secrets;
use sluice_crds::AnalysisRun;
use sluice_sandbox::Cluster;
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::Request;
use sluice_sandbox::world::Object;

use crate::story::Answers;

/// What it knows of a run.
struct Known {
    prepared: Option<Prepared>,
    revision: u64,
    wake_at: Option<Timestamp>,
}

/// Its memory.
#[derive(Default)]
pub(crate) struct Runs(BTreeMap<String, Known>);

impl Runs {
    /// Looks after all runs. Says whether anything was written.
    pub(crate) fn look(&mut self, cluster: &mut Cluster, answers: Answers) -> bool {
        let runs = cluster.world().list("argoproj.io", "analysisruns", "default");
        let mut wrote = false;
        for object in &runs {
            wrote |= self.look_at(cluster, object, answers);
        }
        wrote
    }

    /// When the next measurement is due.
    pub(crate) fn next_wake(&self) -> Option<Timestamp> {
        self.0.values().filter_map(|known| known.wake_at).min()
    }

    fn look_at(&mut self, cluster: &mut Cluster, object: &Arc<Object>, answers: Answers) -> bool {
        let now = cluster.now();
        let known = self.0.get(object.uid());
        if known.is_some_and(|known| known.revision == object.revision() && known.wake_at.is_none_or(|at| at > now)) {
            return false;
        }
        let run = AnalysisRun::deserialize(object.value()).expect("an AnalysisRun");
        let prepared = known.is_none().then(|| Prepared::new(&run, Secrets::default()));
        let known =
            self.0.entry(object.uid().to_owned()).or_insert(Known { prepared: None, revision: 0, wake_at: None });
        known.revision = object.revision();
        known.wake_at = None;
        let status = match prepared {
            Some(Err(mistakes)) => run::refuse(&run, &mistakes, now),
            Some(Ok(prepared)) => {
                known.prepared = Some(prepared);
                return self.measure(cluster, object, run, answers);
            }
            None => return self.measure(cluster, object, run, answers),
        };
        write(cluster, object, &json!(status))
    }

    fn measure(&mut self, cluster: &mut Cluster, object: &Arc<Object>, mut run: AnalysisRun, answers: Answers) -> bool {
        let now = cluster.now();
        let Some(known) = self.0.get_mut(object.uid()) else { return false };
        let Some(prepared) = &known.prepared else { return false };
        let before = run.status.clone();
        run.status = Some(assess(prepared, &run, Vec::new(), now).status);
        loop {
            let plan = run::plan(prepared, &run, &BTreeSet::new(), now);
            known.wake_at = plan.wake_at.filter(|at| *at > now && !plan.finished);
            let due = plan.tasks.iter().filter(|task| matches!(task.what, What::Measure { .. }));
            let measured: Vec<Answer> = due
                .map(|task| {
                    let metric = &prepared.metrics()[task.metric].metric;
                    let reading = said(answers).and_then(|answer| read(metric, &answer));
                    let outcome = reading.map_or_else(Outcome::Failure, Outcome::Reading);
                    Answer { metric: task.metric, asked_at: now, outcome }
                })
                .collect();
            if measured.is_empty() {
                break;
            }
            run.status = Some(assess(prepared, &run, measured, now).status);
        }
        run.status != before && write(cluster, object, &json!(run.status))
    }
}

/// What Prometheus answers.
fn said(answers: Answers) -> Result<HttpAnswer, Failure> {
    let one = |value: &str| json!([{"metric": {}, "value": [0, value]}]);
    let result = match answers {
        Answers::Good => one("0.001"),
        Answers::Between => one("0.03"),
        Answers::Bad => one("0.4"),
        Answers::NotANumber => one("NaN"),
        Answers::Silent => json!([]),
        Answers::Broken => return Err(Failure("no answer from http://prometheus".to_owned())),
    };
    let body = json!({"status": "success", "data": {"resultType": "vector", "result": result}});
    Ok(HttpAnswer { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() })
}

fn write(cluster: &mut Cluster, object: &Object, status: &Value) -> bool {
    let path = format!("/apis/argoproj.io/v1alpha1/namespaces/default/analysisruns/{}", object.name());
    let operations = json!([{"op": "add", "path": "/status", "value": status}]);
    let response =
        cluster.handle(&Request::patch(&path, "application/json-patch+json", &operations).as_user(User::admin()));
    response.status < 300
}
