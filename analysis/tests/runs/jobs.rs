//! Jobs as measurements: begun, looked after, ended with their run, deleted with their measurement.

use std::collections::BTreeSet;

use serde_json::json;
use sluice_analysis::provider::job::{self, JobRef};
use sluice_analysis::run::{Answer, Outcome, Prepared, Task, What, assess, plan};
use sluice_analysis::secrets::Secrets;
use sluice_crds::AnalysisRun;
use sluice_crds::analysis::AnalysisPhase;

use crate::support::{at, metric, outcome};

fn run_with_a_job(more: serde_json::Value) -> (AnalysisRun, Prepared) {
    let pod = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "curl:1"}]}});
    let mut smoke = json!({"name": "smoke", "provider": {"job": {"spec": {"template": pod}}}});
    if let (Some(fields), serde_json::Value::Object(more)) = (smoke.as_object_mut(), more) {
        fields.extend(more);
    }
    let metrics = json!([smoke, metric("errors", json!({"interval": "10s"}))]);
    let run = json!({"metadata": {"name": "run", "namespace": "shop"}, "spec": {
        "metrics": metrics, "measurementRetention": [{"metricName": "smoke", "limit": 1}],
    }});
    let run: AnalysisRun = serde_json::from_value(run).expect("a run");
    let prepared = Prepared::new(&run, Secrets::default()).expect("no mistakes");
    (run, prepared)
}

fn job_ref(attempt: usize) -> JobRef {
    JobRef { namespace: "shop".to_owned(), name: format!("smoke.{attempt}") }
}

fn pass(run: &mut AnalysisRun, prepared: &Prepared, answers: Vec<(usize, Outcome)>, seconds: i64) -> Vec<JobRef> {
    let answer = |(metric, outcome)| Answer { metric, asked_at: at(seconds), outcome };
    let assessment = assess(prepared, run, answers.into_iter().map(answer).collect(), at(seconds));
    run.status = Some(assessment.status);
    assessment.dropped_jobs
}

#[test]
fn a_job_is_begun_looked_after_and_its_end_is_the_verdict() {
    let (mut run, prepared) = run_with_a_job(json!({}));
    pass(&mut run, &prepared, vec![(0, job::begun(&job_ref(1), at(0))), (1, outcome('g'))], 0);
    let due = plan(&prepared, &run, &BTreeSet::new(), at(4));
    assert_eq!((due.tasks, due.wake_at), (vec![], Some(at(5))));
    let due = plan(&prepared, &run, &BTreeSet::from([1]), at(5));
    assert_eq!(due.tasks, [Task { metric: 0, what: What::Resume(job_ref(1)) }]);
    let complete = json!({"status": {"conditions": [{"type": "Complete", "status": "True"}]}});
    let outcome = job::parse(&job_ref(1), &complete, &[], at(0), at(60));
    pass(&mut run, &prepared, vec![(0, outcome)], 60);
    let status = run.status.clone().expect("a status");
    let smoke = &status.metric_results.as_ref().expect("results")[0];
    assert_eq!(smoke.phase, Some(AnalysisPhase::Successful));
    assert_eq!(
        serde_json::to_value(&smoke.measurements).expect("JSON"),
        json!([{
            "phase": "Successful", "message": "the Job completed",
            "startedAt": "2026-01-01T12:00:00Z", "finishedAt": "2026-01-01T12:01:00Z",
            "metadata": {"job-name": "smoke.1", "job-namespace": "shop"},
        }])
    );
}

#[test]
fn a_job_that_nobody_waits_for_any_more_is_ended_before_the_run_is() {
    let (mut run, prepared) = run_with_a_job(json!({}));
    pass(&mut run, &prepared, vec![(0, job::begun(&job_ref(1), at(0))), (1, outcome('b'))], 0);
    assert_eq!(run.status.as_ref().and_then(|status| status.phase.clone()), Some(AnalysisPhase::Running));
    let due = plan(&prepared, &run, &BTreeSet::new(), at(0));
    assert_eq!(due.tasks, [Task { metric: 0, what: What::Stop(job_ref(1)) }]);
    pass(&mut run, &prepared, vec![(0, job::ended(&job_ref(1)))], 0);
    let status = run.status.expect("a status");
    assert_eq!((status.phase, status.completed_at.is_some()), (Some(AnalysisPhase::Failed), true));
}

#[test]
fn jobs_of_measurements_that_are_no_longer_kept_are_deleted() {
    let (mut run, prepared) = run_with_a_job(json!({"count": 3, "interval": "10s"}));
    let complete = json!({"status": {"conditions": [{"type": "Complete", "status": "True"}]}});
    let outcome = |attempt| job::parse(&job_ref(attempt), &complete, &[], at(0), at(0));
    assert_eq!(pass(&mut run, &prepared, vec![(0, outcome(1))], 0), []);
    assert_eq!(pass(&mut run, &prepared, vec![(0, outcome(2))], 10), [job_ref(1)]);
}

#[test]
fn a_job_that_somebody_deleted_is_run_again() {
    let (mut run, prepared) = run_with_a_job(json!({}));
    pass(&mut run, &prepared, vec![(0, job::begun(&job_ref(1), at(0)))], 0);
    pass(&mut run, &prepared, vec![(0, job::gone(&job_ref(1)))], 7);
    let due = plan(&prepared, &run, &BTreeSet::from([1]), at(17));
    assert_eq!(due.tasks, [Task { metric: 0, what: What::Measure { attempt: 2 } }]);
}
