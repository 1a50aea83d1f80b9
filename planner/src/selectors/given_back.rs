//! Services that a Rollout looked after and names no more. Left as they are they would select a revision that goes one
//! day, so they are given back: at a moment at which that changes nothing, because all pods are of one revision.

use serde_json::json;
use sluice_crds::Rollout;
use sluice_crds::template::HASH_LABEL;

use crate::names::MANAGED_BY;
use crate::observe::Release;
use crate::patch::{Patch, escaped};
use crate::plan::{Action, Kind, Target, Write};
use crate::snapshot::{ReplicaSet, Service, Snapshot};

/// The Services that can be given back now.
pub(crate) fn writes(release: &Release<'_>) -> Vec<Write> {
    let is_new = |uid: &str| release.new.is_some_and(|new| new.meta.uid == uid);
    let has_pods = |set: &ReplicaSet| set.wanted > 0 || set.replicas > 0;
    if !release.is_fully_promoted() || release.all().any(|set| !is_new(&set.meta.uid) && has_pods(set)) {
        return Vec::new();
    }
    let named_no_more = looked_after(release.snapshot).filter(|service| !is_named(release.rollout, &service.meta.name));
    let reason =
        |name: &str| format!("service {name} is named no more, and all pods are of revision {}", release.revision);
    named_no_more.map(|service| give_back(service, reason(&service.meta.name))).collect()
}

/// All of them, when the Rollout goes and other pods serve.
pub(crate) fn for_good(snapshot: &Snapshot, why: &str) -> Vec<Write> {
    looked_after(snapshot).map(|service| give_back(service, why.to_owned())).collect()
}

fn looked_after(snapshot: &Snapshot) -> impl Iterator<Item = &Service> {
    let rollout = snapshot.rollout.metadata.name.as_deref();
    let services = snapshot.services.iter().map(|service| &**service);
    services.filter(move |service| rollout.is_some() && service.managed_by() == rollout)
}

/// By whichever strategy.
fn is_named(rollout: &Rollout, service: &str) -> bool {
    let (canary, blue_green) = (rollout.spec.canary(), rollout.spec.blue_green());
    let ping_pong = canary.and_then(|canary| canary.ping_pong.as_ref());
    let named = [
        canary.and_then(|canary| canary.stable_service.as_deref()),
        canary.and_then(|canary| canary.canary_service.as_deref()),
        ping_pong.map(|both| both.ping_service.as_str()),
        ping_pong.map(|both| both.pong_service.as_str()),
        blue_green.map(|strategy| strategy.active_service.as_str()),
        blue_green.and_then(|strategy| strategy.preview_service.as_deref()),
    ];
    named.into_iter().flatten().any(|name| name == service)
}

fn give_back(service: &Service, reason: String) -> Write {
    let name = &service.meta.name;
    let mut patch = Patch::of(&service.meta.uid).unannotate(MANAGED_BY, service.managed_by().unwrap_or_default());
    if let Some(hash) = service.hash() {
        // One that selected nothing by itself is left without a selector again.
        let (path, there) = match service.selector.len() {
            1 => ("/spec/selector".to_owned(), json!(service.selector)),
            _ => (format!("/spec/selector/{}", escaped(HASH_LABEL)), json!(hash)),
        };
        patch = patch.read(&path, there).remove(&path);
    }
    Write {
        target: Target { kind: Kind::Service, namespace: service.meta.namespace.clone(), name: name.clone() },
        action: Action::Patch(patch.operations()),
        reason,
        events: Vec::new(),
    }
}
