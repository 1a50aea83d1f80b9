//! One watch: from the API server's events to the cache, for ever.

use std::sync::Arc;

use futures::StreamExt;
use kube::Client;
use kube::api::Api;
use kube::core::ApiResource;
use kube::runtime::watcher::{self, Config, Event, watcher};
use sluice_analysis::provider::job::RUN_UID;
use sluice_crds::template::HASH_LABEL;
use sluice_planner::engine::{Backoff, Jitter};

use crate::cache::{Name, Watched};
use crate::hub::Hub;
use crate::line;
use crate::raw::Raw;
use crate::read::read;
use crate::shutdown::Shutdown;

/// Which objects of a kind are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Empty for all namespaces.
    pub(crate) namespace: String,
    pub(crate) instance_id: String,
}

/// Whose a Rollout, run or Experiment is.
pub(crate) const INSTANCE_LABEL: &str = "argo-rollouts.argoproj.io/controller-instance-id";

/// Keeps one kind of the cache up to date until shutdown.
pub(crate) async fn run(
    kind: Watched,
    client: &Client,
    selection: Selection,
    hub: Arc<Hub>,
    mut jitter: Jitter,
    mut shutdown: Shutdown,
) {
    let [version, ..] = kind.versions() else { return };
    let api = api(line::watching(client, kind, &hub), &selection.namespace, &resource(kind, version));
    let config = config(kind, &selection.instance_id);
    loop {
        tokio::select! {
            () = follow(kind, api.clone(), config.clone(), &hub, &mut jitter) => {}
            () = shutdown.wait() => return,
        }
    }
}

/// The objects of a resource in a namespace, or with an empty one in all.
pub(crate) fn api(client: Client, namespace: &str, resource: &ApiResource) -> Api<Raw> {
    if namespace.is_empty() {
        Api::all_with(client, resource)
    } else {
        Api::namespaced_with(client, namespace, resource)
    }
}

/// Takes in all that a watch shows, until the API server says that it doesn't know the kind (any more).
pub(crate) async fn follow(kind: Watched, api: Api<Raw>, config: Config, hub: &Hub, jitter: &mut Jitter) {
    let mut events = std::pin::pin!(watcher(api, config));
    let mut said = String::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => take_in(kind, event, hub),
            Err(problem) => {
                if is_refused(&problem) {
                    hub.watch_refused(kind);
                }
                pause(kind, &problem, &mut said, hub, jitter).await;
                if is_unknown(&problem) {
                    return;
                }
            }
        }
    }
}

/// A watch broke, or could not begin: the next try comes later. The same problem is said once.
pub(crate) async fn pause(
    kind: Watched,
    problem: &impl std::fmt::Display,
    said: &mut String,
    hub: &Hub,
    jitter: &mut Jitter,
) {
    let failures = hub.watch_broke(kind);
    let pause = Backoff::WATCH.delay(failures, jitter);
    let problem = problem.to_string();
    if problem == *said {
        tracing::debug!(kind = kind.as_str(), failures, "the watch broke again, next try in {pause:?}");
    } else {
        tracing::warn!(kind = kind.as_str(), failures, "the watch broke, next try in {pause:?}: {problem}");
        *said = problem;
    }
    tokio::time::sleep(pause).await;
}

fn is_unknown(problem: &watcher::Error) -> bool {
    use watcher::Error::{InitialListFailed, WatchFailed, WatchStartFailed};
    let (InitialListFailed(problem) | WatchStartFailed(problem) | WatchFailed(problem)) = problem else { return false };
    matches!(problem, kube::Error::Api(status) if status.code == 404)
}

/// Whether the account lacks the right to do this.
fn is_refused(problem: &watcher::Error) -> bool {
    use watcher::Error::{InitialListFailed, WatchStartFailed};
    let (InitialListFailed(problem) | WatchStartFailed(problem)) = problem else { return false };
    matches!(problem, kube::Error::Api(answer) if answer.code == 403)
}

fn take_in(kind: Watched, event: Event<Raw>, hub: &Hub) {
    match event {
        Event::Init => hub.begin_list(kind),
        Event::InitDone => hub.end_list(kind),
        Event::InitApply(object) | Event::Apply(object) => match read(kind, &object.json()) {
            Ok(object) => hub.apply(object),
            Err(problem) => {
                let name = name_of(&object);
                hub.metrics().unreadable(kind);
                tracing::warn!(kind = kind.as_str(), object = %name, "skipped, it can't be read: {problem}");
                hub.keep(kind, &name);
            }
        },
        Event::Delete(object) => hub.remove(kind, &name_of(&object)),
    }
}

pub(crate) fn name_of(object: &Raw) -> Name {
    let meta = kube::Resource::meta(object);
    Name::new(meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default())
}

pub(crate) fn resource(kind: Watched, version: &str) -> ApiResource {
    let group = kind.group();
    ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version: if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") },
        kind: kind.as_str().to_owned(),
        plural: kind.plural().to_owned(),
    }
}

/// Objects in one page of a list. A page is decoded whole, so its size is what a start needs of memory on top of all
/// that is kept: small pages cost a start some more requests and no more.
pub(crate) const PAGE: u32 = 100;

/// ReplicaSets and pods of Deployments, and Jobs of others, are never loaded. A Rollout belongs to the controller whose
/// instance id its label carries; one without the label to the controller without an id.
pub(crate) fn config(kind: Watched, instance_id: &str) -> Config {
    let all = Config::default().page_size(PAGE);
    match kind {
        Watched::Rollout | Watched::AnalysisRun | Watched::Experiment if instance_id.is_empty() => {
            all.labels(&format!("!{INSTANCE_LABEL}"))
        }
        Watched::Rollout | Watched::AnalysisRun | Watched::Experiment => {
            all.labels(&format!("{INSTANCE_LABEL}={instance_id}"))
        }
        Watched::ReplicaSet | Watched::Pod => all.labels(HASH_LABEL),
        Watched::Job => all.labels(RUN_UID),
        Watched::Service
        | Watched::AnalysisTemplate
        | Watched::ClusterAnalysisTemplate
        | Watched::Route(_)
        | Watched::ReferenceGrant
        | Watched::Workload(_) => all,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::clock::Clock;
    use crate::metrics::Metrics;

    fn raw(json: Value) -> Raw {
        serde_json::from_value(json).expect("no object is too odd")
    }

    #[tokio::test]
    async fn an_object_that_cannot_be_read_is_counted_and_skipped_and_the_others_are_taken_in() {
        let hub = Arc::new(Hub::new(Clock::wall(), Jitter::seeded(1), Metrics::default()));
        let good = json!({"metadata": {"name": "good", "namespace": "shop", "uid": "1"}, "spec": {"replicas": 1}});
        let odd = [
            json!({"metadata": {"name": "odd-1", "namespace": "shop", "uid": "2"}, "spec": {"replicas": "many"}}),
            json!({"metadata": {"name": "odd-2", "namespace": "shop"}}),
            json!({"metadata": []}),
            json!("text"),
        ];
        take_in(Watched::Rollout, Event::Init, &hub);
        for object in odd {
            take_in(Watched::Rollout, Event::InitApply(raw(object)), &hub);
        }
        take_in(Watched::Rollout, Event::InitApply(raw(good)), &hub);
        take_in(Watched::Rollout, Event::InitDone, &hub);
        let names: Vec<_> = hub.rollouts().iter().filter_map(|rollout| rollout.metadata.name.clone()).collect();
        assert_eq!(names, ["good"]);
        let page = hub.metrics().page(&hub, true, Duration::ZERO);
        assert!(page.contains(r#"sluice_unreadable_objects_total{kind="Rollout"} 4"#), "{page}");
    }

    #[tokio::test]
    async fn a_rollout_that_became_unreadable_keeps_its_last_good_state() {
        let hub = Arc::new(Hub::new(Clock::wall(), Jitter::seeded(1), Metrics::default()));
        let state = |replicas: Value| {
            raw(json!({"metadata": {"name": "web", "namespace": "shop", "uid": "1"}, "spec": {"replicas": replicas}}))
        };
        take_in(Watched::Rollout, Event::Apply(state(json!(3))), &hub);
        take_in(Watched::Rollout, Event::Init, &hub);
        take_in(Watched::Rollout, Event::InitApply(state(json!("many"))), &hub);
        take_in(Watched::Rollout, Event::InitDone, &hub);
        let kept: Vec<_> = hub.rollouts().iter().map(|rollout| rollout.spec.replicas).collect();
        assert_eq!(kept, [Some(3)]);
    }

    #[test]
    fn a_controller_looks_at_the_rollouts_of_its_instance_only() {
        // (kind, instance id, the selector of the watch)
        for (kind, id, selector) in [
            (Watched::Rollout, "", Some("!argo-rollouts.argoproj.io/controller-instance-id")),
            (Watched::Rollout, "blue", Some("argo-rollouts.argoproj.io/controller-instance-id=blue")),
            (Watched::ReplicaSet, "blue", Some("rollouts-pod-template-hash")),
            (Watched::Pod, "", Some("rollouts-pod-template-hash")),
            (Watched::Service, "blue", None),
        ] {
            assert_eq!(config(kind, id).label_selector.as_deref(), selector, "{kind:?} of {id:?}");
        }
    }
}
