//! Promises 1, 2 and 6 where pods of a Deployment serve until those of the Rollout do.

use serde_json::Value;

use super::scene::Scene;
use super::{budgets, sizes};

/// Its pods go only as others stand in for them, and it gets no more than it had or than the Rollout has.
pub(super) fn resize(world: &Scene<'_>, rollout: &Value, name: &str, to: i64) {
    let deployment = world.get("apps", "deployments", "default", name).expect("the Deployment is there");
    let deployment = deployment.value();
    let text = deployment["metadata"]["annotations"]["rollouts.argoproj.io/sluice-scaled-down"].as_str();
    let remembered: Value = text.map_or(Value::Null, |text| serde_json::from_str(text).expect("JSON"));
    let current = deployment["spec"]["replicas"].as_i64().unwrap_or(1);
    let (had, replicas) = (remembered["from"].as_i64().unwrap_or(current), rollout["spec"]["replicas"].as_i64());
    let replicas = replicas.expect("a count");
    if to > current {
        assert!(to <= had.max(replicas), "{name} → {to}: it had {had}, and the Rollout has {replicas}");
        return;
    }
    let sizes = sizes(world);
    let available: i64 = sizes.iter().map(|size| size.available.min(size.wanted)).sum();
    let is_named = rollout["spec"]["workloadRef"]["name"] == name;
    assert!(is_named, "{name} is not the Rollout's to scale");
    let finalizers = rollout["metadata"]["finalizers"].as_array();
    let is_held = finalizers.into_iter().flatten().any(|name| name == "rollouts.argoproj.io/sluice-workload");
    assert!(is_held, "{name} → {to}: a deletion would leave it so");
    let (_, unavailable) = budgets(rollout, replicas);
    let is_complete = rollout["status"]["stableRS"].is_string();
    let bears = to * replicas >= had * (replicas - available) || (is_complete && available >= replicas - unavailable);
    assert!(bears, "{name} → {to} of {had}: {available} of {replicas} pods of the Rollout are available");
}
