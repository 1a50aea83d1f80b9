//! From the answer of a metrics server to what it does to the release, with 1,000 other Rollouts present.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::FutureExt;
use kube::Client;
use serde_json::json;
use sluice_analysis::provider::http::{HttpAnswer, HttpRequest};
use sluice_controller::{Clock, Controller, ShutdownHandle, Transport};
use sluice_sandbox::api::request::Request;
use sluice_sandbox::doors::{Clock as DoorClock, Door};
use tokio::sync::{Notify, oneshot};

use crate::figure::Figure;
use crate::fleet::{Model, ROLLOUTS, alone, ask, server};
use crate::watched::{Watched, Writes};

const OTHERS: usize = 1_000;
const JUDGED: usize = 150;
const TEMPLATES: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/analysistemplates";

pub(crate) fn measure() -> anyhow::Result<Vec<Figure>> {
    let healthy = Model::released(3, false)?;
    let to_release = times(&healthy, &Model::released(3, true)?, |name, path| {
        let (whole, part) = (format!("/{name}/"), format!("/{name}-"));
        !path.contains("/analysisruns/") && (path.contains(&whole) || path.contains(&part))
    })?;
    let to_router = times(&healthy, &Model::routed()?, |name, path| path.contains(&format!("/ingresses/{name}-")))?;
    let at = |times: &[Duration], percent: usize| {
        times[(times.len() * percent / 100).min(times.len() - 1)].as_secs_f64() * 1e3
    };
    Ok(vec![
        Figure::new("from an answer over the run's status to the Rollout, median", at(&to_release, 50), "ms"),
        Figure::new("the same, 99th percentile", at(&to_release, 99), "ms").at_most(5.0),
        Figure::new("from an answer to weight 0 at the router, median", at(&to_router, 50), "ms"),
        Figure::new("the same, 99th percentile", at(&to_router, 99), "ms").at_most(20.0),
    ])
}

/// How long it takes from an answer to the first write whose path concerns the Rollout that waits, shortest first.
fn times(healthy: &Model, waiting: &Model, concerns: fn(&str, &str) -> bool) -> anyhow::Result<Vec<Duration>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut times = runtime.block_on(async {
        let door = server(&[(healthy, "other", OTHERS), (waiting, "shop", JUDGED)], DoorClock::wall())?;
        ask(&door, Request::post(TEMPLATES, &template()))?;
        let (handle, shutdown) = ShutdownHandle::new();
        let watched = Watched::new(door.clone());
        let questions = Arc::new(Questions::default());
        let client = Client::new(watched.clone(), "default");
        let controller = Controller::new(client, alone(), Clock::wall()).asking_through(transport(&questions));
        let running = tokio::spawn(controller.run(handle.clone(), shutdown));
        watched.writes.quiet().await;
        let times = judge_each(&door, &watched.writes, &questions, concerns).await?;
        handle.begin();
        running.await??;
        anyhow::Ok(times)
    })?;
    times.sort();
    Ok(times)
}

async fn judge_each(
    door: &Door,
    writes: &Writes,
    questions: &Questions,
    concerns: fn(&str, &str) -> bool,
) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    for number in 0..JUDGED {
        let name = format!("shop-{number}");
        let analysis =
            json!({"templates": [{"templateName": "errors"}], "args": [{"name": "shop", "value": format!("{name}.")}]});
        let change = json!({"spec": {"strategy": {"canary": {"analysis": analysis}}}});
        ask(door, Request::patch(&format!("{ROLLOUTS}/{name}"), "application/merge-patch+json", &change))?;
        let question = tokio::time::timeout(Duration::from_secs(10), questions.next(&name)).await;
        let question = question.with_context(|| {
            let rollout = ask(door, Request::get(&format!("{ROLLOUTS}/{name}"))).unwrap_or_default();
            format!("nothing was asked for {name}: {} {}", rollout["status"]["message"], rollout["status"]["why"])
        })?;
        writes.quiet().await;
        let answered = Instant::now();
        let _asked_still = question.send(());
        let written = tokio::time::timeout(Duration::from_secs(10), writes.next(|path| concerns(&name, path))).await;
        let written = written.with_context(|| format!("nothing was written for {name}"))?;
        times.push(written.saturating_duration_since(answered));
        writes.quiet().await;
    }
    Ok(times)
}

/// Questions that wait for their answer, by what is asked about.
#[derive(Default)]
struct Questions {
    open: Mutex<BTreeMap<String, oneshot::Sender<()>>>,
    stirred: Notify,
}

impl Questions {
    async fn next(&self, name: &str) -> oneshot::Sender<()> {
        loop {
            let found = self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
            match found {
                Some(question) => return question,
                None => self.stirred.notified().await,
            }
        }
    }
}

/// A server that answers, when it is told to, that there are too many errors.
fn transport(questions: &Arc<Questions>) -> Transport {
    let questions = Arc::clone(questions);
    Arc::new(move |request: HttpRequest| {
        let (sender, told) = oneshot::channel();
        let text = format!("{} {}", request.url, request.body);
        let name = text.split_once("shop-").and_then(|(_, rest)| rest.split_once('.')).map(|(number, _)| number);
        let name = format!("shop-{}", name.unwrap_or_default());
        questions.open.lock().unwrap_or_else(PoisonError::into_inner).insert(name, sender);
        questions.stirred.notify_one();
        async move {
            let _told = told.await;
            let result = json!([{"metric": {}, "value": [1_767_225_600.0, "0.5"]}]);
            let body = json!({"status": "success", "data": {"resultType": "vector", "result": result}});
            Ok(HttpAnswer { status: 200, body: body.to_string().into_bytes(), ..HttpAnswer::default() })
        }
        .boxed()
    })
}

fn template() -> serde_json::Value {
    let query = json!({"prometheus": {"address": "http://prometheus:9090", "query": "errors{shop=\"{{args.shop}}\"}"}});
    let metric = json!({"name": "errors", "interval": "1h", "failureCondition": "result[0] > 0.1", "provider": query});
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": "errors"},
        "spec": {"args": [{"name": "shop"}], "metrics": [metric]},
    })
}
