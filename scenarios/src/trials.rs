//! The controller of Experiments, without threads, beside that of the Rollout.

use std::sync::Arc;

use serde_json::Value;
use sluice_crds::Experiment;
use sluice_planner::experiment::{Snapshot, plan};
use sluice_planner::{Plan, Pod, ReplicaSet, Service};

use crate::judge::Judge;
use crate::site::{Answer, Crashes, NAMESPACE, Site, decoded, templates};

impl Site {
    /// A pass over each Experiment. Says whether anything was written.
    pub(crate) fn pass_over_experiments(&mut self) -> bool {
        self.trials_wake = None;
        let experiments = self.cluster.world().list("argoproj.io", "experiments", NAMESPACE);
        let mut wrote = false;
        for object in experiments {
            let snapshot = self.experiment(object.value());
            let decided = plan(&snapshot, self.cluster.now());
            assert_eq!(decided, plan(&snapshot, self.cluster.now()), "the same snapshot and time, another plan");
            assert!(!decided.why.is_empty(), "a plan that does not say why");
            self.trials_wake = self.trials_wake.into_iter().chain(decided.wake_at).min();
            wrote |= self.carry_out_for(object.value(), &decided);
            if wrote && self.crashes == Crashes::AfterEachWrite {
                return true;
            }
        }
        wrote
    }

    fn carry_out_for(&mut self, experiment: &Value, decided: &Plan) -> bool {
        let mut wrote = false;
        for write in decided.writes.iter().chain(&decided.status) {
            Judge::before_trial(self.cluster.world(), experiment, write);
            if self.request(write) != Answer::Done {
                return true;
            }
            wrote = true;
            if self.crashes == Crashes::AfterEachWrite {
                return true;
            }
        }
        wrote
    }

    fn experiment(&self, object: &Value) -> Snapshot {
        let world = self.cluster.world();
        let experiment: Experiment = serde_json::from_value(object.clone()).expect("an Experiment");
        let list = |group: &str, plural: &str| world.list(group, plural, NAMESPACE);
        let sets = list("apps", "replicasets");
        let (pods, services) = (list("", "pods"), list("", "services"));
        Snapshot {
            experiment: Arc::new(experiment),
            rollout: self.found().map(|_| self.snapshot().rollout),
            replica_sets: sets.iter().map(|one| Arc::new(ReplicaSet::from_json(one.value()).expect("a set"))).collect(),
            pods: pods.iter().map(|one| Arc::new(Pod::from_json(one.value()).expect("a pod"))).collect(),
            services: services.iter().map(|one| Arc::new(Service::from_json(one.value()).expect("one"))).collect(),
            runs: decoded(&list("argoproj.io", "analysisruns")),
            templates: templates(&list("argoproj.io", "analysistemplates")),
            cluster_templates: templates(&world.list("argoproj.io", "clusteranalysistemplates", "")),
        }
    }
}
