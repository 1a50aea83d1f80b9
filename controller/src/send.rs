//! One write of a plan: sent, and remembered until the cache shows it.

use serde_json::Value;
use sluice_planner::{Action, Kind, WorkloadKind, Write};

use crate::cache::{Name, Watched};
use crate::hub::Hub;
use crate::read::read;
use crate::requests::{RequestError, Requests, kind_name};
use crate::work::Work;

/// The way of writes that are decided in passes over objects of one kind.
pub(crate) struct Sender<'s> {
    pub(crate) hub: &'s Hub,
    pub(crate) requests: &'s Requests,
    pub(crate) work: Work,
}

impl Sender<'_> {
    /// Sends a write with this action and returns what was stored.
    pub(crate) async fn send(&self, owner: &Name, write: &Write, action: &Action) -> Result<Value, RequestError> {
        let object = (watched(write.target.kind), Name::new(&write.target.namespace, &write.target.name));
        let before = self.hub.version(&object);
        let stored = match (self.requests.carry_out(&write.target, action).await, action) {
            (Ok(stored), _) => stored,
            // Gone already is what a deletion wants, and nothing else is to be done to a pod that is gone.
            (Err(RequestError::Stale { code: 404, .. }), action)
                if matches!(action, Action::Delete { .. }) || write.target.kind == Kind::Pod =>
            {
                return Ok(Value::Null);
            }
            (Err(problem), action) => {
                if let (RequestError::Stale { .. }, Action::Create(_)) = (&problem, action) {
                    self.look_at(write).await;
                }
                return Err(problem);
            }
        };
        tracing::info!(
            kind = kind_name(write.target.kind),
            object = write.target.name,
            verb = action.method(),
            "{}",
            write.reason
        );
        match action {
            Action::Delete { .. } => {}
            Action::Evict { .. } => self.hub.changed(owner, &object, before.as_deref()),
            Action::Create(_) | Action::Patch(_) => {
                let version = stored["metadata"]["resourceVersion"].as_str().unwrap_or_default();
                self.hub.wrote(self.work, owner, &object, version);
            }
        }
        Ok(stored)
    }

    /// A name is taken, perhaps by an object that no watch of ours selects: the next plan must know of it.
    async fn look_at(&self, write: &Write) {
        let target = &write.target;
        // All Services are watched.
        if target.kind == Kind::Service {
            return;
        }
        let collection = target.path(&write.action);
        let Some(there) = self.requests.read(kind_name(target.kind), &format!("{collection}/{}", target.name)).await
        else {
            return;
        };
        match read(watched(target.kind), &there) {
            Ok(object) => self.hub.apply(object),
            Err(problem) => tracing::warn!(object = target.name, "what has this name can't be read: {problem}"),
        }
    }
}

const fn watched(kind: Kind) -> Watched {
    match kind {
        Kind::Rollout | Kind::RolloutStatus => Watched::Rollout,
        Kind::ReplicaSet => Watched::ReplicaSet,
        Kind::Service => Watched::Service,
        Kind::AnalysisRun => Watched::AnalysisRun,
        Kind::Experiment => Watched::Experiment,
        Kind::Pod => Watched::Pod,
        Kind::Routing(kind, _) => Watched::Route(kind),
        Kind::Deployment => Watched::Workload(WorkloadKind::Deployment),
    }
}
