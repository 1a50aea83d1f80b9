//! What one decision costs: the plan of a Rollout with ten revisions, in the middle of a release.

use std::sync::Arc;

use anyhow::{anyhow, ensure};
use jiff::Timestamp;
use sluice_crds::Rollout;
use sluice_planner::{Pod, ReplicaSet, Snapshot, Workloads, plan};
use sluice_traffic::Objects;

use crate::figure::{Figure, median_of, time};
use crate::fleet::Model;

const CALLS: u32 = 2_000;

pub(crate) fn measure() -> anyhow::Result<Vec<Figure>> {
    let model = Model::released(10, true)?;
    let read = |sentence: String| anyhow!(sentence);
    let snapshot = Snapshot {
        runs: Vec::new(),
        experiments: Vec::new(),
        templates: Vec::new(),
        cluster_templates: Vec::new(),
        rollout: Arc::new(serde_json::from_value::<Rollout>(model.rollout.clone())?.into()),
        replica_sets: model
            .replica_sets
            .iter()
            .map(|set| Ok(Arc::new(ReplicaSet::from_json(set).map_err(read)?)))
            .collect::<anyhow::Result<_>>()?,
        pods: model
            .pods
            .iter()
            .map(|pod| Ok(Arc::new(Pod::from_json(pod).map_err(read)?)))
            .collect::<anyhow::Result<_>>()?,
        services: Vec::new(),
        routing: Objects::default(),
        workloads: Workloads::new(),
        probed: None,
        plugins: Arc::default(),
        called: None,
    };
    let now: Timestamp = "2026-01-02T00:00:00Z".parse()?;
    let known = plan(&snapshot, now);
    ensure!(known.writes.is_empty() && known.status.is_none(), "a release that waits writes nothing: {known:?}");
    let spent = median_of(5, || {
        time(|| {
            for _ in 0..CALLS {
                assert_eq!(plan(&snapshot, now).wake_at, known.wake_at);
            }
        })
    });
    Ok(vec![
        Figure::new("the plan of a Rollout with 10 revisions", spent.as_secs_f64() * 1e6 / f64::from(CALLS), "µs")
            .at_most(50.0),
    ])
}
