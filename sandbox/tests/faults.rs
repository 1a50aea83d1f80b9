//! The weather between a client and the API server.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Value, json};
use sluice_sandbox::Cluster;
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::Request;
use sluice_sandbox::faults::{Faults, FaultyWatch, Outcome, Weather};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const CERTAIN: u32 = 1_000_000;

fn cluster() -> Cluster {
    Cluster::new(1, 0, "2026-01-01T00:00:00Z".parse().expect("a time"))
}

fn faults(weather: Weather) -> Faults {
    Faults::new(weather, 1, SignedDuration::from_secs(30))
}

fn map(name: &str, value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"k": value}})
}

fn admin(request: Request) -> Request {
    request.as_user(User::admin())
}

fn create(name: &str) -> Request {
    admin(Request::post(MAPS, &map(name, "1")))
}

fn is_stored(cluster: &Cluster, name: &str) -> bool {
    cluster.world().get("", "configmaps", "default", name).is_some()
}

fn code(outcome: &Outcome) -> Option<u16> {
    match outcome {
        Outcome::Answered(response) => Some(response.status),
        Outcome::Broken | Outcome::TimedOut => None,
    }
}

#[test]
fn in_fair_weather_nothing_changes() {
    let mut cluster = cluster();
    let delivery = faults(Weather::default()).send(&mut cluster, &create("a"));
    assert_eq!(code(&delivery.outcome), Some(201));
    assert_eq!(delivery.at, cluster.now());
}

#[test]
fn a_request_lost_on_its_way_does_nothing_and_takes_the_clients_patience() {
    let mut cluster = cluster();
    let delivery = faults(Weather { lost_before: CERTAIN, ..Weather::default() }).send(&mut cluster, &create("a"));
    assert!(matches!(delivery.outcome, Outcome::TimedOut));
    assert_eq!(delivery.at, cluster.now() + SignedDuration::from_secs(30));
    assert!(!is_stored(&cluster, "a"));
}

#[test]
fn a_lost_answer_leaves_the_deed_done() {
    for weather in [
        Weather { lost_after: CERTAIN, ..Weather::default() },
        Weather { dropped_answers: CERTAIN, ..Weather::default() },
    ] {
        let mut cluster = cluster();
        let delivery = faults(weather).send(&mut cluster, &create("a"));
        assert!(matches!(delivery.outcome, Outcome::TimedOut | Outcome::Broken));
        assert!(is_stored(&cluster, "a"));
    }
}

#[test]
fn refusals_come_before_the_deed() {
    for (weather, expected) in [
        (Weather { throttled: CERTAIN, ..Weather::default() }, 429),
        (Weather { errors: CERTAIN, ..Weather::default() }, 500),
        (Weather { conflicts: CERTAIN, ..Weather::default() }, 409),
    ] {
        let mut cluster = cluster();
        cluster.handle(&create("a"));
        let request = admin(Request::put(&format!("{MAPS}/a"), &map("a", "2")));
        let delivery = faults(weather).send(&mut cluster, &request);
        assert_eq!(code(&delivery.outcome), Some(expected));
        let stored =
            cluster.world().get("", "configmaps", "default", "a").expect("it is there").value()["data"].clone();
        assert_eq!(stored, json!({"k": "1"}));
    }
}

#[test]
fn a_creation_meets_no_invented_conflict() {
    let mut cluster = cluster();
    let delivery = faults(Weather { conflicts: CERTAIN, ..Weather::default() }).send(&mut cluster, &create("a"));
    assert_eq!(code(&delivery.outcome), Some(201));
}

#[test]
fn a_stale_list_shows_the_past_and_says_so() {
    let mut cluster = cluster();
    for name in ["a", "b", "c"] {
        cluster.handle(&create(name));
    }
    let newest = cluster.world().revision();
    let mut faults = faults(Weather { stale_reads: CERTAIN, most_stale: 3, ..Weather::default() });
    let mut ages = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let delivery = faults.send(&mut cluster, &admin(Request::get(&format!("{MAPS}?labelSelector=!x"))));
        let Outcome::Answered(response) = delivery.outcome else { panic!("a list is answered") };
        let list = response.json_body();
        let revision: u64 =
            list["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok()).expect("a revision");
        let names = list["items"]
            .as_array()
            .expect("items")
            .iter()
            .filter(|item| item["metadata"]["name"].as_str().is_some_and(|name| name.len() == 1))
            .count();
        assert_eq!(u64::try_from(names).expect("few"), 3 - (newest - revision), "at {revision} of {newest}");
        ages.insert(newest - revision);
    }
    assert_eq!(ages.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
}

#[test]
fn in_an_outage_nothing_gets_through_and_watches_break() {
    let mut cluster = cluster();
    let mut faults = faults(Weather::default());
    let mut watch = begin_watch(&mut faults, &mut cluster, "0");
    faults.begin_outage(cluster.now() + SignedDuration::from_secs(60));
    assert!(matches!(faults.send(&mut cluster, &create("a")).outcome, Outcome::Broken));
    assert!(faults.poll(&cluster, &mut watch).is_empty());
    assert!(watch.has_ended());
    cluster.advance_to(cluster.now() + SignedDuration::from_secs(60));
    assert_eq!(code(&faults.send(&mut cluster, &create("a")).outcome), Some(201));
}

fn begin_watch(faults: &mut Faults, cluster: &mut Cluster, revision: &str) -> FaultyWatch {
    let request = admin(Request::get(&format!("{MAPS}?watch=true&resourceVersion={revision}")));
    let response = cluster.handle(&request);
    assert_eq!(response.status, 200, "{:?}", response.json_body());
    faults.watch(response).expect("a watch")
}

/// A client that keeps a copy of all ConfigMaps, whatever the weather: it lists when its watch broke.
struct Copy {
    known: BTreeMap<String, Value>,
    watch: Option<FaultyWatch>,
}

impl Copy {
    fn refresh(&mut self, faults: &mut Faults, cluster: &mut Cluster) {
        if self.watch.as_ref().is_none_or(FaultyWatch::has_ended) {
            self.watch = None;
            let Outcome::Answered(response) = faults.send(cluster, &admin(Request::get(MAPS))).outcome else { return };
            if response.status != 200 {
                return;
            }
            let list = response.json_body();
            self.known = list["items"].as_array().into_iter().flatten().map(entry).collect();
            let revision = list["metadata"]["resourceVersion"].as_str().unwrap_or("0").to_owned();
            self.watch = Some(begin_watch(faults, cluster, &revision));
        }
        let Some(watch) = &mut self.watch else { return };
        for event in faults.poll(cluster, watch) {
            let (name, object) = entry(&event["object"]);
            match event["type"].as_str() {
                Some("DELETED") => drop(self.known.remove(&name)),
                Some("ADDED" | "MODIFIED") => drop(self.known.insert(name, object)),
                _ => self.watch = None,
            }
            if self.watch.is_none() {
                return;
            }
        }
    }
}

fn entry(object: &Value) -> (String, Value) {
    (object["metadata"]["name"].as_str().unwrap_or_default().to_owned(), object["data"].clone())
}

#[test]
fn a_client_that_lists_after_every_break_ends_up_with_the_truth() {
    for seed in 0..20 {
        let mut cluster = cluster();
        let mut faults = Faults::new(Weather::stormy(), seed, SignedDuration::from_secs(5));
        let mut copy = Copy { known: BTreeMap::new(), watch: None };
        for round in 0..300_u32 {
            let name = format!("m{}", round % 7);
            let path = format!("{MAPS}/{name}");
            match round % 3 {
                0 => drop(cluster.handle(&admin(Request::post(MAPS, &map(&name, "1"))))),
                1 => drop(cluster.handle(&admin(Request::put(&path, &map(&name, &round.to_string()))))),
                _ => drop(cluster.handle(&admin(Request::delete(&path)))),
            }
            copy.refresh(&mut faults, &mut cluster);
            cluster.advance_to(cluster.now() + SignedDuration::from_millis(500));
        }
        faults.set_weather(Weather::default());
        copy.watch = None;
        copy.refresh(&mut faults, &mut cluster);
        let truth: BTreeMap<String, Value> =
            cluster.world().list("", "configmaps", "default").iter().map(|object| entry(object.value())).collect();
        assert_eq!(copy.known, truth, "seed {seed}");
    }
}

#[test]
fn the_same_seed_brings_the_same_weather() {
    let story = |seed: u64| {
        let mut cluster = cluster();
        let mut faults = Faults::new(Weather::stormy(), seed, SignedDuration::from_secs(5));
        (0..200)
            .map(|number| {
                let delivery = faults.send(&mut cluster, &create(&format!("m{number}")));
                format!("{} {:?}", delivery.at, code(&delivery.outcome))
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(story(3), story(3));
    assert_ne!(story(3), story(4));
}

#[test]
fn a_fork_goes_its_own_way() {
    let mut trunk = cluster();
    trunk.handle(&create("a"));
    let mut fork = trunk.clone();
    fork.handle(&create("b"));
    assert!(is_stored(&fork, "b") && !is_stored(&trunk, "b"));
}
