use serde_json::{Value, json};

use super::*;
use crate::read::read;

fn object(kind: Watched, value: &Value) -> Object {
    read(kind, value).expect("readable")
}

fn rollout(name: &str, version: u32) -> Object {
    object(
        Watched::Rollout,
        &json!({
            "metadata": {"name": name, "namespace": "shop", "uid": format!("uid-{name}"), "resourceVersion": version.to_string()},
            "spec": {"strategy": {"canary": {"stableService": format!("{name}-stable")}}},
        }),
    )
}

fn owned(kind: Watched, name: &str, owner: Option<&str>, version: u32) -> Object {
    let owners: Vec<Value> = owner.map(|uid| json!({"uid": uid, "controller": true})).into_iter().collect();
    object(
        kind,
        &json!({"metadata": {
            "name": name, "namespace": "shop", "uid": format!("uid-{name}"), "resourceVersion": version.to_string(),
            "ownerReferences": owners,
        }}),
    )
}

fn shop(name: &str) -> Name {
    Name::new("shop", name)
}

/// Two Rollouts; the first has a ReplicaSet with a pod.
fn cache() -> Cache {
    let mut cache = Cache::default();
    for object in [
        rollout("web", 1),
        rollout("api", 1),
        owned(Watched::ReplicaSet, "web-1", Some("uid-web"), 1),
        owned(Watched::Pod, "web-1-a", Some("uid-web-1"), 1),
    ] {
        cache.apply(object);
    }
    cache
}

#[test]
fn a_change_concerns_the_rollout_behind_it_and_no_other() {
    // (what arrives, the Rollouts that are looked at)
    for (arrives, concerned) in [
        (rollout("web", 2), vec!["web"]),
        (rollout("web", 1), vec![]),
        (owned(Watched::ReplicaSet, "web-1", Some("uid-web"), 2), vec!["web"]),
        (owned(Watched::ReplicaSet, "web-1", Some("uid-web"), 1), vec![]),
        (owned(Watched::ReplicaSet, "web-1", Some("uid-api"), 2), vec!["api", "web"]),
        (owned(Watched::ReplicaSet, "orphan", None, 1), vec!["api", "web"]),
        (owned(Watched::ReplicaSet, "foreign", Some("uid-of-a-deployment"), 1), vec![]),
        (owned(Watched::Pod, "web-1-a", Some("uid-web-1"), 2), vec!["web"]),
        (owned(Watched::Pod, "web-1-b", Some("uid-unknown"), 1), vec![]),
        (owned(Watched::Service, "api-stable", None, 1), vec!["api"]),
        (owned(Watched::Service, "other", None, 1), vec![]),
    ] {
        let text = format!("{arrives:?}");
        let found = cache().apply(arrives);
        assert_eq!(found, rollouts(concerned.into_iter().map(shop)), "{text}");
    }
}

#[test]
fn a_deletion_concerns_the_owner_whether_it_is_told_or_found_missing() {
    for (kind, name) in [(Watched::ReplicaSet, "web-1"), (Watched::Pod, "web-1-a")] {
        assert_eq!(cache().remove(kind, &shop(name)), rollouts([shop("web")]), "{name}");
        let mut cache = cache();
        cache.begin_list(kind);
        assert_eq!(cache.end_list(kind), [(shop(name), rollouts([shop("web")]))]);
    }
}

#[test]
fn a_service_that_is_no_longer_named_concerns_nobody() {
    let mut cache = cache();
    cache.remove(Watched::Rollout, &shop("api"));
    assert!(cache.apply(owned(Watched::Service, "api-stable", None, 1)).is_empty());
}

#[test]
fn a_snapshot_has_what_is_owned_what_may_be_adopted_and_what_has_its_name() {
    let mut cache = cache();
    for object in [
        owned(Watched::ReplicaSet, "orphan", None, 1),
        owned(Watched::ReplicaSet, "web-2", Some("uid-of-a-deployment"), 1),
        owned(Watched::ReplicaSet, "api-1", Some("uid-api"), 1),
        owned(Watched::Service, "web-stable", None, 1),
        owned(Watched::Service, "api-stable", None, 1),
    ] {
        cache.apply(object);
    }
    let snapshot = cache.snapshot(&shop("web")).expect("the Rollout is there");
    let names: Vec<&str> = snapshot.replica_sets.iter().map(|owned| owned.meta.name.as_str()).collect();
    assert_eq!(names, ["orphan", "web-1", "web-2"]);
    let names: Vec<&str> = snapshot.pods.iter().map(|pod| pod.meta.name.as_str()).collect();
    assert_eq!(names, ["web-1-a"]);
    let names: Vec<&str> = snapshot.services.iter().map(|service| service.meta.name.as_str()).collect();
    assert_eq!(names, ["web-stable"]);
    assert!(cache.snapshot(&shop("gone")).is_none());
}

#[test]
fn each_kind_is_missing_until_its_first_list_is_complete() {
    let mut cache = Cache::default();
    for kind in Watched::ALL.into_iter().filter(|kind| *kind != Watched::Pod) {
        cache.begin_list(kind);
        cache.end_list(kind);
    }
    cache.begin_list(Watched::Pod);
    assert_eq!(cache.missing(), [Watched::Pod]);
    cache.end_list(Watched::Pod);
    assert!(cache.missing().is_empty());
}
