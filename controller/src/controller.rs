//! The whole controller: starts every task, and ends when all have ended.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use sluice_planner::engine::{Jitter, Moment, Pace};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::cache::Watched;
use crate::clock::Clock;
use crate::critic;
use crate::dispatch;
use crate::election::{Election, ElectionSettings};
use crate::experiments::ExperimentPasses;
use crate::fence::Fence;
use crate::hub::Hub;
use crate::informer::{self, Selection};
use crate::line;
use crate::metrics::Metrics;
use crate::pass::{Decide, Passes};
use crate::plugins::Caller;
use crate::recorder::recorder;
use crate::requests::Requests;
use crate::routing::{self, Prober, RouteWatches};
use crate::runs::{Desk, Measuring, Providers, RunPasses, Transport, for_probes, over_network};
use crate::shutdown::{Shutdown, ShutdownHandle};
use crate::web;

/// How the controller is to run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The one namespace to look at; empty for all.
    pub namespace: String,
    /// Only Rollouts with this instance id; empty for those without one.
    pub instance_id: String,
    /// How the one replica that writes is found; `None` where there is only one.
    pub election: Option<ElectionSettings>,
    /// Requests a second, and how many at once after a quiet time. Watches and the lease don't count.
    pub qps: f64,
    /// See `qps`.
    pub burst: u32,
    /// How many passes may be under way at the same time.
    pub passes_at_once: usize,
    /// How often each Rollout is looked at although nothing changed.
    pub resync: Duration,
    /// Decides all jitter.
    pub seed: u64,
}

/// Where the pages are served; `None` for nowhere.
#[derive(Debug, Default)]
pub struct Pages {
    /// `/healthz`, `/livez` and `/readyz`.
    pub health: Option<TcpListener>,
    /// `/metrics`.
    pub metrics: Option<TcpListener>,
}

/// Why the controller ended although nobody asked it to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A bug: the parts that are left can't do the work alone, so all end and whoever started us starts us anew.
    #[error("the task `{0}` ended early")]
    TaskEnded(&'static str),
    /// A bug, likewise.
    #[error("a task panicked: {0}")]
    TaskPanicked(String),
}

/// A controller that is ready to run.
pub struct Controller {
    client: Client,
    settings: Settings,
    clock: Clock,
    decide: Decide,
    measuring: Measuring,
    transport: Option<Transport>,
    plugins: BTreeMap<String, String>,
    pages: Pages,
}

/// No request that writes lasts longer, whatever the lease's times allow.
const LONGEST_REQUEST: Duration = Duration::from_secs(5);

impl Controller {
    /// A controller that decides with [`sluice_planner::plan`].
    pub fn new(client: Client, settings: Settings, clock: Clock) -> Self {
        Self {
            client,
            settings,
            clock,
            decide: sluice_planner::plan,
            measuring: Measuring::default(),
            transport: None,
            plugins: BTreeMap::new(),
            pages: Pages::default(),
        }
    }

    /// Decides in another way.
    #[must_use]
    pub fn deciding_with(mut self, decide: Decide) -> Self {
        self.decide = decide;
        self
    }

    /// Measures like this.
    #[must_use]
    pub fn measuring(mut self, measuring: Measuring) -> Self {
        self.measuring = measuring;
        self
    }

    /// Asks metric providers, and through routers, in another way than over the network.
    #[must_use]
    pub fn asking_through(mut self, transport: Transport) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Lets steps name these plugins, each with its address.
    #[must_use]
    pub fn with_step_plugins(mut self, plugins: BTreeMap<String, String>) -> Self {
        self.plugins = plugins;
        self
    }

    /// Serves health and metrics.
    #[must_use]
    pub fn serving(mut self, pages: Pages) -> Self {
        self.pages = pages;
        self
    }

    /// Runs until the end is asked for.
    ///
    /// # Errors
    /// A part of it ended by itself, which none does unless there is a bug.
    pub async fn run(self, handle: ShutdownHandle, shutdown: Shutdown) -> Result<(), RunError> {
        let mut tasks = self.start(&handle, &shutdown);
        let mut outcome = Ok(());
        while let Some(ended) = tasks.join_next().await {
            let problem = match ended {
                Ok(_) if shutdown.begun() => continue,
                Ok(task) => RunError::TaskEnded(task),
                Err(problem) => RunError::TaskPanicked(problem.to_string()),
            };
            tracing::error!("{problem}; the controller ends");
            outcome = outcome.and(Err(problem));
            handle.begin();
            // The task that ended may be the one that says so.
            handle.passes_ended();
        }
        outcome
    }

    fn start(self, handle: &ShutdownHandle, shutdown: &Shutdown) -> JoinSet<&'static str> {
        let Self { client, settings, clock, decide, measuring, transport, plugins, pages } = self;
        let Settings { namespace, instance_id, election, qps, burst, passes_at_once, resync, seed } = settings;
        let mut tasks = JoinSet::new();
        let metrics = Metrics::default();
        let hub = Arc::new(Hub::new(clock, jitter(seed, "queue"), metrics.clone()));
        let (deadline, leading) = watch::channel(None);
        let fence = Fence::new(clock, leading);
        let time_limit = time_limit(election.as_ref());
        let requests =
            Requests::new(client.clone(), clock, fence.clone(), Pace::new(qps, burst), time_limit, metrics.clone());
        let requests = Arc::new(requests);
        let (recorder, poster) = recorder(clock, Arc::clone(&requests), metrics);
        let probing = transport.clone().unwrap_or_else(|| for_probes(measuring.addresses.clone()));
        let transport = transport.unwrap_or_else(|| over_network(measuring.addresses.clone()));
        let run_passes = Arc::new(RunPasses {
            hub: Arc::clone(&hub),
            clock,
            requests: Arc::clone(&requests),
            recorder: recorder.clone(),
            desk: Arc::new(Desk::default()),
            providers: Arc::new(Providers::new(measuring, transport, clock)),
            instance_id: instance_id.clone(),
        });
        let experiment_passes = Arc::new(ExperimentPasses {
            hub: Arc::clone(&hub),
            clock,
            requests: Arc::clone(&requests),
            recorder: recorder.clone(),
            instance_id: instance_id.clone(),
        });
        let telling = critic::run(Arc::clone(&hub), recorder.clone(), fence.clone(), shutdown.clone());
        tasks.spawn(named("templates", telling));
        let routes = RouteWatches {
            client: client.clone(),
            namespace: namespace.clone(),
            hub: Arc::clone(&hub),
            requests: Arc::clone(&requests),
            jitter: jitter(seed, "routes"),
        };
        hub.look_only_at(&namespace);
        tasks.spawn(named("routes", routing::run(routes, shutdown.clone())));
        hub.know_plugins(plugins.keys().cloned());
        let caller = Caller::new(Arc::clone(&hub), clock, Arc::clone(&probing), plugins);
        let prober = Prober::new(Arc::clone(&hub), clock, probing);
        let passes = Arc::new(Passes { hub: Arc::clone(&hub), clock, requests, recorder, decide, prober, caller });

        for kind in Watched::ALL {
            if kind == Watched::ClusterAnalysisTemplate && !namespace.is_empty() {
                // Whoever may see one namespace only sees no objects of the cluster.
                hub.begin_list(kind);
                hub.end_list(kind);
                continue;
            }
            let selection = Selection { namespace: namespace.clone(), instance_id: instance_id.clone() };
            let (client, hub, jitter) = (client.clone(), Arc::clone(&hub), jitter(seed, kind.as_str()));
            let shutdown = shutdown.clone();
            let watching = async move { informer::run(kind, &client, selection, hub, jitter, shutdown).await };
            tasks.spawn(named("watch", watching));
        }
        match election {
            Some(election) => {
                let jitter = jitter(seed, "election");
                let client = line::electing(&client, hub.metrics());
                let election = Election::new(client, &instance_id, election, clock, jitter, deadline);
                tasks.spawn(named("election", election.run(shutdown.clone())));
            }
            None => {
                deadline.send_replace(Some(Moment::MAX));
                let mut shutdown = shutdown.clone();
                tasks.spawn(named("sole leadership", async move {
                    shutdown.wait_for_passes().await;
                    drop(deadline);
                }));
            }
        }
        if let Some(listener) = pages.health {
            tasks.spawn(page("health", listener, web::health(Arc::clone(&hub), clock), shutdown.clone()));
        }
        if let Some(listener) = pages.metrics {
            let pages = web::metrics(Arc::clone(&hub), fence.clone(), clock);
            tasks.spawn(page("metrics", listener, pages, shutdown.clone()));
        }
        tasks.spawn(named("events", poster.run(shutdown.clone())));
        let most = passes_at_once.max(1);
        let releasing = dispatch::run(passes, fence.clone(), most, resync, shutdown.clone());
        let measuring = dispatch::run(run_passes, fence.clone(), most, resync, shutdown.clone());
        let trying = dispatch::run(experiment_passes, fence, most, resync, shutdown.clone());
        let handle = handle.clone();
        tasks.spawn(named("passes", async move {
            futures::join!(releasing, measuring, trying);
            handle.passes_ended();
        }));
        tasks
    }
}

/// A write that began just before the deadline must have ended before another replica may lead.
pub(crate) fn time_limit(election: Option<&ElectionSettings>) -> Duration {
    let left = election.map(|election| election.times.lease.saturating_sub(election.times.renew_deadline));
    left.map_or(LONGEST_REQUEST, |left| left.min(LONGEST_REQUEST))
}

/// Each part draws from a generator of its own, so that what one draws doesn't shift the others.
fn jitter(seed: u64, part: &str) -> Jitter {
    Jitter::seeded(part.bytes().fold(seed, |mixed, byte| mixed.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)))
}

async fn named(name: &'static str, task: impl Future<Output = ()>) -> &'static str {
    task.await;
    name
}

async fn page(name: &'static str, listener: TcpListener, pages: axum::Router, shutdown: Shutdown) -> &'static str {
    if let Err(problem) = web::serve(listener, pages, shutdown).await {
        tracing::error!("the {name} page can't be served any more: {problem}");
    }
    name
}
