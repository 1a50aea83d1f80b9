//! Lists, their pages and selectors; watches, their events and their end.

use crate::support::{Cluster, MERGE, names, pod};
use serde_json::{Value, json};
use sluice_sandbox::api::request::Request;

const MAPS: &str = "/api/v1/namespaces/shop/configmaps";
const PODS: &str = "/api/v1/namespaces/shop/pods";

fn with_maps(names: &[&str]) -> Cluster {
    let mut cluster = Cluster::new();
    for name in names {
        cluster.labelled(name, &json!({"name": name}));
    }
    cluster
}

#[test]
fn a_list_names_its_revision_and_leaves_out_the_kind_of_each_item() {
    let mut cluster = with_maps(&["b", "a"]);
    let (code, list) = cluster.get(MAPS);
    assert_eq!(code, 200);
    assert_eq!((&list["kind"], &list["apiVersion"]), (&json!("ConfigMapList"), &json!("v1")));
    assert_eq!(list["metadata"], json!({"resourceVersion": "4"}));
    assert_eq!(names(&list), ["a", "b"]);
    assert_eq!(list["items"][0].get("kind"), None);
}

#[test]
fn lists_stay_in_their_namespace() {
    let mut cluster = with_maps(&["a"]);
    for namespace in ["sho", "shop-2", "shop0"] {
        cluster.create("/api/v1/namespaces", &json!({"metadata": {"name": namespace}}));
        let body = json!({"metadata": {"name": format!("in-{namespace}")}});
        cluster.create(&format!("/api/v1/namespaces/{namespace}/configmaps"), &body);
    }
    assert_eq!(names(&cluster.get(MAPS).1), ["a"]);
    assert_eq!(
        names(&cluster.get("/api/v1/configmaps").1),
        ["in-sho", "in-shop-2", "a", "in-shop0"],
        "ordered as etcd orders keys"
    );
}

#[test]
fn selectors_select() {
    let mut cluster = Cluster::new();
    cluster.labelled("blue", &json!({"app": "web", "track": "stable", "weight": "80"}));
    cluster.labelled("green", &json!({"app": "web", "track": "canary", "weight": "20"}));
    cluster.labelled("plain", &json!({}));
    let table: [(&str, &[&str]); 12] = [
        ("labelSelector=app%3Dweb", &["blue", "green"]),
        ("labelSelector=app%3D%3Dweb,track!%3Dcanary", &["blue"]),
        ("labelSelector=track", &["blue", "green"]),
        ("labelSelector=!track", &["plain"]),
        ("labelSelector=track+in+(canary,+other)", &["green"]),
        ("labelSelector=track+notin+(canary)", &["blue", "plain"]),
        ("labelSelector=weight>50", &["blue"]),
        ("labelSelector=weight<50", &["green"]),
        ("labelSelector=", &["blue", "green", "plain"]),
        ("fieldSelector=metadata.name%3Dgreen", &["green"]),
        ("fieldSelector=metadata.name!%3Dgreen", &["blue", "plain"]),
        ("fieldSelector=metadata.name%3Dgreen&labelSelector=track%3Dstable", &[]),
    ];
    for (query, wanted) in table {
        let (code, list) = cluster.get(&format!("{MAPS}?{query}"));
        assert_eq!((code, names(&list)), (200, wanted.iter().map(|one| (*one).to_owned()).collect()), "{query}");
    }
}

#[test]
fn pods_are_selected_by_node_and_phase() {
    let mut cluster = Cluster::new();
    cluster.create(PODS, &pod("a"));
    let mut elsewhere = pod("b");
    elsewhere["spec"]["nodeName"] = json!("node-2");
    cluster.create(PODS, &elsewhere);
    let (_, list) = cluster.get("/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-2,status.phase%3DPending");
    assert_eq!(names(&list), ["b"]);
    let (_, list) = cluster.get("/api/v1/pods?fieldSelector=status.phase!%3DPending");
    assert_eq!(names(&list), Vec::<String>::new());
}

#[test]
fn pages_show_the_revision_of_the_first_one() {
    let mut cluster = with_maps(&["a", "b", "c", "d", "e"]);
    let (_, first) = cluster.get(&format!("{MAPS}?limit=2"));
    assert_eq!(names(&first), ["a", "b"]);
    assert_eq!(first["metadata"]["remainingItemCount"], 3);
    let token = first["metadata"]["continue"].as_str().unwrap_or("").to_owned();
    cluster.delete(&format!("{MAPS}/d"));
    cluster.labelled("bb", &json!({}));
    cluster.patch(&format!("{MAPS}/e"), MERGE, &json!({"data": {"changed": "yes"}}));
    let (code, second) = cluster.get(&format!("{MAPS}?limit=2&continue={token}"));
    assert_eq!((code, names(&second)), (200, vec!["c".to_owned(), "d".to_owned()]));
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    let token = second["metadata"]["continue"].as_str().unwrap_or("");
    let (_, last) = cluster.get(&format!("{MAPS}?limit=2&continue={token}"));
    assert_eq!(names(&last), ["e"]);
    assert_eq!(last["items"][0].get("data"), None, "as it was");
    assert_eq!(last["metadata"].get("continue"), None);
    assert_eq!(names(&cluster.get(MAPS).1), ["a", "b", "bb", "c", "e"]);
}

#[test]
fn a_selected_page_does_not_count_what_remains() {
    let mut cluster = with_maps(&["a", "b", "c"]);
    let (_, page) = cluster.get(&format!("{MAPS}?limit=1&labelSelector=name"));
    assert!(page["metadata"]["continue"].is_string());
    assert_eq!(page["metadata"].get("remainingItemCount"), None);
    let (_, page) = cluster.get(&format!("{MAPS}?limit=1&labelSelector=name%3Da"));
    assert_eq!(page["metadata"].get("continue"), None, "nothing selected follows");
}

#[test]
fn a_page_of_a_forgotten_revision_is_gone_and_offers_another_way() {
    let mut cluster = with_maps(&["a", "b", "c"]);
    let (_, first) = cluster.get(&format!("{MAPS}?limit=1"));
    let token = first["metadata"]["continue"].as_str().unwrap_or("").to_owned();
    cluster.delete(&format!("{MAPS}/c"));
    let revision = cluster.world.revision();
    cluster.world.compact(revision);
    let (code, gone) = cluster.get(&format!("{MAPS}?limit=1&continue={token}"));
    assert_eq!((code, gone["reason"].as_str()), (410, Some("Expired")));
    let token = gone["metadata"]["continue"].as_str().unwrap_or("").to_owned();
    let (code, rest) = cluster.get(&format!("{MAPS}?continue={token}"));
    assert_eq!((code, names(&rest)), (200, vec!["b".to_owned()]));
}

#[test]
fn a_list_can_ask_for_an_exact_revision() {
    let mut cluster = with_maps(&["a", "b"]);
    cluster.delete(&format!("{MAPS}/a"));
    let exact = format!("{MAPS}?resourceVersion=4&resourceVersionMatch=Exact");
    let (code, list) = cluster.get(&exact);
    assert_eq!((code, names(&list)), (200, vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(list["metadata"]["resourceVersion"], "4");
    let (_, list) = cluster.get(&format!("{MAPS}?resourceVersion=4&resourceVersionMatch=NotOlderThan"));
    assert_eq!(names(&list), ["b"]);
    let (_, list) = cluster.get(&format!("{MAPS}?resourceVersion=0"));
    assert_eq!(names(&list), ["b"]);
    for query in [
        "resourceVersionMatch=Exact",
        "resourceVersion=0&resourceVersionMatch=Exact",
        "resourceVersion=4&resourceVersionMatch=Odd",
        "sendInitialEvents=true",
    ] {
        assert_eq!(cluster.get(&format!("{MAPS}?{query}")).0, 422, "{query}");
    }
    cluster.world.compact(5);
    assert_eq!(cluster.get(&exact).0, 410);
}

#[test]
fn a_watch_shows_what_is_there_and_then_what_happens() {
    let mut cluster = with_maps(&["a"]);
    let mut watch = cluster.watch(&format!("{MAPS}?watch=true"));
    assert_eq!(cluster.event_names(&mut watch), ["ADDED a"]);
    cluster.labelled("b", &json!({}));
    cluster.patch(&format!("{MAPS}/a"), MERGE, &json!({"data": {"x": "1"}}));
    cluster.delete(&format!("{MAPS}/a"));
    assert_eq!(cluster.event_names(&mut watch), ["ADDED b", "MODIFIED a", "DELETED a"]);
    assert_eq!(cluster.event_names(&mut watch), Vec::<String>::new());
}

#[test]
fn a_watch_resumes_where_a_list_ended() {
    let mut cluster = with_maps(&["a"]);
    let revision = cluster.get(MAPS).1["metadata"]["resourceVersion"].clone();
    cluster.labelled("b", &json!({}));
    let revision = revision.as_str().unwrap_or("");
    let mut watch = cluster.watch(&format!("{MAPS}?watch=true&resourceVersion={revision}"));
    let events = cluster.events(&mut watch);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["object"]["kind"], "ConfigMap", "events do carry the kind");
    assert_eq!(events[0]["object"]["metadata"]["resourceVersion"], "4");
}

#[test]
fn a_deleted_object_shows_the_revision_of_its_deletion() {
    let mut cluster = with_maps(&["a"]);
    let mut watch = cluster.watch(&format!("{MAPS}?watch=true&resourceVersion=3"));
    cluster.delete(&format!("{MAPS}/a"));
    let events = cluster.events(&mut watch);
    assert_eq!(events[0]["object"]["metadata"]["resourceVersion"], "4");
}

#[test]
fn an_object_that_leaves_the_selector_is_deleted_for_the_watcher() {
    let mut cluster = with_maps(&["a"]);
    let mut watch = cluster.watch(&format!("{MAPS}?watch=true&labelSelector=name%3Da"));
    cluster.event_names(&mut watch);
    cluster.patch(&format!("{MAPS}/a"), MERGE, &json!({"metadata": {"labels": {"name": "z"}}}));
    let events = cluster.events(&mut watch);
    assert_eq!(events[0]["type"], "DELETED");
    assert_eq!(events[0]["object"]["metadata"]["labels"]["name"], "a", "its last selected state");
    assert_eq!(events[0]["object"]["metadata"]["resourceVersion"], "4", "at the revision of the change");
    cluster.patch(&format!("{MAPS}/a"), MERGE, &json!({"data": {"unseen": "1"}}));
    cluster.patch(&format!("{MAPS}/a"), MERGE, &json!({"metadata": {"labels": {"name": "a"}}}));
    assert_eq!(cluster.event_names(&mut watch), ["ADDED a"]);
}

#[test]
fn a_watch_of_one_object_sees_only_that() {
    let mut cluster = with_maps(&["a", "b"]);
    let mut watch = cluster.watch(&format!("{MAPS}?watch=true&fieldSelector=metadata.name%3Da"));
    let mut by_path = cluster.watch("/api/v1/watch/namespaces/shop/configmaps/a");
    cluster.delete(&format!("{MAPS}/b"));
    assert_eq!(cluster.event_names(&mut watch), ["ADDED a"]);
    assert_eq!(cluster.event_names(&mut by_path), ["ADDED a"]);
}

#[test]
fn a_watch_from_a_forgotten_revision_is_told_to_start_over() {
    let mut cluster = with_maps(&["a", "b"]);
    cluster.world.compact(4);
    let mut watch = cluster.watch(&format!("{MAPS}?watch=true&resourceVersion=2"));
    let events = cluster.events(&mut watch);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["type"], "ERROR");
    assert_eq!(
        events[0]["object"],
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "too old resource version: 2 (4)", "reason": "Expired", "code": 410,
        })
    );
    assert!(watch.has_ended());
}

#[test]
fn a_watcher_that_falls_too_far_behind_is_told_to_start_over() {
    let mut cluster = Cluster::new();
    cluster.world = cluster.world.clone().with_log_capacity(2);
    let mut watch = cluster.watch(&format!("{MAPS}?watch=true&resourceVersion=2"));
    for name in ["a", "b", "c"] {
        cluster.labelled(name, &json!({}));
    }
    assert_eq!(cluster.event_names(&mut watch), ["ERROR"]);
}

#[test]
fn bookmarks_come_only_to_those_who_asked() {
    let mut cluster = with_maps(&["a"]);
    let mut quiet = cluster.watch(&format!("{MAPS}?watch=true&resourceVersion=3&timeoutSeconds=300"));
    let mut marked =
        cluster.watch(&format!("{MAPS}?watch=true&resourceVersion=3&allowWatchBookmarks=true&timeoutSeconds=300"));
    assert_eq!(cluster.event_names(&mut marked), Vec::<String>::new());
    cluster.create("/api/v1/namespaces", &json!({"metadata": {"name": "other"}}));
    cluster.wait(61);
    assert_eq!(cluster.events(&mut quiet), Vec::<Value>::new());
    let events = cluster.events(&mut marked);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["type"], "BOOKMARK");
    assert_eq!(events[0]["object"]["kind"], "ConfigMap");
    assert_eq!(events[0]["object"]["metadata"]["resourceVersion"], "4");
    cluster.wait(300);
    cluster.events(&mut quiet);
    assert!(quiet.has_ended(), "its time is up");
}

#[test]
fn a_streaming_list_marks_its_end() {
    let mut cluster = with_maps(&["a", "b"]);
    let path =
        format!("{MAPS}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
    let mut watch = cluster.watch(&path);
    let events = cluster.events(&mut watch);
    assert_eq!(events.iter().filter(|event| event["type"] == "ADDED").count(), 2);
    let mark = &events[2];
    assert_eq!(mark["type"], "BOOKMARK");
    assert_eq!(mark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    assert_eq!(mark["object"]["metadata"]["resourceVersion"], "4");
    let without_match = Request::get(&format!("{MAPS}?watch=true&sendInitialEvents=true"));
    assert_eq!(cluster.answer(without_match).0, 422);
    let mut from_now =
        cluster.watch(&format!("{MAPS}?watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan"));
    assert_eq!(cluster.events(&mut from_now), Vec::<Value>::new());
}

#[test]
fn a_fork_goes_its_own_way() {
    let mut cluster = with_maps(&["a"]);
    let mut fork = Cluster { world: cluster.world.clone(), clock: cluster.clock };
    fork.labelled("only-here", &json!({}));
    cluster.delete(&format!("{MAPS}/a"));
    assert_eq!(names(&fork.get(MAPS).1), ["a", "only-here"]);
    assert_eq!(names(&cluster.get(MAPS).1), Vec::<String>::new());
}
