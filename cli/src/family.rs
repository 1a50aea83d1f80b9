//! A Rollout and what it owns, read with as few and as narrow requests as there can be.

use serde_json::Value;
use sluice_crds::Rollout;

use crate::cluster::{Cluster, Kind, Problem, Where};
use crate::print;

const HASH_LABEL: &str = "rollouts-pod-template-hash";

/// A Rollout, and what it owns as far as it could be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Family {
    pub(crate) rollout: Value,
    pub(crate) sets: Vec<Value>,
    pub(crate) pods: Vec<Value>,
    pub(crate) runs: Vec<Value>,
    pub(crate) experiments: Vec<Value>,
    pub(crate) jobs: Vec<Value>,
}

impl Family {
    /// Reads what this Rollout owns: each list by a selector, so that neighbours cost nothing. What may not be read is
    /// left out, with a note.
    pub(crate) async fn of(cluster: &Cluster, rollout: Value) -> Result<Self, Problem> {
        let selector = selector(&rollout);
        let place = Where::Namespace(&cluster.namespace);
        let labelled = async |kind: Kind, labels: &str| match cluster.list(kind, place, labels).await {
            Ok(listed) => Ok(listed.items),
            Err(problem) if matches!(problem.status, Some(403 | 404)) => {
                print::note(&format!("{} are not shown: {}", kind.plural, problem.sentence));
                Ok(Vec::new())
            }
            Err(problem) => Err(problem),
        };
        let (sets, pods) = match selector.as_str() {
            // Without a selector nothing can be its own.
            "" => (Vec::new(), Vec::new()),
            labels => tokio::try_join!(labelled(Kind::REPLICA_SET, labels), labelled(Kind::POD, labels))?,
        };
        let sets: Vec<Value> = sets.into_iter().filter(|set| owned_by(&rollout, set)).collect();
        let mut hashes: Vec<&str> = sets.iter().filter_map(hash).collect();
        hashes.extend(rollout["status"]["currentPodHash"].as_str());
        hashes.sort_unstable();
        hashes.dedup();
        let (runs, experiments) = if hashes.is_empty() {
            (Vec::new(), Vec::new())
        } else {
            let labels = format!("{HASH_LABEL} in ({})", hashes.join(","));
            tokio::try_join!(labelled(Kind::ANALYSIS_RUN, &labels), labelled(Kind::EXPERIMENT, &labels))?
        };
        let experiments: Vec<Value> = experiments.into_iter().filter(|one| owned_by(&rollout, one)).collect();
        let is_ours = |run: &Value| owned_by(&rollout, run) || experiments.iter().any(|owner| owned_by(owner, run));
        let runs: Vec<Value> = runs.into_iter().filter(is_ours).collect();
        let with_jobs: Vec<&str> = runs.iter().filter(|run| has_job(run)).filter_map(uid).collect();
        let jobs = if with_jobs.is_empty() {
            Vec::new()
        } else {
            labelled(Kind::JOB, &format!("analysisrun.argoproj.io/uid in ({})", with_jobs.join(","))).await?
        };
        Ok(Self { sets, pods, runs, experiments, jobs, rollout })
    }
}

/// Labels, as a request names them, that all pods and ReplicaSets of the Rollout have.
pub(crate) fn selector(rollout: &Value) -> String {
    let typed: Rollout = serde_json::from_value(rollout.clone()).unwrap_or_default();
    let Some(selector) = &typed.spec.selector else {
        return rollout["status"]["selector"].as_str().unwrap_or_default().to_owned();
    };
    let value = serde_json::to_value(selector).unwrap_or_default();
    let equal = value["matchLabels"].as_object().into_iter().flatten();
    let equal = equal.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
    let among = value["matchExpressions"].as_array().into_iter().flatten().filter_map(requirement);
    equal.chain(among).collect::<Vec<_>>().join(",")
}

fn requirement(expression: &Value) -> Option<String> {
    let key = expression["key"].as_str()?;
    let values: Vec<&str> = expression["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    match expression["operator"].as_str()? {
        "In" => Some(format!("{key} in ({})", values.join(","))),
        "NotIn" => Some(format!("{key} notin ({})", values.join(","))),
        "Exists" => Some(key.to_owned()),
        "DoesNotExist" => Some(format!("!{key}")),
        _ => None,
    }
}

/// Whether the first object controls the other.
pub(crate) fn owned_by(owner: &Value, object: &Value) -> bool {
    let owners = object["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    let mut controllers = owners.filter(|reference| reference["controller"] == true);
    uid(owner).is_some_and(|uid| controllers.any(|reference| reference["uid"] == uid))
}

pub(crate) fn uid(object: &Value) -> Option<&str> {
    object["metadata"]["uid"].as_str()
}

pub(crate) fn hash(object: &Value) -> Option<&str> {
    object["metadata"]["labels"][HASH_LABEL].as_str().filter(|hash| !hash.is_empty())
}

fn has_job(run: &Value) -> bool {
    let metrics = run["spec"]["metrics"].as_array().into_iter().flatten();
    metrics.into_iter().any(|metric| metric["provider"]["job"].is_object())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_selector_is_written_as_a_request_names_it() {
        let expressions = json!([
            {"key": "tier", "operator": "In", "values": ["a", "b"]},
            {"key": "track", "operator": "NotIn", "values": ["old"]},
            {"key": "web", "operator": "Exists"},
            {"key": "batch", "operator": "DoesNotExist"},
        ]);
        let written = |of: Value| selector(&json!({"spec": {"selector": of}}));
        assert_eq!(written(json!({"matchLabels": {"app": "shop", "team": "a"}})), "app=shop,team=a");
        assert_eq!(written(json!({"matchExpressions": expressions})), "tier in (a,b),track notin (old),web,!batch");
        assert_eq!(selector(&json!({"status": {"selector": "app=shop"}})), "app=shop");
    }
}
