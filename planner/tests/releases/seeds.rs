//! Many people at once and nodes that come and go, drawn from a seed; in the end all is quiet, and the release
//! must reach its end.

use serde_json::{Value, json};
use sluice_sandbox::Random;
use sluice_sandbox::api::request::Request;

use sluice_scenarios::{Crashes, Site};

const NODES: [&str; 3] = ["node-1", "node-2", "node-3"];
/// The last two never get ready.
const IMAGES: [&str; 5] = ["web:1", "web:2", "web:3", "web:does-not-exist", "web:missing"];

/// A number from 0 up to, and without, the bound.
pub(super) fn draw(random: &mut Random, bound: u64) -> u64 {
    random.below(bound)
}

pub(super) fn pick<'a>(random: &mut Random, of: &[&'a str]) -> &'a str {
    of[usize::try_from(draw(random, of.len() as u64)).expect("an index")]
}

fn canary(random: &mut Random) -> String {
    let services = pick(random, &["", "stableService: stable, canaryService: canary, "]);
    let budgets = pick(
        random,
        &[
            "",
            "maxSurge: 1, maxUnavailable: 0, ",
            "maxSurge: 0, maxUnavailable: 1, ",
            "maxSurge: 2, maxUnavailable: 2, ",
        ],
    );
    let steps = pick(
        random,
        &[
            "[]",
            "[{setWeight: 20}, {pause: {}}, {setWeight: 60}, {pause: {duration: 20}}]",
            "[{pause: {duration: 5}}, {setWeight: 0}, {setWeight: 100}, {pause: {}}]",
            "[{setWeight: 50}, {setWeight: 10}, {pause: {}}, {setWeight: 100}]",
        ],
    );
    format!("canary: {{{services}{budgets}steps: {steps}}}")
}

fn blue_green(random: &mut Random) -> String {
    let promotion = pick(random, &["", ", autoPromotionEnabled: false", ", autoPromotionSeconds: 15"]);
    let preview = pick(random, &["", ", previewService: canary", ", previewService: canary, previewReplicaCount: 1"]);
    let delays = pick(
        random,
        &[
            "",
            ", scaleDownDelaySeconds: 0, abortScaleDownDelaySeconds: 0",
            ", scaleDownDelaySeconds: 10, scaleDownDelayRevisionLimit: 1",
        ],
    );
    format!("blueGreen: {{activeService: stable{preview}{promotion}{delays}}}")
}

fn rollout(random: &mut Random) -> String {
    let strategy = if draw(random, 3) == 0 { blue_green(random) } else { canary(random) };
    manifest(random, &strategy)
}

/// A Rollout with this strategy.
pub(super) fn manifest(random: &mut Random, strategy: &str) -> String {
    let options = pick(
        random,
        &[
            "",
            "progressDeadlineAbort: true",
            "rollbackWindow: {revisions: 2}",
            "minReadySeconds: 3",
            "revisionHistoryLimit: 1",
        ],
    );
    format!(
        "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{name: web, namespace: default}}
spec:
  replicas: {}
  progressDeadlineSeconds: 60
  {options}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}, annotations: {{sandbox.sluice.dev/ready-after: {}s}}}}
    spec: {{containers: [{{name: web, image: '{}'}}]}}
  strategy: {{{strategy}}}
",
        draw(random, 7),
        draw(random, 8),
        pick(random, &IMAGES),
    )
}

fn something_happens(site: &mut Site, random: &mut Random) {
    match draw(random, 19) {
        0..=2 => site.set_image(pick(random, &IMAGES)),
        3 => site.wish(&json!({"abort": true})),
        4 => site.wish(&json!({"abort": false})),
        5 | 6 => site.wish(&json!({"pauseConditions": null})),
        7 => site.wish(&json!({"promoteFull": true})),
        8 => site.change(&json!({"spec": {"replicas": draw(random, 7)}})),
        9 => site.change(&json!({"spec": {"paused": draw(random, 2) == 0}})),
        10 => site.change(&json!({"spec": {"restartAt": site.cluster.now().to_string()}})),
        11 => {
            let metadata = pick(random, &["{}", "{labels: {role: a}}", "{annotations: {role: b}, labels: {tier: b}}"]);
            let metadata: serde_json::Value = serde_saphyr::from_str(metadata).expect("YAML");
            let is_canary = site.rollout()["spec"]["strategy"].get("canary").is_some();
            let (strategy, fields) = match is_canary {
                true => ("canary", ["canaryMetadata", "stableMetadata"]),
                false => ("blueGreen", ["previewMetadata", "activeMetadata"]),
            };
            let field = pick(random, &fields);
            site.change(&json!({"spec": {"strategy": {strategy: {field: null}}}}));
            site.change(&json!({"spec": {"strategy": {strategy: {field: metadata}}}}));
        }
        12 => site.cluster.lose_node(pick(random, &NODES)),
        13 => {
            site.set_image(pick(random, &IMAGES));
            site.pass();
            site.set_image(pick(random, &IMAGES));
        }
        14 => by_hand(site, random, "/apis/apps/v1", "replicasets", None),
        15 => by_hand(site, random, "/apis/apps/v1", "replicasets", Some(json!({"spec": {"replicas": 2}}))),
        16 => by_hand(site, random, "/api/v1", "pods", None),
        17 => {
            let selector = json!({"spec": {"selector": {"rollouts-pod-template-hash": null}}});
            by_hand(site, random, "/api/v1", "services", Some(selector));
        }
        _ => site.cluster.recover_node(pick(random, &NODES)),
    }
    site.new_epoch();
}

/// Somebody changes one of these objects, or deletes it.
pub(super) fn by_hand(site: &mut Site, random: &mut Random, group: &str, plural: &str, change: Option<Value>) {
    let of_group = group.strip_prefix("/apis/").and_then(|group| group.split('/').next()).unwrap_or_default();
    let objects = site.cluster.world().list(of_group, plural, "default");
    let names: Vec<&str> = objects.iter().map(|object| object.name()).collect();
    if names.is_empty() {
        return;
    }
    let path = format!("{group}/namespaces/default/{plural}/{}", pick(random, &names));
    site.new_epoch();
    site.ask(match change {
        Some(change) => Request::patch(&path, "application/merge-patch+json", &change),
        None => Request::delete(&path),
    });
}

/// Draws a Rollout, and makes what else it needs.
pub(super) type Draw = fn(&mut Site, &mut Random) -> String;

pub(super) fn live(seed: u64, rollout: Draw, also_happens: fn(&mut Site, &mut Random)) {
    let random = &mut Random::seeded(seed);
    let crashes = if draw(random, 2) == 0 { Crashes::Never } else { Crashes::AfterEachWrite };
    let mut site = Site::new(crashes);
    for name in ["stable", "canary"] {
        let yaml = format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: {name}, namespace: default}}, \
             spec: {{selector: {{app: web}}, ports: [{{port: 80}}]}}}}"
        );
        site.create("/api/v1/namespaces/default/services", &yaml);
    }
    let rollout = rollout(&mut site, random);
    site.create_rollout(&rollout);
    for _ in 0..12 {
        for _ in 0..draw(random, 3) {
            site.pass();
        }
        let seconds = i64::try_from(draw(random, 25)).expect("seconds");
        site.run_for(seconds);
        something_happens(&mut site, random);
        also_happens(&mut site, random);
    }
    for node in NODES {
        site.cluster.recover_node(node);
    }
    site.change(&json!({"spec": {"paused": false, "replicas": 3}}));
    site.set_image("web:good");
    site.run_for(60);
    site.wish(&json!({"promoteFull": true}));
    site.run_for(120);
    // What stands by for an instant way back goes, where it has no delay, with the next release.
    site.set_image("web:better");
    site.wish(&json!({"promoteFull": true}));
    site.run_for(60);
    site.wish(&json!({"promoteFull": true}));
    site.run_for(120);
    assert_eq!(site.said(), ("Healthy".into(), String::new()), "{}", site.last.why);
    let sizes: Vec<(i64, i64)> = site.sizes().iter().map(|(_, wanted, available)| (*wanted, *available)).collect();
    let newest = site.sizes().into_iter().max().expect("a revision");
    assert_eq!((newest.1, newest.2), (3, 3));
    assert!(sizes.len() <= 2, "more stands by than the last stable revision: {sizes:?}");
}

#[test]
fn whatever_people_and_nodes_do_every_write_is_safe_and_the_end_is_reached() {
    for seed in 0..12 {
        let outcome = std::panic::catch_unwind(|| live(seed, |_, random| rollout(random), |_, _| ()));
        assert!(outcome.is_ok(), "seed {seed} fails; the reason stands above");
    }
}
