//! Before the controller is removed from a cluster: all that it has put into routing objects of others is given back,
//! and Deployments get the pods back that were taken from them.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::Client;
use kube::api::{Api, ListParams};
use sluice_planner::engine::{Jitter, Moment, Pace};
use sluice_planner::{Snapshot, release, waits_for_pods};
use tokio::sync::watch;

use crate::cache::{Cache, Name, Unread, Watched};
use crate::clock::Clock;
use crate::controller::{Settings, time_limit};
use crate::election::{Election, lease_name};
use crate::fence::Fence;
use crate::informer;
use crate::line;
use crate::metrics::Metrics;
use crate::raw::Raw;
use crate::read::read;
use crate::requests::{RequestError, Requests};
use crate::routing::{find, served_version};
use crate::shutdown::ShutdownHandle;

/// A controller that has just been scaled down gives its lease back within seconds; one that was killed holds it for
/// some more.
const WAITS_FOR_LEASE: Duration = Duration::from_secs(60);
/// Others may change an object while it is given back; so often that is no coincidence.
const MOST_ROUNDS: u32 = 5;

/// So long the pods of a Deployment may take that was scaled down and gets them back.
const WAITS_FOR_PODS: Duration = Duration::from_secs(600);
/// How often they are looked at.
const LOOKED_AT: Duration = Duration::from_secs(1);

/// What became of the routing of one Rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenBack {
    /// Namespace and name.
    pub rollout: String,
    /// What was done, or why something is left.
    pub outcome: Result<String, String>,
}

/// Why nothing was given back at all.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// A controller runs.
    #[error(
        "the lease {lease} is held by {holder}, a controller that would route everything again; scale it down first"
    )]
    Led {
        /// The Lease.
        lease: String,
        /// Who holds it.
        holder: String,
    },
    /// The API server didn't answer.
    #[error("the Rollouts can't be listed: {0}")]
    NoList(String),
}

struct Giving {
    client: Client,
    requests: Requests,
    clock: Clock,
    settings: Settings,
    /// Versions in which the cluster serves the kinds that were looked for.
    served: BTreeMap<Watched, Option<&'static str>>,
}

/// Gives back the routing of every Rollout that these settings select, as the only controller that writes. Each is
/// told as it is done.
///
/// # Errors
/// Nothing was written.
pub async fn release_all(
    client: Client,
    settings: Settings,
    clock: Clock,
    mut tell: impl FnMut(GivenBack),
) -> Result<(), ReleaseError> {
    let metrics = Metrics::default();
    let (deadline, leading) = watch::channel(None);
    let fence = Fence::new(clock, leading);
    let pace = Pace::new(settings.qps, settings.burst);
    let limit = time_limit(settings.election.as_ref());
    let requests = Requests::new(client.clone(), clock, fence.clone(), pace, limit, metrics.clone());
    let (handle, shutdown) = ShutdownHandle::new();
    let electing = match settings.election.clone() {
        Some(election) => {
            let client = line::electing(&client, &metrics);
            let jitter = Jitter::seeded(settings.seed);
            let election = Election::new(client, &settings.instance_id, election, clock, jitter, deadline);
            Some(tokio::spawn(election.run(shutdown)))
        }
        None => {
            deadline.send_replace(Some(Moment::MAX));
            None
        }
    };
    let mut giving = Giving { client, requests, clock, settings, served: BTreeMap::new() };
    let outcome = giving.as_the_only_one(fence, &mut tell).await;
    // The lease goes back to those who stand by.
    handle.begin();
    handle.passes_ended();
    if let Some(electing) = electing
        && let Err(problem) = electing.await
    {
        tracing::error!("a bug: the election panicked: {problem}");
    }
    outcome
}

impl Giving {
    async fn as_the_only_one(&mut self, fence: Fence, tell: &mut impl FnMut(GivenBack)) -> Result<(), ReleaseError> {
        self.lead(fence).await?;
        for name in self.rollouts().await.map_err(|problem| ReleaseError::NoList(problem.to_string()))? {
            let outcome = self.give_back(&name).await;
            tell(GivenBack { rollout: name.to_string(), outcome });
        }
        Ok(())
    }

    async fn lead(&self, mut fence: Fence) -> Result<(), ReleaseError> {
        let holder = self.holder().await;
        let own = self.settings.election.as_ref().map_or("", |election| election.identity.as_str());
        if !holder.is_empty() && holder != own {
            let lease = lease_name(&self.settings.instance_id);
            tracing::info!("the lease {lease} is held by {holder}; waiting for it for {WAITS_FOR_LEASE:?}");
        }
        let leads = async {
            while !fence.may_write() {
                fence.changed().await;
            }
        };
        if tokio::time::timeout(WAITS_FOR_LEASE, leads).await.is_ok() {
            return Ok(());
        }
        let lease = lease_name(&self.settings.instance_id);
        let holder = self.holder().await;
        Err(ReleaseError::Led { lease, holder: if holder.is_empty() { "somebody".to_owned() } else { holder } })
    }

    /// Who holds the lease, as far as that can be read.
    async fn holder(&self) -> String {
        let Some(election) = &self.settings.election else { return String::new() };
        let leases: Api<Lease> = Api::namespaced(self.discovering(), &election.namespace);
        let lease = leases.get_opt(&lease_name(&self.settings.instance_id)).await.ok().flatten();
        lease.and_then(|lease| lease.spec?.holder_identity).unwrap_or_default()
    }

    async fn rollouts(&self) -> Result<Vec<Name>, kube::Error> {
        let selector = informer::config(Watched::Rollout, &self.settings.instance_id).label_selector;
        let page = ListParams { label_selector: selector, limit: Some(informer::PAGE), ..ListParams::default() };
        let listed = self.list(&self.settings.namespace, page).await?;
        Ok(listed.iter().map(informer::name_of).collect())
    }

    /// All pages of a list of Rollouts.
    async fn list(&self, namespace: &str, mut page: ListParams) -> Result<Vec<Raw>, kube::Error> {
        let [version, ..] = Watched::Rollout.versions() else { return Ok(Vec::new()) };
        let resource = informer::resource(Watched::Rollout, version);
        let api = informer::api(self.discovering(), namespace, &resource);
        let mut all = Vec::new();
        loop {
            let listed = api.list(&page).await?;
            all.extend(listed.items);
            page.continue_token = listed.metadata.continue_.filter(|token| !token.is_empty());
            if page.continue_token.is_none() {
                return Ok(all);
            }
        }
    }

    /// Writes until nothing is left to write. What others change meanwhile is looked at again.
    async fn give_back(&mut self, name: &Name) -> Result<String, String> {
        let mut done: Vec<String> = Vec::new();
        for _ in 0..MOST_ROUNDS {
            let Some(snapshot) = self.look(name).await? else { break };
            let plan = release(&snapshot, self.clock.now());
            if plan.writes.is_empty() && waits_for_pods(&snapshot, self.clock.now()) {
                self.pods_come(name, &plan.why).await?;
                continue;
            }
            if plan.writes.is_empty() && plan.wake_at.is_some() {
                return Err(plan.why);
            }
            if plan.writes.is_empty() {
                break;
            }
            let mut refused = Vec::new();
            for write in &plan.writes {
                match self.requests.carry_out(&write.target, &write.action).await {
                    Ok(_) => done.push(write.reason.clone()),
                    Err(RequestError::Stale { .. }) => break,
                    Err(problem) if write.must_succeed() => return Err(format!("{}: {problem}", write.reason)),
                    Err(problem) => refused.push(format!("{}: {problem}", write.reason)),
                }
            }
            if !refused.is_empty() {
                return Err(refused.join("; "));
            }
        }
        match self.look(name).await?.map(|snapshot| release(&snapshot, self.clock.now())) {
            Some(left) if !left.writes.is_empty() || left.wake_at.is_some() => {
                Err("others change its objects all the time".to_owned())
            }
            _ if done.is_empty() => Ok("nothing to give back".to_owned()),
            _ => Ok(done.join("; ")),
        }
    }

    /// Waits for the pods of a Deployment that serves again.
    async fn pods_come(&mut self, name: &Name, why: &str) -> Result<(), String> {
        tracing::info!(rollout = %name, "{why}; waiting for it for {WAITS_FOR_PODS:?} at most");
        let ends = self.clock.moment().saturating_add(WAITS_FOR_PODS);
        while self.clock.moment() < ends {
            let now = self.clock.now();
            if !self.look(name).await?.is_some_and(|snapshot| waits_for_pods(&snapshot, now)) {
                return Ok(());
            }
            tokio::time::sleep(LOOKED_AT).await;
        }
        Err(why.to_owned())
    }

    /// A Rollout and the objects that its routing needs, as they are now; `None` where it is gone.
    async fn look(&mut self, name: &Name) -> Result<Option<Snapshot>, String> {
        // One right fewer than reading it by its name.
        let only = ListParams::default().fields(&format!("metadata.name={}", name.name));
        let listed = self.list(&name.namespace, only).await.map_err(|problem| problem.to_string())?;
        let Some(rollout) = listed.first() else { return Ok(None) };
        let mut cache = Cache::default();
        cache.routes.look_only_at(&self.settings.namespace);
        cache.apply(read(Watched::Rollout, &rollout.json())?);
        if cache.routes.needed_kinds().iter().any(|kind| matches!(kind, Watched::Workload(_))) {
            // Those that select the Rollout's pods alone are to select the workload's too.
            let path = format!("/api/v1/namespaces/{}/services", name.namespace);
            let services = self.requests.get("Service", &path).await.map_err(|problem| problem.to_string())?;
            for service in services["items"].as_array().into_iter().flatten() {
                cache.apply(read(Watched::Service, service)?);
            }
        }
        for kind in cache.routes.needed_kinds() {
            let Some(version) = self.version(kind).await? else {
                cache.routes.kind_absent(kind);
                continue;
            };
            cache.begin_list(kind);
            for name in cache.routes.needed(kind) {
                let found = find(&self.requests, &Unread { kind, version, name }).await?;
                found.into_iter().for_each(|object| drop(cache.routes.apply(kind, object)));
            }
            cache.end_list(kind);
        }
        Ok(cache.snapshot(name))
    }

    async fn version(&mut self, kind: Watched) -> Result<Option<&'static str>, String> {
        if let Some(version) = self.served.get(&kind) {
            return Ok(*version);
        }
        let version = served_version(&self.discovering(), kind).await.map_err(|problem| problem.to_string())?;
        self.served.insert(kind, version);
        Ok(version)
    }

    fn discovering(&self) -> Client {
        line::discovering(&self.client, self.requests.metrics())
    }
}
