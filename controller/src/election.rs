//! Takes part in the election of the one replica that writes: the requests around the pure decision.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Client;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use sluice_crds::values::micro_time;
use sluice_planner::engine::{Decision, Jitter, Leadership, Moment, Record, Times};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::shutdown::Shutdown;

/// What an election needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElectionSettings {
    /// Where the Lease lives.
    pub namespace: String,
    /// What nobody else is called, also no earlier process.
    pub identity: String,
    pub times: Times,
}

pub(crate) struct Election {
    leases: Api<Lease>,
    name: String,
    settings: ElectionSettings,
    leadership: Leadership,
    clock: Clock,
    jitter: Jitter,
    deadline: watch::Sender<Option<Moment>>,
    /// How often leadership has changed hands, as the Lease counts it.
    transitions: i32,
}

impl Election {
    pub(crate) fn new(
        client: Client,
        instance_id: &str,
        settings: ElectionSettings,
        clock: Clock,
        jitter: Jitter,
        deadline: watch::Sender<Option<Moment>>,
    ) -> Self {
        let leadership = Leadership::new(settings.identity.clone(), settings.times);
        let leases = Api::namespaced(client, &settings.namespace);
        Self { leases, name: lease_name(instance_id), settings, leadership, clock, jitter, deadline, transitions: 0 }
    }

    /// Takes part until shutdown, and then gives the lease back so that the next one needn't wait for its end.
    pub(crate) async fn run(mut self, mut shutdown: Shutdown) {
        while !shutdown.begun() {
            self.round().await;
            let retry = self.settings.times.retry;
            let pause = self.jitter.between(retry, retry / 5);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = shutdown.wait() => {}
            }
        }
        // Passes end first: the lease is given back when nothing of ours is under way any more.
        shutdown.wait_for_passes().await;
        self.release().await;
    }

    async fn round(&mut self) {
        if self.leadership.write_deadline().is_none() {
            match self.read().await {
                Ok(lease) => self.observe(lease),
                Err(problem) => return tracing::warn!(lease = self.name, "the lease can't be read: {problem}"),
            }
        }
        match self.leadership.decide(self.clock.moment()) {
            Decision::Wait(_) => {}
            Decision::Acquire => self.claim("taken").await,
            Decision::Renew => self.claim("renewed").await,
            Decision::Lost => self.step_down("it was not renewed in time"),
        }
    }

    fn observe(&mut self, lease: Option<Lease>) {
        self.transitions = lease.as_ref().and_then(|lease| lease.spec.as_ref()?.lease_transitions).unwrap_or(0);
        self.leadership.observe(lease.map(|lease| record(&lease)), self.clock.moment());
    }

    /// Writes our name into the lease; the version that was seen is the precondition.
    async fn claim(&mut self, verb: &str) {
        let began = self.clock.moment();
        let was_leading = self.leadership.write_deadline().is_some();
        let spec = self.claimed_spec(was_leading, self.clock.now());
        let answer = match self.leadership.lease() {
            Some(seen) => {
                let change = json!({"metadata": {"resourceVersion": seen.version}, "spec": spec});
                let (params, patch) = (PatchParams::default(), Patch::Merge(change));
                timeout(self.patience(), self.leases.patch(&self.name, &params, &patch)).await
            }
            None => {
                let body = json!({
                    "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                    "metadata": {"name": self.name, "namespace": self.settings.namespace}, "spec": spec,
                });
                match serde_json::from_value::<Lease>(body) {
                    Ok(lease) => timeout(self.patience(), self.leases.create(&PostParams::default(), &lease)).await,
                    Err(problem) => return tracing::error!("a Lease of ours can't be read back: {problem}"),
                }
            }
        };
        match answer {
            Ok(Ok(lease)) => {
                self.transitions = lease.spec.as_ref().and_then(|spec| spec.lease_transitions).unwrap_or(0);
                self.leadership.renewed(record(&lease), began);
                self.deadline.send_replace(self.leadership.write_deadline());
                if !was_leading {
                    tracing::info!(
                        lease = self.name,
                        identity = self.settings.identity,
                        "leading: the lease was {verb}"
                    );
                }
            }
            Ok(Err(kube::Error::Api(status)))
                if status.is_conflict() || status.is_already_exists() || status.is_not_found() =>
            {
                self.look_again().await;
            }
            Ok(Err(problem)) => tracing::warn!(lease = self.name, "the lease could not be {verb}: {problem}"),
            Err(_) => tracing::warn!(lease = self.name, "the lease could not be {verb}: no answer in time"),
        }
    }

    /// Somebody else wrote the lease: who holds it now?
    async fn look_again(&mut self) {
        if let Ok(lease) = self.read().await {
            self.observe(lease);
            if self.leadership.decide(self.clock.moment()) == Decision::Lost {
                self.step_down("another replica holds it");
            }
        }
    }

    fn step_down(&mut self, why: &str) {
        self.leadership.step_down();
        self.deadline.send_replace(None);
        tracing::warn!(lease = self.name, identity = self.settings.identity, "standing by, the lease is lost: {why}");
    }

    async fn release(&mut self) {
        let leading = self.leadership.write_deadline().is_some_and(|deadline| self.clock.moment() < deadline);
        let Some(seen) = self.leadership.lease().filter(|_| leading) else { return };
        let change = json!({
            "metadata": {"resourceVersion": seen.version},
            "spec": {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": micro_time(self.clock.now())},
        });
        self.leadership.step_down();
        self.deadline.send_replace(None);
        let (params, patch) = (PatchParams::default(), Patch::Merge(change));
        match timeout(self.patience(), self.leases.patch(&self.name, &params, &patch)).await {
            Ok(Ok(_)) => tracing::info!(lease = self.name, "the lease is given back"),
            Ok(Err(problem)) => tracing::warn!(lease = self.name, "the lease could not be given back: {problem}"),
            Err(_) => tracing::warn!(lease = self.name, "the lease could not be given back: no answer in time"),
        }
    }

    async fn read(&self) -> Result<Option<Lease>, String> {
        match timeout(self.patience(), self.leases.get_opt(&self.name)).await {
            Ok(answer) => answer.map_err(|problem| problem.to_string()),
            Err(_) => Err("no answer in time".to_owned()),
        }
    }

    fn claimed_spec(&self, was_leading: bool, now: Timestamp) -> Value {
        let mut spec = json!({
            "holderIdentity": self.settings.identity,
            "leaseDurationSeconds": self.settings.times.lease.as_secs().max(1),
            "renewTime": micro_time(now),
        });
        if !was_leading {
            let others = self.leadership.lease().is_some_and(|lease| lease.holder != self.settings.identity);
            spec["acquireTime"] = json!(micro_time(now));
            spec["leaseTransitions"] = json!(self.transitions.saturating_add(i32::from(others)));
        }
        spec
    }

    /// A request about the lease must leave time for another one before the deadline.
    fn patience(&self) -> Duration {
        self.settings.times.renew_deadline / 2
    }
}

/// The name that Argo Rollouts uses, so that it and this controller never lead together.
pub(crate) fn lease_name(instance_id: &str) -> String {
    let base = "argo-rollouts-controller-lock";
    if instance_id.is_empty() { base.to_owned() } else { format!("{base}-{instance_id}") }
}

fn record(lease: &Lease) -> Record {
    let spec = lease.spec.as_ref();
    let seconds = spec.and_then(|spec| spec.lease_duration_seconds).and_then(|seconds| u64::try_from(seconds).ok());
    Record {
        holder: spec.and_then(|spec| spec.holder_identity.clone()).unwrap_or_default(),
        duration: Duration::from_secs(seconds.unwrap_or(0)),
        version: lease.metadata.resource_version.clone().unwrap_or_default(),
    }
}
