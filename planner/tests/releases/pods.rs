//! What happens to pods without a new revision: restarts, metadata of roles, nodes to keep off.

use serde_json::{Value, json};
use sluice_sandbox::api::request::Request;

use super::stories::twice;
use sluice_scenarios::{Crashes, Site};

const ROLLOUT: &str = "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: default}
spec:
  replicas: 5
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: own}, annotations: {sandbox.sluice.dev/ready-after: 5s}}
    spec: {containers: [{name: web, image: 'web:1'}]}
  strategy:
    canary:
      steps: [{setWeight: 20}, {pause: {}}]
";
const PODS: &str = "/api/v1/namespaces/default/pods";
const MERGE: &str = "application/merge-patch+json";

fn deployed(site: &mut Site, change: impl Fn(String) -> String) {
    site.create_rollout(&change(ROLLOUT.to_owned()));
    site.run_for(30);
    assert_eq!(site.said(), ("Healthy".into(), String::new()));
}

fn at_the_pause(site: &mut Site, change: impl Fn(String) -> String) {
    deployed(site, change);
    site.set_image("web:2");
    site.run_for(30);
    assert_eq!(site.said(), ("Paused".into(), "CanaryPauseStep".into()));
}

/// Asks for a restart at this very moment.
fn restart(site: &mut Site) -> String {
    let at = site.cluster.now().to_string();
    site.change(&json!({"spec": {"restartAt": at}}));
    at
}

fn pods(site: &Site) -> Vec<Value> {
    site.cluster.world().list("", "pods", "default").iter().map(|pod| pod.value().clone()).collect()
}

fn ready(site: &Site) -> usize {
    let is_ready = |pod: &Value| {
        let conditions = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions.iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
    };
    pods(site).iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null() && is_ready(pod)).count()
}

/// Lets time pass, looking every second. Returns the fewest pods that were ready, and the most that there were.
fn watch(site: &mut Site, seconds: i64) -> (usize, usize) {
    let mut seen = (usize::MAX, 0);
    for _ in 0..seconds {
        site.run_for(1);
        let there = pods(site).iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null()).count();
        seen = (seen.0.min(ready(site)), seen.1.max(there));
    }
    seen
}

fn all_are_newer_than(site: &Site, at: &str) -> bool {
    pods(site).iter().all(|pod| pod["metadata"]["creationTimestamp"].as_str() >= Some(at))
}

/// Values of a label, over all pods of a revision (by its image).
fn labels(site: &Site, image: &str, key: &str) -> Vec<Value> {
    let all = pods(site).into_iter().filter(|pod| pod["spec"]["containers"][0]["image"] == image);
    let mut values: Vec<Value> = all.map(|pod| pod["metadata"]["labels"][key].clone()).collect();
    values.dedup();
    values
}

fn template(site: &Site, image: &str) -> Value {
    let sets = site.cluster.world().list("apps", "replicasets", "default");
    let templates = sets.iter().map(|set| set.value()["spec"]["template"].clone());
    let mut of_image = templates.filter(|template| template["spec"]["containers"][0]["image"] == image);
    of_image.next().expect("the ReplicaSet")
}

#[test]
fn a_restart_replaces_all_pods_and_keeps_to_max_unavailable() {
    twice(|site| {
        deployed(site, |yaml| yaml);
        let at = restart(site);
        site.settle();
        assert_eq!(site.said(), ("Progressing".into(), "rollout is restarting".into()));
        let (fewest, most) = watch(site, 120);
        assert_eq!((fewest, most), (4, 5), "one of five may be missing, and none is surged");
        assert!(all_are_newer_than(site, &at));
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
        assert_eq!(site.status("restartedAt"), at);
    });
}

#[test]
fn a_restart_says_how_far_it_is() {
    let mut site = Site::new(Crashes::Never);
    deployed(&mut site, |yaml| yaml);
    restart(&mut site);
    site.run_for(17);
    assert_eq!(
        site.last.why,
        "restarting: 4 of 5 pods are newer than 2026-01-01T00:00:30Z; \
         waiting: revision 1 is stable with 4 of 5 pods available",
    );
}

#[test]
fn a_single_pod_is_restarted_without_a_moment_without_one() {
    for budgets in ["", "      maxSurge: 0\n      maxUnavailable: 1\n"] {
        twice(|site| {
            deployed(site, |yaml| {
                yaml.replace("replicas: 5", "replicas: 1").replace("      steps", &format!("{budgets}      steps"))
            });
            let at = restart(site);
            let (fewest, most) = watch(site, 60);
            assert_eq!((fewest, most), (1, 2));
            assert!(all_are_newer_than(site, &at));
            assert_eq!(site.sizes(), [(1, 1, 1)]);
            assert_eq!(site.status("restartedAt"), at);
            assert_eq!(site.said(), ("Healthy".into(), String::new()));
        });
    }
}

#[test]
fn where_none_may_be_missing_one_pod_more_comes_first() {
    twice(|site| {
        deployed(site, |yaml| yaml.replace("      steps", "      maxSurge: 1\n      maxUnavailable: 0\n      steps"));
        let at = restart(site);
        let (fewest, most) = watch(site, 120);
        assert_eq!((fewest, most), (5, 6));
        assert!(all_are_newer_than(site, &at));
        assert_eq!(site.sizes(), [(1, 5, 5)]);
        assert_eq!(site.status("restartedAt"), at);
    });
}

#[test]
fn a_restart_in_mid_release_leaves_both_revisions_where_they_are() {
    twice(|site| {
        for name in ["stable", "canary"] {
            let yaml = format!(
                "{{apiVersion: v1, kind: Service, metadata: {{name: {name}, namespace: default}}, \
                 spec: {{selector: {{app: web}}, ports: [{{port: 80}}]}}}}"
            );
            site.create("/api/v1/namespaces/default/services", &yaml);
        }
        at_the_pause(site, |yaml| {
            yaml.replace("      steps", "      stableService: stable\n      canaryService: canary\n      steps")
        });
        let at = restart(site);
        let (fewest, _) = watch(site, 120);
        assert_eq!(fewest, 4);
        assert!(all_are_newer_than(site, &at));
        assert_eq!(site.sizes(), [(1, 4, 4), (2, 1, 1)]);
        assert_eq!(site.said(), ("Paused".into(), "CanaryPauseStep".into()));
        assert_eq!(site.status("restartedAt"), at);
        site.wish(&json!({"pauseConditions": null}));
        site.run_for(60);
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
    });
}

#[test]
fn a_restart_at_a_later_time_waits_for_it() {
    twice(|site| {
        deployed(site, |yaml| yaml);
        let at = "2026-01-01T00:10:00Z";
        site.change(&json!({"spec": {"restartAt": at}}));
        site.run_for(300);
        assert!(!all_are_newer_than(site, "2026-01-01T00:00:30Z"));
        assert!(site.last.why.starts_with("to be restarted at 2026-01-01T00:10:00Z; "), "{}", site.last.why);
        site.run_for(400);
        assert!(all_are_newer_than(site, at));
        assert_eq!(site.status("restartedAt"), at);
    });
}

#[test]
fn a_disruption_budget_makes_a_restart_wait_and_nothing_else() {
    twice(|site| {
        let budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
        site.create(
            budgets,
            "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: web, namespace: default}, \
             spec: {maxUnavailable: 0, selector: {matchLabels: {app: web}}}}",
        );
        deployed(site, |yaml| yaml);
        let at = restart(site);
        site.run_for(60);
        assert_eq!(ready(site), 5);
        assert!(!all_are_newer_than(site, &at));
        assert_eq!(site.said(), ("Progressing".into(), "rollout is restarting".into()));
        assert!(site.refused > 0, "the budget was asked");
        assert!(site.refused <= 10, "asked {} times in a minute", site.refused);
        site.ask(Request::patch(&format!("{budgets}/web"), MERGE, &json!({"spec": {"maxUnavailable": 1}})));
        site.run_for(120);
        assert!(all_are_newer_than(site, &at));
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
    });
}

#[test]
fn pods_carry_the_metadata_of_their_role() {
    twice(|site| {
        let metadata = "      canaryMetadata: {labels: {role: canary, tier: try}, annotations: {note: new}}
      stableMetadata: {labels: {role: stable}}
      steps";
        at_the_pause(site, |yaml| yaml.replace("      steps", metadata));
        assert_eq!(labels(site, "web:1", "role"), ["stable"]);
        assert_eq!(labels(site, "web:2", "role"), ["canary"]);
        assert_eq!(
            (labels(site, "web:1", "tier"), labels(site, "web:2", "tier")),
            (vec!["own".into()], vec!["try".into()])
        );
        site.wish(&json!({"pauseConditions": null}));
        site.run_for(60);
        assert_eq!(site.sizes(), [(2, 5, 5)]);
        assert_eq!(labels(site, "web:2", "role"), ["stable"]);
        assert_eq!(labels(site, "web:2", "tier"), ["own"], "the template's own value is back");
        assert!(pods(site).iter().all(|pod| pod["metadata"]["annotations"]["note"].is_null()));
        assert_eq!(template(site, "web:2")["metadata"]["labels"]["role"], "stable");
    });
}

#[test]
fn metadata_that_is_no_longer_wanted_is_taken_away_again() {
    twice(|site| {
        deployed(site, |yaml| yaml.replace("      steps", "      stableMetadata: {labels: {tier: gold}}\n      steps"));
        assert_eq!(labels(site, "web:1", "tier"), ["gold"]);
        site.change(&json!({"spec": {"strategy": {"canary": {"stableMetadata": null}}}}));
        site.run_for(30);
        assert_eq!(labels(site, "web:1", "tier"), ["own"]);
        assert_eq!(template(site, "web:1")["metadata"]["labels"]["tier"], "own");
        assert_eq!(site.sizes(), [(1, 5, 5)], "no new revision");
    });
}

#[test]
fn a_label_that_somebody_took_off_a_pod_comes_back() {
    twice(|site| {
        deployed(site, |yaml| {
            yaml.replace("      steps", "      stableMetadata: {labels: {role: stable}}\n      steps")
        });
        let name = pods(site)[0]["metadata"]["name"].as_str().expect("a name").to_owned();
        let without = json!({"metadata": {"labels": {"role": null, "mine": "yes"}}});
        site.ask(Request::patch(&format!("{PODS}/{name}"), MERGE, &without));
        site.run_for(5);
        assert_eq!(labels(site, "web:1", "role"), ["stable"]);
        assert!(labels(site, "web:1", "mine").contains(&"yes".into()), "other labels are left alone");
    });
}

#[test]
fn new_pods_keep_off_the_nodes_of_stable_ones_until_they_are_stable() {
    twice(|site| {
        let rules = "      antiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {}}\n      steps";
        at_the_pause(site, |yaml| yaml.replace("replicas: 5", "replicas: 2").replace("      steps", rules));
        let terms = |site: &Site| {
            template(site, "web:2")
                .pointer("/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution")
                .cloned()
        };
        let expected = json!([{
            "labelSelector": {"matchExpressions": [
                {"key": "rollouts-pod-template-hash", "operator": "In", "values": [site.status("stableRS")]},
            ]},
            "topologyKey": "kubernetes.io/hostname",
        }]);
        assert_eq!(terms(site), Some(expected));
        let nodes = |image: &str| -> Vec<Value> {
            let of_image = pods(site).into_iter().filter(|pod| pod["spec"]["containers"][0]["image"] == image);
            of_image.map(|pod| pod["spec"]["nodeName"].clone()).collect()
        };
        assert!(nodes("web:2").iter().all(|node| !nodes("web:1").contains(node)));
        site.wish(&json!({"pauseConditions": null}));
        site.run_for(60);
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
        assert_eq!(terms(site), None, "the pods that come next may run anywhere");
        assert_eq!(template(site, "web:2")["spec"]["affinity"], Value::Null);
    });
}

const BLUE_GREEN: &str = "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: default}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {sandbox.sluice.dev/ready-after: 5s}}
    spec: {containers: [{name: web, image: 'web:1'}]}
  strategy:
    blueGreen:
      activeService: active
      previewService: preview
      autoPromotionEnabled: false
      maxUnavailable: 0
      previewMetadata: {labels: {role: preview}}
      activeMetadata: {labels: {role: active}}
      antiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: {weight: 50}}
";

fn with_preview(site: &mut Site) {
    for name in ["active", "preview"] {
        let yaml = format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: {name}, namespace: default}}, \
             spec: {{selector: {{app: web}}, ports: [{{port: 80}}]}}}}"
        );
        site.create("/api/v1/namespaces/default/services", &yaml);
    }
    site.create_rollout(BLUE_GREEN);
    site.run_for(30);
    assert_eq!(site.said(), ("Healthy".into(), String::new()));
    assert_eq!(labels(site, "web:1", "role"), ["active"]);
    site.set_image("web:2");
    site.run_for(30);
    assert_eq!(site.said(), ("Paused".into(), "BlueGreenPause".into()));
}

#[test]
fn metadata_follows_the_active_service() {
    twice(|site| {
        with_preview(site);
        assert_eq!(
            (labels(site, "web:1", "role"), labels(site, "web:2", "role")),
            (vec!["active".into()], vec!["preview".into()])
        );
        site.wish(&json!({"pauseConditions": null}));
        site.run_for(15);
        assert_eq!(labels(site, "web:2", "role"), ["active"]);
        assert_eq!(labels(site, "web:1", "role"), [Value::Null], "what serves no more says so");
        site.run_for(60);
        assert_eq!(site.sizes(), [(2, 3, 3)]);
        assert_eq!(template(site, "web:2")["spec"]["affinity"], Value::Null);
    });
}

#[test]
fn a_restart_renews_the_active_revision_and_its_preview() {
    twice(|site| {
        with_preview(site);
        let at = restart(site);
        let (fewest, most) = watch(site, 150);
        assert_eq!((fewest, most), (6, 7));
        assert!(all_are_newer_than(site, &at));
        assert_eq!(site.sizes(), [(1, 3, 3), (2, 3, 3)]);
        assert_eq!(site.said(), ("Paused".into(), "BlueGreenPause".into()));
        assert_eq!(site.status("restartedAt"), at);
    });
}
