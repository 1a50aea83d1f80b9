//! Pods come up: from nothing to all of them available.

use serde_json::{Value, json};

use super::fixture::{bench, now, service, set, status, version, writes};
use crate::experiment::create_refused;
use crate::plan::Action;

fn pending(since: &str, versions: &[&str]) -> Value {
    let statuses: Vec<Value> = versions
        .iter()
        .map(|name| json!({"name": name, "status": "Progressing", "lastTransitionTime": since, "availableReplicas": 0}))
        .collect();
    json!({"phase": "Pending", "templateStatuses": statuses})
}

const JUST_NOW: &str = "2026-01-01T11:59:50Z";

fn two() -> Value {
    json!({"templates": [version("old", 1), version("new", 2)], "duration": "5m"})
}

#[test]
fn that_it_has_begun_is_written_down_before_anything_is_created() {
    let plan = bench(two(), Value::Null).plan();
    assert_eq!(writes(&plan), [""; 0]);
    assert_eq!(status(&plan)["phase"], "Pending");
    assert_eq!(plan.why, "waiting for pods: old: 0 of 1 pods are available; new: 0 of 2 pods are available");
}

#[test]
fn versions_are_created_without_pods_and_then_sized() {
    // (ReplicaSets that are there, what is written)
    let rows: [(Vec<Value>, Vec<&str>); 4] = [
        (vec![], vec!["create ReplicaSet trial-old", "create ReplicaSet trial-new"]),
        (vec![set("old", 0, 0)], vec!["trial-old: /spec/replicas=1", "create ReplicaSet trial-new"]),
        (vec![set("old", 1, 0), set("new", 0, 0)], vec!["trial-new: /spec/replicas=2"]),
        (vec![set("old", 1, 1), set("new", 2, 1)], vec![]),
    ];
    for (sets, expected) in rows {
        let mut bench = bench(two(), pending(JUST_NOW, &["old", "new"]));
        bench.sets = sets;
        assert_eq!(writes(&bench.plan()), expected);
    }
}

#[test]
fn a_replica_set_is_named_labelled_and_owned_so_that_tools_find_it() {
    let plan = bench(two(), pending(JUST_NOW, &["old", "new"])).plan();
    let Action::Create(object) = &plan.writes[0].action else { panic!("a creation") };
    let hash = &object["metadata"]["labels"]["rollouts-pod-template-hash"];
    assert!(hash.is_string());
    assert_eq!(object["spec"]["selector"]["matchLabels"], json!({"app": "old", "rollouts-pod-template-hash": hash}));
    assert_eq!(object["spec"]["template"]["metadata"]["labels"]["rollouts-pod-template-hash"], *hash);
    assert_eq!(
        object["metadata"]["annotations"],
        json!({
            "experiment.argoproj.io/name": "trial", "experiment.argoproj.io/template-name": "old",
        })
    );
    assert_eq!(object["metadata"]["ownerReferences"][0]["uid"], "uid-trial");
    assert_eq!((&object["spec"]["replicas"], &object["spec"]["minReadySeconds"]), (&json!(0), &json!(0)));
}

#[test]
fn two_versions_of_the_same_template_have_pods_of_their_own() {
    let mut twin = version("old", 1);
    twin["name"] = json!("twin");
    let plan = bench(json!({"templates": [version("old", 1), twin]}), pending(JUST_NOW, &["old", "twin"])).plan();
    let hashes: Vec<Value> = plan
        .writes
        .iter()
        .map(|write| {
            let Action::Create(object) = &write.action else { panic!("a creation") };
            object["metadata"]["labels"]["rollouts-pod-template-hash"].clone()
        })
        .collect();
    assert_ne!(hashes[0], hashes[1]);
}

#[test]
fn it_runs_from_the_moment_at_which_all_pods_are_available() {
    let mut bench = bench(two(), pending(JUST_NOW, &["old", "new"]));
    bench.sets = vec![set("old", 1, 1), set("new", 2, 2)];
    let plan = bench.plan();
    let said = status(&plan);
    assert_eq!([&said["phase"], &said["availableAt"]], ["Running", "2026-01-01T12:00:00Z"]);
    let versions: Vec<&Value> =
        said["templateStatuses"].as_array().expect("two").iter().map(|one| &one["status"]).collect();
    assert_eq!(versions, ["Running", "Running"]);
    let told: Vec<&str> = plan.events.iter().map(|event| event.reason).collect();
    assert_eq!(told, ["TemplateRunning", "TemplateRunning", "ExperimentRunning"]);
}

#[test]
fn pods_that_never_become_available_fail_it_at_the_deadline_and_not_before() {
    // (since when nothing has changed, the phase, when it is looked at again)
    for (since, phase, wake) in
        [("2026-01-01T11:59:01Z", "Pending", Some("2026-01-01T12:00:01Z")), ("2026-01-01T11:59:00Z", "Failed", None)]
    {
        let mut spec = json!({"templates": [version("new", 2)]});
        spec["progressDeadlineSeconds"] = json!(60);
        let mut bench = bench(spec, pending(since, &["new"]));
        bench.sets = vec![set("new", 2, 0)];
        bench.pods = vec![json!({
            "metadata": {"name": "p", "namespace": "shop", "uid": "p", "ownerReferences": [{"uid": "uid-trial-new", "controller": true}]},
            "status": {"containerStatuses": [{"name": "web", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]},
        })];
        let plan = bench.plan();
        assert_eq!(status(&plan)["phase"], phase);
        assert_eq!(plan.wake_at.map(|at| at.to_string()), wake.map(str::to_owned));
        assert!(plan.why.contains("0 of 2 pods are available (container web: ImagePullBackOff)"), "{}", plan.why);
        assert!(plan.writes.is_empty(), "a verdict is written down before anything is taken away");
    }
}

#[test]
fn more_available_pods_are_progress() {
    let mut bench = bench(two(), pending("2026-01-01T11:50:00Z", &["old", "new"]));
    bench.sets = vec![set("old", 1, 1), set("new", 2, 1)];
    let said = status(&bench.plan());
    assert_eq!(said["phase"], "Pending");
    assert_eq!(said["templateStatuses"][1]["lastTransitionTime"], "2026-01-01T12:00:00Z");
}

#[test]
fn a_version_that_loses_its_pods_has_a_deadline_again() {
    let mut bench =
        bench(json!({"templates": [version("new", 1)], "duration": "1h"}), super::fixture::running(&["new"]));
    bench.sets = vec![set("new", 1, 0)];
    let plan = bench.plan();
    let said = status(&plan);
    assert_eq!([&said["phase"], &said["templateStatuses"][0]["status"]], ["Running", "Progressing"]);
    assert_eq!(plan.wake_at.map(|at| at.to_string()).as_deref(), Some("2026-01-01T12:10:00Z"));
}

#[test]
fn a_service_is_made_where_one_is_asked_for_and_waited_for() {
    let mut spec = json!({"templates": [version("new", 1)]});
    spec["templates"][0]["service"] = json!({"name": "preview"});
    let mut bench = bench(spec, pending(JUST_NOW, &["new"]));
    bench.sets = vec![set("new", 1, 1)];
    let plan = bench.plan();
    assert_eq!(writes(&plan), ["create Service preview"]);
    assert!(plan.why.starts_with("waiting for pods"), "{}", plan.why);
    let Action::Create(object) = &plan.writes[0].action else { panic!("a creation") };
    assert_eq!(
        object["spec"],
        json!({
            "selector": {"app": "new", "rollouts-pod-template-hash": "hash-new"},
            "ports": [{"name": "http", "protocol": "TCP", "port": 8080, "targetPort": 8080}],
        })
    );
    bench.services = vec![service("preview", "hash-new", "uid-trial")];
    let said = status(&bench.plan());
    assert_eq!([&said["phase"], &said["templateStatuses"][0]["serviceName"]], ["Running", "preview"]);
}

#[test]
fn a_name_that_is_taken_is_told_and_nothing_of_others_is_touched() {
    let mut spec = json!({"templates": [version("new", 1)]});
    spec["templates"][0]["service"] = json!({});
    let mut bench = bench(spec, pending(JUST_NOW, &["new"]));
    let mut foreign = set("new", 3, 3);
    foreign["metadata"]["ownerReferences"] = json!([{"uid": "somebody", "controller": true}]);
    bench.sets = vec![foreign];
    bench.services = vec![service("trial-new", "hash-new", "somebody")];
    let plan = bench.plan();
    assert_eq!(writes(&plan), [""; 0]);
    assert_eq!(
        plan.why,
        "waiting for pods: new: the name of ReplicaSet trial-new is taken by another one; delete that, or choose another name here"
    );
}

#[test]
fn what_the_api_server_refuses_is_said() {
    let bench = bench(json!({"templates": [version("new", 1)]}), pending(JUST_NOW, &["new"]));
    let write = bench.plan().writes.remove(0);
    let plan = create_refused(&bench.snapshot(), &write, "exceeded quota: pods", now()).expect("news");
    assert!(plan.writes.is_empty());
    let sentence = "ReplicaSet trial-new can't be created: exceeded quota: pods";
    assert_eq!(plan.why, format!("waiting for pods: new: {sentence}"));
    let event = plan.events.last().expect("an event");
    assert_eq!((event.reason, event.message.as_str()), ("ReplicaSetCreateError", sentence));
}

#[test]
fn a_retry_takes_the_pods_up_again_that_were_to_go() {
    let mut bench = bench(json!({"templates": [version("new", 1)]}), pending(JUST_NOW, &["new"]));
    let mut left = set("new", 0, 0);
    left["metadata"]["annotations"]["scale-down-deadline"] = json!("2026-01-01T11:00:00Z");
    bench.sets = vec![left];
    assert_eq!(writes(&bench.plan()), ["trial-new: /metadata/annotations/scale-down-deadline=null /spec/replicas=1"]);
}
