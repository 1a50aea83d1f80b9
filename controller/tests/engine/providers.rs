//! The servers that measure: the sandbox's metrics backend under every name, and one that is slow.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use jiff::SignedDuration;
use sluice_analysis::provider::Failure;
use sluice_analysis::provider::http::{HttpAnswer, HttpRequest};
use sluice_controller::{Measuring, Transport};
use sluice_sandbox::api::request::Request;
use sluice_sandbox::doors::Door;
use sluice_sandbox::metrics::Labels;

use crate::router::{ROUTER, VERSION};

/// Asked for at this host, an answer takes so long.
const SLOW_HOST: &str = "slow.example.com";
const SLOW: Duration = Duration::from_secs(25);

/// All of them.
#[derive(Clone)]
pub(crate) struct Providers {
    door: Door,
    asked: Arc<Mutex<Vec<HttpRequest>>>,
    router: Arc<Mutex<VecDeque<Version>>>,
    plugin: Arc<Mutex<VecDeque<Plugin>>>,
}

/// Where the one step plugin is.
const PLUGIN: &str = "http://plugin.example.com/step";

/// What a step plugin does with a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Plugin {
    /// A status and a body.
    Answers(u16, &'static str),
    /// Nothing, for longer than anybody waits.
    Silent,
}

/// Who answers a request through the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    Named(&'static str),
    /// The router itself, which has no version.
    Nobody,
    /// Nobody, for longer than anybody waits.
    Silent,
}

impl Providers {
    pub(crate) fn of(door: Door) -> Self {
        Self { door, asked: Arc::default(), router: Arc::default(), plugin: Arc::default() }
    }

    pub(crate) fn measuring() -> Measuring {
        Measuring { prometheus_address: "http://prometheus:9090".to_owned(), ..Measuring::default() }
    }

    pub(crate) fn transport(&self) -> Transport {
        let providers = self.clone();
        Arc::new(move |request| providers.clone().answer(request).boxed())
    }

    /// How many requests were sent since this was last asked.
    pub(crate) fn take_asked(&self) -> Vec<HttpRequest> {
        std::mem::take(&mut self.asked.lock().expect("no panic"))
    }

    /// Requests through the router are answered by these in turn.
    pub(crate) fn answer_with(&self, versions: VecDeque<Version>) {
        *self.router.lock().expect("no panic") = versions;
    }

    /// The plugin that the controllers know.
    pub(crate) fn step_plugins() -> BTreeMap<String, String> {
        BTreeMap::from([("team/checks".to_owned(), PLUGIN.to_owned())])
    }

    /// Calls of the plugin are answered by these in turn, and then by the last one.
    pub(crate) fn plugin_answers(&self, answers: &[Plugin]) {
        *self.plugin.lock().expect("no panic") = answers.iter().copied().collect();
    }

    /// From now on `metric` has this value.
    pub(crate) fn sample(&self, metric: &str, value: f64) {
        let now = self.door.now();
        self.door.with_cluster(|cluster| cluster.metrics_mut().store_mut().push(Labels::of(metric, &[]), now, value));
    }

    /// Nobody answers, until they are back.
    pub(crate) fn gone(&self, gone: bool) {
        self.door.with_cluster(|cluster| cluster.metrics_mut().faults_mut().gone = gone);
    }

    async fn routed(self) -> Result<HttpAnswer, Failure> {
        let version = {
            let mut versions = self.router.lock().expect("no panic");
            versions.rotate_left(1);
            *versions.back().expect("somebody answers")
        };
        tokio::time::sleep(if version == Version::Silent { SLOW } else { Duration::from_millis(3) }).await;
        // Names of headers come in small letters over the network.
        let name = |name: &str| (VERSION.to_ascii_lowercase(), name.to_owned());
        let headers = if let Version::Named(version) = version { vec![name(version)] } else { Vec::new() };
        Ok(HttpAnswer { status: 200, headers, body: Vec::new() })
    }

    async fn plugged_in(self) -> Result<HttpAnswer, Failure> {
        let answer = {
            let mut answers = self.plugin.lock().expect("no panic");
            let next = *answers.front().expect("the plugin answers");
            if answers.len() > 1 {
                answers.pop_front();
            }
            next
        };
        match answer {
            Plugin::Silent => {
                tokio::time::sleep(SLOW).await;
                Err(Failure("not answered".to_owned()))
            }
            Plugin::Answers(status, body) => {
                tokio::time::sleep(Duration::from_millis(3)).await;
                Ok(HttpAnswer { status, headers: Vec::new(), body: body.as_bytes().to_vec() })
            }
        }
    }

    async fn answer(self, request: HttpRequest) -> Result<HttpAnswer, Failure> {
        self.asked.lock().expect("no panic").push(request.clone());
        if request.url == ROUTER {
            return self.routed().await;
        }
        if request.url == PLUGIN {
            return self.plugged_in().await;
        }
        let (_, rest) = request.url.split_once("://").expect("a whole address");
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        // No answer is there before the question, also where time stands still.
        tokio::time::sleep(if host == SLOW_HOST { SLOW } else { Duration::from_millis(3) }).await;
        let sent = Request {
            method: request.method.as_str().to_owned(),
            path: path.to_owned(),
            query: String::new(),
            // As they come over HTTP.
            headers: request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect(),
            body: request.body.clone().into(),
            user: None,
        };
        let answer = self.door.with_cluster(|cluster| cluster.ask_metrics(&sent)).expect("a whole cluster");
        assert_eq!(answer.after, SignedDuration::ZERO);
        let response = answer.response.ok_or_else(|| Failure("not answered: connection refused".to_owned()))?;
        Ok(HttpAnswer {
            status: response.status,
            headers: response.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            body: response.json_body().to_string().into_bytes(),
        })
    }
}
