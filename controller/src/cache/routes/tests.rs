use serde_json::{Value, json};

use super::*;
use crate::cache::{Cache, Object};
use crate::read::read;

const SERVICE: Watched = Watched::Route(sluice_traffic::Kind::VirtualService);
const ROUTE: Watched = Watched::Route(sluice_traffic::Kind::HttpRoute);
const GRANT: Watched = Watched::ReferenceGrant;

fn shop(name: &str) -> Name {
    Name::new("shop", name)
}

fn with_routing(name: &str, routing: &Value) -> Object {
    let rollout = json!({
        "metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": "1"},
        "spec": {"strategy": {"canary": {
            "stableService": "stable", "canaryService": "canary", "trafficRouting": routing,
        }}},
    });
    read(Watched::Rollout, &rollout).expect("a Rollout")
}

/// A Rollout that is routed by a VirtualService.
fn rollout(name: &str, service: &str) -> Object {
    with_routing(name, &json!({"istio": {"virtualService": {"name": service}}}))
}

fn object(kind: Watched, namespace: &str, name: &str, version: u32) -> Object {
    let meta = json!({"name": name, "namespace": namespace, "uid": name, "resourceVersion": version.to_string()});
    read(kind, &json!({ "metadata": meta })).expect("an object")
}

fn read_as(object: Object) -> Vec<Cached<Needed>> {
    match object {
        Object::Needed(_, object) => vec![object],
        other => panic!("no routing object: {other:?}"),
    }
}

fn cache(rollouts: &[(&str, &str)]) -> Cache {
    let mut cache = Cache::default();
    for (name, service) in rollouts {
        cache.apply(rollout(name, service));
    }
    cache
}

/// What a Rollout's plan sees of each object that it needs; an object that nobody has looked for is not among them.
fn seen(cache: &Cache, rollout: &str) -> Vec<String> {
    let found = format!("{:?}", cache.routes.objects(&shop(rollout)));
    let what = |name: &str| -> Option<String> {
        let at = found.split_once(&format!("name: {name:?} }}: "))?.1;
        let word: String = at.chars().take_while(char::is_ascii_alphabetic).collect();
        Some(format!("{name} {word}"))
    };
    ["web", "api"].into_iter().filter_map(what).collect()
}

fn concerned(rollouts: &[&str]) -> crate::cache::Concerned {
    names(rollouts).into_iter().map(|name| (crate::work::Work::Rollouts, name)).collect()
}

fn names(all: &[&str]) -> BTreeSet<Name> {
    all.iter().map(|name| shop(name)).collect()
}

#[test]
fn a_kind_is_watched_while_a_rollout_needs_it() {
    let mut cache = cache(&[("a", "web")]);
    assert_eq!(cache.routes.needed_kinds(), BTreeSet::from([SERVICE]));
    cache.apply(rollout("b", "web"));
    cache.remove(Watched::Rollout, &shop("a"));
    assert_eq!(cache.routes.needed_kinds(), BTreeSet::from([SERVICE]));
    cache.remove(Watched::Rollout, &shop("b"));
    assert!(cache.routes.needed_kinds().is_empty());
}

#[test]
fn an_object_is_unknown_until_a_list_is_complete_and_then_it_is_there_or_not() {
    let mut cache = cache(&[("a", "web"), ("b", "api")]);
    assert!(seen(&cache, "a").is_empty());
    cache.begin_list(SERVICE);
    cache.apply(object(SERVICE, "shop", "web", 5));
    assert_eq!(seen(&cache, "a"), ["web There"]);
    assert!(seen(&cache, "b").is_empty(), "it may be on the next page");
    assert_eq!(cache.end_list(SERVICE), [(shop("api"), concerned(&["b"]))]);
    assert_eq!(seen(&cache, "b"), ["api Absent"]);
}

#[test]
fn objects_that_no_rollout_needs_are_not_kept() {
    let mut cache = cache(&[("a", "web")]);
    cache.begin_list(SERVICE);
    for name in ["web", "api", "other"] {
        cache.apply(object(SERVICE, "shop", name, 5));
    }
    cache.end_list(SERVICE);
    assert_eq!(cache.version(SERVICE, &shop("web")), Some("5"));
    assert_eq!(cache.version(SERVICE, &shop("api")), None);
    cache.apply(rollout("a", "api"));
    assert_eq!(cache.version(SERVICE, &shop("web")), None, "nobody needs it any more");
}

#[test]
fn each_rollout_that_needs_an_object_is_woken_by_its_change() {
    let mut cache = cache(&[("a", "web"), ("b", "web"), ("c", "api")]);
    assert_eq!(cache.apply(object(SERVICE, "shop", "web", 5)), concerned(&["a", "b"]));
    assert!(cache.apply(object(SERVICE, "shop", "web", 5)).is_empty(), "nothing changed");
    assert_eq!(cache.remove(SERVICE, &shop("web")), concerned(&["a", "b"]));
    assert_eq!(seen(&cache, "a"), ["web Absent"]);
}

/// A watch that is under way and has shown nothing that was needed then.
fn watching() -> Cache {
    let mut cache = cache(&[("a", "web")]);
    cache.routes.begin_watch(SERVICE, "v1");
    cache.begin_list(SERVICE);
    cache.end_list(SERVICE);
    cache.apply(rollout("b", "api"));
    cache
}

#[test]
fn what_is_needed_later_is_read_once() {
    let mut cache = watching();
    let unread = Unread { kind: SERVICE, version: "v1", name: shop("api") };
    assert_eq!(cache.routes.unread(), [unread]);
    let found = read_as(object(SERVICE, "shop", "api", 7));
    assert_eq!(cache.routes.take_read(SERVICE, &shop("api"), found), names(&["b"]));
    assert_eq!(seen(&cache, "b"), ["api There"]);
    assert!(cache.routes.unread().is_empty());
}

#[test]
fn what_the_watch_shows_meanwhile_counts_more_than_what_was_read() {
    let read = || read_as(object(SERVICE, "shop", "api", 7));
    let mut cache = watching();
    cache.apply(object(SERVICE, "shop", "api", 9));
    cache.routes.take_read(SERVICE, &shop("api"), read());
    assert_eq!(cache.version(SERVICE, &shop("api")), Some("9"));

    let mut cache = watching();
    cache.remove(SERVICE, &shop("api"));
    cache.routes.take_read(SERVICE, &shop("api"), read());
    assert_eq!(seen(&cache, "b"), ["api Absent"]);

    let mut cache = watching();
    cache.routes.take_read(SERVICE, &shop("api"), read());
    cache.apply(object(SERVICE, "shop", "api", 6));
    assert_eq!(cache.version(SERVICE, &shop("api")), Some("7"), "the watch is behind what was read");

    let mut cache = watching();
    cache.begin_list(SERVICE);
    cache.routes.take_read(SERVICE, &shop("api"), read());
    cache.end_list(SERVICE);
    assert_eq!(seen(&cache, "b"), ["api Absent"], "the list began after the read");
}

#[test]
fn a_new_list_tells_what_vanished_and_only_of_what_it_could_show() {
    let mut cache = cache(&[("a", "web")]);
    cache.apply(object(SERVICE, "shop", "web", 5));
    cache.begin_list(SERVICE);
    cache.apply(rollout("b", "api"));
    assert_eq!(cache.end_list(SERVICE), [(shop("web"), concerned(&["a"]))]);
    assert_eq!(seen(&cache, "a"), ["web Absent"]);
    assert!(seen(&cache, "b").is_empty(), "its page may have come before it was needed");
    assert_eq!(cache.routes.unread().len(), 1);
}

#[test]
fn a_kind_that_the_cluster_does_not_know_is_said_once_and_may_come_later() {
    let mut cache = cache(&[("a", "web")]);
    assert_eq!(cache.routes.kind_absent(SERVICE), names(&["a"]));
    assert!(cache.routes.kind_absent(SERVICE).is_empty());
    assert_eq!(seen(&cache, "a"), ["web KindAbsent"]);
    cache.begin_list(SERVICE);
    assert!(seen(&cache, "a").is_empty());
    cache.apply(object(SERVICE, "shop", "web", 5));
    cache.end_list(SERVICE);
    assert_eq!(seen(&cache, "a"), ["web There"]);
}

#[test]
fn a_watch_that_ended_while_somebody_began_to_need_it_begins_anew() {
    let mut cache = watching();
    cache.routes.take_stirred();
    cache.routes.end_watch(SERVICE);
    assert!(cache.routes.take_stirred());
    assert!(seen(&cache, "a").is_empty(), "nothing is known of what nobody watches");
    cache.begin_list(SERVICE);
    cache.end_list(SERVICE);
    assert_eq!(seen(&cache, "a"), ["web Absent"]);
}

#[test]
fn a_controller_of_one_namespace_never_looks_into_another() {
    let mut cache = Cache::default();
    cache.routes.look_only_at("shop");
    cache.apply(rollout("a", "web.elsewhere"));
    assert!(cache.routes.needed_kinds().is_empty());
    assert!(seen(&cache, "a").is_empty(), "unknown is not the same as absent");
}

#[test]
fn grants_are_known_for_a_whole_namespace() {
    let mut cache = Cache::default();
    cache.apply(with_routing("a", &json!({"gatewayAPI": {"httpRoute": "web", "namespace": "edge"}})));
    assert_eq!(cache.routes.needed_kinds(), BTreeSet::from([ROUTE, GRANT]));
    let grants = |cache: &Cache| {
        let found = format!("{:?}", cache.routes.objects(&shop("a")));
        (found.contains("grants: {\"shop\""), found.matches("\"metadata\"").count())
    };
    cache.begin_list(GRANT);
    cache.apply(object(GRANT, "shop", "one", 3));
    assert_eq!(grants(&cache), (false, 0), "there may be more");
    cache.apply(object(GRANT, "shop", "two", 4));
    cache.apply(object(GRANT, "elsewhere", "three", 5));
    cache.end_list(GRANT);
    assert_eq!(grants(&cache), (true, 2));
    cache.remove(GRANT, &shop("one"));
    assert_eq!(grants(&cache), (true, 1));
}

#[test]
fn a_grant_that_goes_while_its_namespace_is_read_is_gone() {
    let mut cache = Cache::default();
    cache.apply(with_routing("a", &json!({"gatewayAPI": {"httpRoute": "web", "namespace": "edge"}})));
    cache.begin_list(GRANT);
    cache.end_list(GRANT);
    let in_team = json!({
        "metadata": {"name": "b", "namespace": "team", "uid": "b", "resourceVersion": "1"},
        "spec": {"strategy": {"canary": {"trafficRouting": {"gatewayAPI": {"httpRoute": "web", "namespace": "edge"}}}}},
    });
    cache.apply(read(Watched::Rollout, &in_team).expect("a Rollout"));
    let found = ["one", "two"].map(|name| read_as(object(GRANT, "team", name, 3))).concat();
    cache.remove(GRANT, &Name::new("team", "one"));
    cache.routes.take_read(GRANT, &Name::new("team", ""), found);
    assert_eq!(cache.version(GRANT, &Name::new("team", "one")), None);
    assert_eq!(cache.version(GRANT, &Name::new("team", "two")), Some("3"));
}

#[test]
fn of_an_object_all_is_kept_that_edits_read() {
    let manager = |name: &str| {
        json!({"manager": name, "operation": "Update", "time": "2026-01-01T00:00:00Z",
        "apiVersion": "networking.istio.io/v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {}}})
    };
    let managed = |name: &str| {
        let mut entry = manager(name);
        entry.as_object_mut().expect("an object").remove("fieldsV1");
        entry
    };
    let last_applied = "kubectl.kubernetes.io/last-applied-configuration";
    let meta = json!({"name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "5", "generation": 2});
    let mut whole = json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": meta,
        "spec": {"http": [{"route": []}]}, "status": {"observedGeneration": 2}});
    whole["metadata"]["annotations"] = json!({"team": "shop", last_applied: "{}"});
    whole["metadata"]["managedFields"] = json!([manager("kubectl"), manager("sluice-traffic")]);
    let mut kept = whole.clone();
    kept["metadata"]["annotations"] = json!({"team": "shop"});
    kept["metadata"]["managedFields"] = json!([managed("kubectl"), managed("sluice-traffic")]);
    let read = read_as(read(SERVICE, &whole).expect("an object"));
    let Needed::Route(route) = &*read[0].object else { panic!("{read:?}") };
    assert_eq!(**route, kept);
}

#[test]
fn a_template_is_kept_while_a_rollout_takes_it_and_a_missing_right_is_known() {
    const DEPLOYMENT: Watched = Watched::Workload(sluice_planner::WorkloadKind::Deployment);
    let referring = json!({
        "metadata": {"name": "a", "namespace": "shop", "uid": "a", "resourceVersion": "1"},
        "spec": {"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
    });
    let mut cache = Cache::default();
    cache.apply(read(Watched::Rollout, &referring).expect("a Rollout"));
    assert_eq!(cache.routes.needed_kinds(), BTreeSet::from([DEPLOYMENT]));
    let seen = |cache: &Cache| -> Vec<WorkloadSeen> { cache.routes.workloads(&shop("a")).into_values().collect() };
    assert!(seen(&cache).is_empty(), "nobody has looked");
    assert_eq!(cache.routes.forbidden(DEPLOYMENT), names(&["a"]));
    assert!(matches!(seen(&cache)[..], [WorkloadSeen::Forbidden]));
    cache.begin_list(DEPLOYMENT);
    cache.apply(object(DEPLOYMENT, "shop", "web", 1));
    cache.apply(object(DEPLOYMENT, "shop", "api", 1));
    cache.end_list(DEPLOYMENT);
    assert!(matches!(seen(&cache)[..], [WorkloadSeen::There(_)]));
    assert_eq!(cache.version(DEPLOYMENT, &shop("api")), None);
    assert!(cache.routes.forbidden(DEPLOYMENT).is_empty(), "what was seen is better than nothing");
    cache.remove(DEPLOYMENT, &shop("web"));
    assert!(matches!(seen(&cache)[..], [WorkloadSeen::Absent]));
}
