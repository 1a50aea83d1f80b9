//! The built-in controllers, one look at a time: objects and a time in, writes out.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sluice_sandbox::controllers::{Kind, Write, deployment, disruption, endpoints, job, replica_set, scheduler};

fn now() -> Timestamp {
    "2026-01-01T00:10:00Z".parse().expect("a time")
}

fn pod(name: &str, owner: &str, ready_since: Option<&str>) -> Value {
    let mut pod = json!({
        "metadata": {
            "name": name, "namespace": "shop", "uid": format!("uid-{name}"),
            "labels": {"app": "web"},
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "ownerReferences": [{"uid": owner, "controller": true}],
        },
        "spec": {"nodeName": "node-1"},
        "status": {"phase": "Running", "podIP": "10.1.0.1"},
    });
    if let Some(since) = ready_since {
        pod["status"]["conditions"] = json!([{"type": "Ready", "status": "True", "lastTransitionTime": since}]);
    }
    pod
}

const READY: Option<&str> = Some("2026-01-01T00:09:00Z");

fn replica_set_of(replicas: i64) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": "web-1", "namespace": "shop", "uid": "rs-1", "generation": 1},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}},
        },
    })
}

fn refs(objects: &[Value]) -> Vec<&Value> {
    objects.iter().collect()
}

fn deleted(writes: &[Write]) -> Vec<String> {
    writes
        .iter()
        .filter_map(|write| match write {
            Write::Delete { name, .. } => Some(name.clone()),
            _ => None,
        })
        .collect()
}

fn status_of(writes: &[Write]) -> &Value {
    writes
        .iter()
        .find_map(|write| match write {
            Write::ReplaceStatus(_, object) => Some(&object["status"]),
            _ => None,
        })
        .expect("a status write")
}

#[test]
fn a_replica_set_creates_what_is_missing_from_its_template() {
    let decision = replica_set::decide(&replica_set_of(3), &refs(&[pod("a", "rs-1", READY)]), now());
    let created: Vec<&Value> = decision
        .writes
        .iter()
        .filter_map(|write| match write {
            Write::Create(Kind::Pod, pod) => Some(pod),
            _ => None,
        })
        .collect();
    assert_eq!(created.len(), 2);
    assert_eq!(created[0]["metadata"]["generateName"], "web-1-");
    assert_eq!(created[0]["metadata"]["labels"], json!({"app": "web"}));
    assert_eq!(created[0]["metadata"]["ownerReferences"][0]["uid"], "rs-1");
    assert_eq!(created[0]["spec"]["containers"][0]["image"], "web:1");
}

#[test]
fn a_replica_set_gives_up_the_pods_that_serve_least() {
    let mut unplaced = pod("unplaced", "rs-1", None);
    unplaced["spec"] = json!({});
    unplaced["status"]["phase"] = json!("Pending");
    let mut cheap = pod("cheap", "rs-1", READY);
    cheap["metadata"]["annotations"] = json!({"controller.kubernetes.io/pod-deletion-cost": "-5"});
    let young = pod("young", "rs-1", Some("2026-01-01T00:09:59Z"));
    let pods = [pod("old", "rs-1", READY), young, cheap, pod("unready", "rs-1", None), unplaced];
    for (keep, gone) in [
        (4, vec!["unplaced"]),
        (3, vec!["unplaced", "unready"]),
        (2, vec!["unplaced", "unready", "cheap"]),
        (1, vec!["unplaced", "unready", "cheap", "young"]),
    ] {
        let decision = replica_set::decide(&replica_set_of(keep), &refs(&pods), now());
        assert_eq!(deleted(&decision.writes), gone, "keeping {keep}");
    }
}

#[test]
fn a_pod_counts_as_available_only_after_min_ready_seconds() {
    let mut waiting = replica_set_of(1);
    waiting["spec"]["minReadySeconds"] = json!(90);
    let pods = [pod("a", "rs-1", READY)];
    let decision = replica_set::decide(&waiting, &refs(&pods), now());
    assert_eq!(
        status_of(&decision.writes),
        &json!({"observedGeneration": 1, "replicas": 1, "terminatingReplicas": 0, "fullyLabeledReplicas": 1, "readyReplicas": 1})
    );
    assert_eq!(decision.wake_at, Some("2026-01-01T00:10:30Z".parse().expect("a time")));
    let later = now() + SignedDuration::from_secs(30);
    let decision = replica_set::decide(&waiting, &refs(&pods), later);
    assert_eq!(status_of(&decision.writes)["availableReplicas"], 1);
}

#[test]
fn a_replica_set_adopts_a_matching_orphan_and_releases_what_stopped_matching() {
    let mut orphan = pod("orphan", "", READY);
    orphan["metadata"]["ownerReferences"] = json!([]);
    let mut stray = pod("stray", "rs-1", READY);
    stray["metadata"]["labels"] = json!({"app": "other"});
    let foreign = pod("foreign", "rs-2", READY);
    let decision = replica_set::decide(&replica_set_of(1), &refs(&[orphan, stray, foreign]), now());
    let patches: Vec<(&str, &Value)> = decision
        .writes
        .iter()
        .filter_map(|write| match write {
            Write::Patch { name, patch, .. } => Some((name.as_str(), &patch["metadata"]["ownerReferences"])),
            _ => None,
        })
        .collect();
    assert_eq!(patches.len(), 2);
    assert_eq!(patches[0].0, "orphan");
    assert_eq!(patches[0].1[0]["uid"], "rs-1");
    assert_eq!(patches[1], ("stray", &Value::Null));
    assert_eq!(deleted(&decision.writes), Vec::<String>::new());
}

fn deployment_of(replicas: i64, image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "uid": "d-1", "generation": 1},
        "spec": {
            "replicas": replicas,
            "progressDeadlineSeconds": 600,
            "revisionHistoryLimit": 1,
            "selector": {"matchLabels": {"app": "web"}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": template(image),
        },
    })
}

fn template(image: &str) -> Value {
    json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": image}]}})
}

fn set_of(image: &str, created: &str, size: i64, available: i64, desired: i64) -> Value {
    let name = format!("web-{}", image.replace(':', "-"));
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": name, "namespace": "shop", "uid": name, "generation": 1, "creationTimestamp": created,
            "labels": {"app": "web"},
            "annotations": {
                "deployment.kubernetes.io/revision": "1",
                "deployment.kubernetes.io/desired-replicas": desired.to_string(),
                "deployment.kubernetes.io/max-replicas": (desired + (desired + 3) / 4).to_string(),
            },
            "ownerReferences": [{"uid": "d-1", "controller": true}],
        },
        "spec": {"replicas": size, "selector": {"matchLabels": {"app": "web"}}, "template": template(image)},
        "status": {"replicas": size, "availableReplicas": available, "readyReplicas": available, "observedGeneration": 1},
    })
}

/// `(name, size)` of every ReplicaSet that the decision creates or resizes, in order.
fn resized(writes: &[Write]) -> Vec<(String, i64)> {
    writes
        .iter()
        .filter_map(|write| match write {
            Write::Create(Kind::ReplicaSet, set) | Write::Replace(Kind::ReplicaSet, set) => Some((
                set["spec"]["template"]["spec"]["containers"][0]["image"].as_str()?.to_owned(),
                set["spec"]["replicas"].as_i64()?,
            )),
            _ => None,
        })
        .collect()
}

#[test]
fn a_deployment_rolls_within_its_surge_and_unavailability() {
    let (old, new) = ("2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z");
    // (old size, old available, new size, new available) → the last size written to each.
    let rows = [
        ((10, 10), (3, 0), ("web:1", 8)),
        ((8, 8), (3, 0), ("web:2", 5)),
        ((8, 8), (5, 3), ("web:1", 5)),
        ((5, 5), (8, 5), ("web:1", 3)),
        ((3, 3), (10, 8), ("web:1", 0)),
        ((8, 2), (3, 0), ("web:2", 5)),
    ];
    for ((old_size, old_available), (new_size, new_available), expected) in rows {
        let mut sets =
            [set_of("web:1", old, old_size, old_available, 10), set_of("web:2", new, new_size, new_available, 10)];
        sets[1]["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = json!("2");
        let decision = deployment::decide(&deployment_of(10, "web:2"), &refs(&sets), &[], now());
        assert_eq!(
            resized(&decision.writes),
            [(expected.0.to_owned(), expected.1)],
            "old {old_size} ({old_available} available), new {new_size} ({new_available} available)"
        );
    }
}

#[test]
fn a_new_template_gets_a_replica_set_as_large_as_the_surge_allows() {
    let sets = [set_of("web:1", "2026-01-01T00:00:00Z", 10, 10, 10)];
    let mut serving = deployment_of(10, "web:2");
    serving["status"] = json!({"replicas": 10, "updatedReplicas": 10, "readyReplicas": 10, "availableReplicas": 10});
    let decision = deployment::decide(&serving, &refs(&sets), &[], now());
    let Some(Write::Create(Kind::ReplicaSet, created)) = decision.writes.first() else {
        panic!("the first write creates the ReplicaSet: {:?}", decision.writes)
    };
    let hash = created["metadata"]["labels"]["pod-template-hash"].as_str().expect("a hash");
    assert_eq!(created["metadata"]["name"], format!("web-{hash}"));
    assert_eq!(created["spec"]["selector"]["matchLabels"]["pod-template-hash"], hash);
    assert_eq!(created["spec"]["template"]["metadata"]["labels"]["pod-template-hash"], hash);
    assert_eq!(created["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "2");
    assert_eq!(created["spec"]["replicas"], 3);
    let progressing = &status_of(&decision.writes)["conditions"];
    assert!(
        progressing.as_array().is_some_and(|all| all.iter().any(|one| one["reason"] == "NewReplicaSetCreated")),
        "{progressing}"
    );
}

#[test]
fn pods_of_the_old_revision_that_serve_nobody_go_first() {
    let sets = [set_of("web:1", "2026-01-01T00:00:00Z", 10, 7, 10), set_of("web:2", "2026-01-01T00:05:00Z", 3, 3, 10)];
    let decision = deployment::decide(&deployment_of(10, "web:2"), &refs(&sets), &[], now());
    // Room for none: 13 exist. Slack 13 − 8 − 0 = 5: three unhealthy go, then 10 available − 8 = 2 more.
    assert_eq!(resized(&decision.writes).last(), Some(&("web:1".to_owned(), 5)));
}

#[test]
fn scaling_in_mid_roll_keeps_the_proportion() {
    let sets = [set_of("web:1", "2026-01-01T00:00:00Z", 8, 8, 10), set_of("web:2", "2026-01-01T00:05:00Z", 5, 3, 10)];
    let decision = deployment::decide(&deployment_of(20, "web:2"), &refs(&sets), &[], now());
    // 13 of 10 + 3 become 25 of 20 + 5: 8 → round(8·25/13) = 15, 5 → the other 10.
    let sizes = resized(&decision.writes);
    assert!(sizes.contains(&("web:1".to_owned(), 15)), "{sizes:?}");
    assert!(sizes.contains(&("web:2".to_owned(), 10)), "{sizes:?}");
}

#[test]
fn a_deployment_without_progress_times_out_and_says_so() {
    let mut stuck = deployment_of(2, "web:2");
    let sets = [set_of("web:1", "2026-01-01T00:00:00Z", 2, 2, 2), set_of("web:2", "2026-01-01T00:05:00Z", 1, 0, 2)];
    stuck["status"] = json!({
        "observedGeneration": 1, "replicas": 3, "updatedReplicas": 1, "readyReplicas": 2,
        "availableReplicas": 2, "unavailableReplicas": 1,
        "conditions": [{"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated", "lastUpdateTime": "2026-01-01T00:00:05Z", "lastTransitionTime": "2026-01-01T00:00:05Z"}],
    });
    let reason = |decision: &sluice_sandbox::controllers::Decision| {
        status_of(&decision.writes)["conditions"]
            .as_array()
            .and_then(|all| all.iter().find(|one| one["type"] == "Progressing"))
            .map(|one| (one["status"].clone(), one["reason"].clone(), one["message"].clone()))
    };
    let decision = deployment::decide(&stuck, &refs(&sets), &[], now());
    assert_eq!(decision.wake_at, Some("2026-01-01T00:10:06Z".parse().expect("a time")));
    let decision = deployment::decide(&stuck, &refs(&sets), &[], now() + SignedDuration::from_secs(6));
    assert_eq!(
        reason(&decision),
        Some((
            json!("False"),
            json!("ProgressDeadlineExceeded"),
            json!("ReplicaSet \"web-web-2\" has timed out progressing.")
        ))
    );
}

#[test]
fn recreate_waits_for_the_last_old_pod() {
    let mut recreating = deployment_of(2, "web:2");
    recreating["spec"]["strategy"] = json!({"type": "Recreate"});
    let running = [set_of("web:1", "2026-01-01T00:00:00Z", 2, 2, 2)];
    let old_pod = [pod("a", "web-web-1", READY)];
    let first = deployment::decide(&recreating, &refs(&running), &refs(&old_pod), now());
    assert_eq!(resized(&first.writes), [("web:1".to_owned(), 0)]);
    let drained = [set_of("web:1", "2026-01-01T00:00:00Z", 0, 0, 2)];
    let second = deployment::decide(&recreating, &refs(&drained), &refs(&old_pod), now());
    assert_eq!(resized(&second.writes), []);
    let third = deployment::decide(&recreating, &refs(&drained), &[], now());
    assert_eq!(resized(&third.writes), [("web:2".to_owned(), 2)]);
}

fn job_of(spec: &Value) -> Value {
    let mut job = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "check", "namespace": "shop", "uid": "job-1"},
        "spec": {"parallelism": 1, "completions": 1, "backoffLimit": 1, "template": {"metadata": {"labels": {"job-name": "check"}}, "spec": {"restartPolicy": "Never"}}},
        "status": {"startTime": "2026-01-01T00:09:00Z"},
    });
    if let (Some(base), Some(extra)) = (job["spec"].as_object_mut(), spec.as_object()) {
        base.extend(extra.clone());
    }
    job
}

fn job_pod(name: &str, phase: &str) -> Value {
    let mut pod = pod(name, "job-1", None);
    pod["metadata"]["finalizers"] = json!(["batch.kubernetes.io/job-tracking"]);
    pod["status"] = json!({"phase": phase, "containerStatuses": [{"state": {"terminated": {"finishedAt": "2026-01-01T00:09:55Z"}}}]});
    pod
}

#[test]
fn a_finished_pod_of_a_job_is_counted_once_and_then_let_go() {
    let mut running = job_of(&json!({}));
    let mut pods = [job_pod("a", "Succeeded")];
    let first = job::decide(&running, &refs(&pods), now());
    running["status"] = status_of(&first.writes).clone();
    assert_eq!(running["status"]["uncountedTerminatedPods"], json!({"succeeded": ["uid-a"]}));
    assert_eq!(running["status"].get("succeeded"), None);
    assert_eq!(running["status"]["conditions"][0]["type"], "SuccessCriteriaMet");
    let second = job::decide(&running, &refs(&pods), now());
    assert!(
        matches!(&second.writes[..], [Write::Patch { name, .. }] if name == "a"),
        "the finalizer goes: {:?}",
        second.writes
    );
    pods[0]["metadata"]["finalizers"] = Value::Null;
    let third = job::decide(&running, &refs(&pods), now());
    let status = status_of(&third.writes);
    assert_eq!(status["succeeded"], 1);
    assert_eq!(status["uncountedTerminatedPods"], json!({}));
    assert_eq!(status["conditions"][1]["type"], "Complete");
    assert_eq!(status["completionTime"], "2026-01-01T00:10:00Z");
}

#[test]
fn a_job_retries_after_a_growing_pause_until_its_limit() {
    let mut failing = job_of(&json!({}));
    let mut pods = vec![job_pod("a", "Failed")];
    failing["status"]["uncountedTerminatedPods"] = json!({"failed": ["uid-a"]});
    let waiting = job::decide(&failing, &refs(&pods), now());
    assert_eq!(waiting.wake_at, Some("2026-01-01T00:10:05Z".parse().expect("a time")));
    let retried = job::decide(&failing, &refs(&pods), now() + SignedDuration::from_secs(5));
    assert!(retried.writes.iter().any(|write| matches!(write, Write::Create(Kind::Pod, _))));
    pods.push(job_pod("b", "Failed"));
    failing["status"]["uncountedTerminatedPods"] = json!({"failed": ["uid-a", "uid-b"]});
    let given_up = job::decide(&failing, &refs(&pods), now() + SignedDuration::from_secs(60));
    let condition = &status_of(&given_up.writes)["conditions"][0];
    assert_eq!(
        (condition["type"].clone(), condition["reason"].clone()),
        (json!("FailureTarget"), json!("BackoffLimitExceeded"))
    );
}

#[test]
fn a_job_that_runs_too_long_is_stopped() {
    let late = job_of(&json!({"activeDeadlineSeconds": 60}));
    let mut running = job_pod("a", "Running");
    running["status"] = json!({"phase": "Running"});
    let decision = job::decide(&late, &refs(&[running]), now());
    assert_eq!(deleted(&decision.writes), ["a"]);
    assert_eq!(status_of(&decision.writes)["conditions"][0]["reason"], "DeadlineExceeded");
}

#[test]
fn a_service_lists_its_ready_unready_and_terminating_pods() {
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop", "uid": "svc-1"},
        "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]},
    });
    let mut leaving = pod("leaving", "rs-1", READY);
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:10:30Z");
    let pods = [pod("ready", "rs-1", READY), pod("unready", "rs-1", None), leaving];
    let decision = endpoints::decide(&service, &refs(&pods), &[], None);
    let [Write::Create(Kind::EndpointSlice, slice), Write::Create(Kind::Endpoints, older)] = &decision.writes[..]
    else {
        panic!("a slice and an Endpoints: {:?}", decision.writes)
    };
    assert_eq!(slice["ports"], json!([{"name": "http", "port": 8080, "protocol": "TCP"}]));
    let conditions: Vec<(&Value, &Value)> = slice["endpoints"]
        .as_array()
        .expect("endpoints")
        .iter()
        .map(|endpoint| (&endpoint["targetRef"]["name"], &endpoint["conditions"]))
        .collect();
    assert_eq!(
        conditions,
        [
            (&json!("leaving"), &json!({"ready": false, "serving": true, "terminating": true})),
            (&json!("ready"), &json!({"ready": true, "serving": true, "terminating": false})),
            (&json!("unready"), &json!({"ready": false, "serving": false, "terminating": false})),
        ]
    );
    assert_eq!(older["subsets"][0]["addresses"].as_array().map(Vec::len), Some(1));
    assert_eq!(older["subsets"][0]["notReadyAddresses"].as_array().map(Vec::len), Some(1));
    let again = endpoints::decide(&service, &refs(&pods), &[slice], Some(older));
    assert_eq!(again.writes, [], "nothing differs, nothing is written");
}

#[test]
fn a_budget_allows_what_is_above_its_floor() {
    let pods = [pod("a", "rs-1", READY), pod("b", "rs-1", READY), pod("c", "rs-1", None)];
    let of_three = |_: &Value| Some(("rs-1".to_owned(), 3));
    for (spec, allowed) in [
        (json!({"minAvailable": 1}), 1),
        (json!({"minAvailable": 2}), 0),
        (json!({"minAvailable": "50%"}), 0),
        (json!({"maxUnavailable": 2}), 1),
        (json!({"maxUnavailable": "34%"}), 1),
        (json!({"maxUnavailable": 0}), 0),
    ] {
        let mut budget = json!({"metadata": {"name": "web", "generation": 1}, "spec": spec});
        budget["spec"]["selector"] = json!({"matchLabels": {"app": "web"}});
        let decision = disruption::decide(&budget, &refs(&pods), &of_three, now());
        assert_eq!(status_of(&decision.writes)["disruptionsAllowed"], allowed, "{}", budget["spec"]);
    }
}

#[test]
fn a_pod_goes_to_the_emptiest_ready_node_that_takes_it() {
    let node = |name: &str, ready: &str| json!({"metadata": {"name": name, "labels": {"zone": name}}, "status": {"conditions": [{"type": "Ready", "status": ready}]}});
    let mut tainted = node("c", "True");
    tainted["spec"] = json!({"taints": [{"key": "gpu", "effect": "NoSchedule"}]});
    let nodes = [node("a", "True"), node("b", "True"), tainted, node("d", "False")];
    let busy = json!({"metadata": {"name": "x"}, "spec": {"nodeName": "a"}});
    let place = |spec: Value| scheduler::place(&json!({"spec": spec}), &refs(&nodes), &[&busy]);
    let on = |name: &str| scheduler::Placement::On(name.to_owned());
    assert_eq!(place(json!({})), on("b"));
    assert_eq!(place(json!({"nodeSelector": {"zone": "a"}})), on("a"));
    assert_eq!(place(json!({"tolerations": [{"operator": "Exists"}]})), on("b"));
    assert!(matches!(place(json!({"nodeSelector": {"zone": "d"}})), scheduler::Placement::Nowhere(_)));
}
