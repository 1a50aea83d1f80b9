//! Promises 1, 2 and 4 where routers divide the traffic: judged by the shares before and after a write.

use super::Scene;
use serde_json::Value;
use sluice_planner::{Kind, Write};

use super::shares::{Shares, shares};
use super::{Size, is_about_the_spec, is_restarting, sizes};

/// Shares as they were before a write.
#[derive(Debug, PartialEq)]
pub struct SharesBefore(Shares);

/// The shares of a Rollout whose routers divide its traffic, before a write of its own.
pub(super) fn before(world: &Scene<'_>, rollout: &Value) -> Option<SharesBefore> {
    is_routed(rollout).then(|| SharesBefore(shares(world, rollout)))
}

pub(super) fn is_routed(rollout: &Value) -> bool {
    rollout["spec"]["strategy"]["canary"]["trafficRouting"].is_object()
}

/// No share is raised above what the pods behind it bear, unless the worst share gets better by it.
pub(super) fn after(world: &Scene<'_>, rollout: &Value, write: &Write, SharesBefore(before): &SharesBefore) {
    if !matches!(write.target.kind, Kind::Routing(..) | Kind::Service) {
        return;
    }
    let replicas = rollout["spec"]["replicas"].as_i64().unwrap_or(1);
    let mut sizes = sizes(world);
    let trials = super::trials::sizes(world);
    let of_trial = |hash: &str| trials.iter().find(|size| size.hash == hash);
    sizes.extend(super::trials::sizes(world));
    let size = |hash: &str| sizes.iter().find(|size| size.hash == hash);
    for (place, now) in shares(world, rollout) {
        let Some(then) = before.get(&place) else { continue };
        for (hash, share) in &now {
            let was = then.get(hash).copied().unwrap_or(0.0);
            // A destination that selects all pods leads to no revision in particular.
            if *share <= was || hash.is_empty() || then.contains_key("") || replicas == 0 {
                continue;
            }
            if let Some(trial) = of_trial(hash) {
                let bears = trial.available >= trial.wanted && trial.wanted > 0;
                assert!(bears, "{place}: {hash} goes to {share} % with {} of {} pods", trial.available, trial.wanted);
                continue;
            }
            let (Some(this), asked) = (size(hash), asked_for(rollout, hash, *share)) else {
                panic!("{place}: {share} % go to {hash}, which is no revision: {write:?}");
            };
            // Pods that were all available together may be lost to nodes that come and go.
            let proven = rollout["status"]["provenReplicas"].as_i64().is_some_and(|proven| proven >= asked);
            let missing = match (is_stable(rollout, hash), proven) {
                (true, _) => unavailable(rollout),
                (false, true) => rollout["spec"]["strategy"]["canary"]["maxUnavailable"].as_i64().unwrap_or(asked / 4),
                (false, false) => 0,
            };
            let available = this.available.min(this.wanted);
            #[expect(clippy::cast_precision_loss, reason = "counts of pods are small")]
            let in_proportion = is_stable(rollout, hash) && *share <= available as f64 * 100.0 / replicas as f64 + 1e-9;
            let bears = available + missing >= asked || available >= replicas - missing || in_proportion;
            let better = worst(&now, &sizes) <= worst(then, &sizes) + 1e-9;
            assert!(
                bears || better,
                "{place}: {hash} goes from {was} % to {share} % with {} of {asked} pods: {write:?}",
                this.available
            );
        }
    }
}

/// Pods are taken only from revisions whose share needs them no more.
pub(super) fn resize(world: &Scene<'_>, rollout: &Value, this: &Size, to: i64) {
    let replicas = rollout["spec"]["replicas"].as_i64().expect("a count");
    if to >= this.wanted {
        let is_new = rollout["status"]["currentPodHash"] == this.hash.as_str();
        let stable = rollout["status"]["stableRS"].as_str();
        let goes_back = rollout["status"]["abort"] == true
            && is_new
            && is_about_the_spec(rollout)
            && stable.is_some_and(|hash| hash != this.hash);
        let may_grow = rollout["status"]["promoteFull"] == true || is_restarting(rollout);
        assert!(!goes_back || may_grow, "an aborted release grows");
        return;
    }
    let asked = needed(world, rollout, &this.hash);
    assert!(
        to >= asked.min(replicas) || to >= this.ready,
        "{} → {to}: it has a share of the traffic, for which {asked} pods are asked",
        this.name
    );
    let unmoved = shares(world, rollout).values().any(|place| place.contains_key(&this.hash));
    assert!(!unmoved || to > 0 || this.ready == 0 || replicas == 0, "{} → 0: a destination leads to it", this.name);
}

/// The pods of a revision that its share needs.
pub(super) fn needed(world: &Scene<'_>, rollout: &Value, hash: &str) -> i64 {
    let share = shares(world, rollout).values().filter_map(|place| place.get(hash).copied()).fold(0.0, f64::max);
    if share > 0.0 { asked_for(rollout, hash, share) } else { 0 }
}

/// The pods that the spec asks of a revision for a share.
fn asked_for(rollout: &Value, hash: &str, percent: f64) -> i64 {
    let replicas = rollout["spec"]["replicas"].as_i64().unwrap_or(1);
    let canary = &rollout["spec"]["strategy"]["canary"];
    if is_stable(rollout, hash) && canary["dynamicStableScale"] != true {
        return replicas;
    }
    let steps = canary["steps"].as_array().cloned().unwrap_or_default();
    let at = rollout["status"]["currentStepIndex"].as_u64().and_then(|at| usize::try_from(at).ok()).unwrap_or(0);
    let so_far = steps.iter().take(at + 1).rev();
    let scale = so_far.map(|step| &step["setCanaryScale"]).find(|scale| scale.is_object());
    let explicit = scale.and_then(|scale| {
        let by_weight = scale["weight"].as_i64().map(|weight| (replicas * weight + 99) / 100);
        scale["replicas"].as_i64().or(by_weight)
    });
    if let Some(pods) = explicit.filter(|_| !is_stable(rollout, hash) && at < steps.len()) {
        return pods;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "counts of pods are small")]
    let pods = (replicas as f64 * percent / 100.0 - 1e-9).ceil() as i64;
    pods
}

fn is_stable(rollout: &Value, hash: &str) -> bool {
    rollout["status"]["stableRS"] == hash
}

fn unavailable(rollout: &Value) -> i64 {
    let canary = &rollout["spec"]["strategy"]["canary"];
    if canary["dynamicStableScale"] == true {
        return 0;
    }
    let replicas = rollout["spec"]["replicas"].as_i64().unwrap_or(1);
    canary["maxUnavailable"].as_i64().unwrap_or(replicas * 25 / 100)
}

/// The largest share for one pod that is ready; a share without any is worse than all others.
fn worst(shares: &std::collections::BTreeMap<String, f64>, sizes: &[Size]) -> f64 {
    let ratio = |(hash, share): (&String, &f64)| {
        let ready = sizes.iter().find(|size| size.hash == *hash).map_or(0, |size| size.ready.min(size.wanted));
        match (*share, ready) {
            (0.0, _) => 0.0,
            (share, 0) => share * 1e6,
            #[expect(clippy::cast_precision_loss, reason = "counts of pods are small")]
            (share, ready) => share / ready as f64,
        }
    };
    shares.iter().map(ratio).fold(0.0, f64::max)
}
