//! The five kinds on a real API server, met through kubectl as users meet them.

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::{Value, json};
use sluice_e2e::kubectl::Kubectl;

const SHOP: &str = include_str!("data/shop.yaml");
const ANALYSIS: &str = include_str!("data/analysis.yaml");
const FIVE_KINDS: [&str; 5] =
    ["analysisruns", "analysistemplates", "clusteranalysistemplates", "experiments", "rollouts"];

/// kubectl in a new namespace, on an API server that knows the five kinds.
fn with_crds(purpose: &str) -> Kubectl {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    let kubectl = Kubectl::in_new_namespace(purpose);
    INSTALLED.get_or_init(|| {
        kubectl.must(&["apply", "--filename", &in_checkout("helm/sluice/crds/")]);
        for plural in FIVE_KINDS {
            wait_until_served(&kubectl, &format!("{plural}.argoproj.io"));
        }
    });
    kubectl
}

/// A CRD is established a moment before discovery lists its kind and OpenAPI describes it.
fn wait_until_served(kubectl: &Kubectl, crd: &str) {
    kubectl.must(&["wait", "--for=condition=Established", "--timeout=60s", &format!("crd/{crd}")]);
    until(&format!("{crd} is served"), || kubectl.run(&["get", crd], "").status.success());
    until(&format!("{crd} is described"), || kubectl.run(&["explain", crd], "").status.success());
}

/// Asks again and again; each question takes as long as a kubectl.
fn until(expected: &str, comes_true: impl Fn() -> bool) {
    assert!((0..600).any(|_| comes_true()), "never came true: {expected}");
}

fn in_checkout(path: &str) -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path).display().to_string()
}

/// A cell of what `kubectl get` prints, by the name of its column.
fn cell<'a>(table: &'a str, column: &str) -> &'a str {
    let (header, row) = table.split_once('\n').expect("a header and a row");
    let start = header.find(column).unwrap_or_else(|| panic!("no column {column} in {header}"));
    row.get(start..).and_then(|rest| rest.split("  ").next()).map_or("", str::trim)
}

fn columns(table: &str) -> Vec<&str> {
    table.lines().next().unwrap_or_default().split_whitespace().collect()
}

#[test]
fn the_crds_apply_with_plain_kubectl_and_again_without_a_change() {
    let kubectl = with_crds("apply");
    let printed = kubectl.must(&["apply", "--filename", &in_checkout("helm/sluice/crds/")]);
    for plural in FIVE_KINDS {
        let line = format!("customresourcedefinition.apiextensions.k8s.io/{plural}.argoproj.io unchanged");
        assert!(printed.lines().any(|printed| printed == line), "{line} is not in\n{printed}");
    }
}

#[test]
fn every_kind_has_its_short_name() {
    let kubectl = with_crds("short");
    kubectl.must_with(&["apply", "--filename", "-"], SHOP);
    kubectl.must_with(&["apply", "--filename", "-"], ANALYSIS);
    let printed = kubectl.must(&["get", "ro,at,ar,exp,cat", "--output", "name"]);
    assert_eq!(
        printed.lines().collect::<Vec<_>>(),
        [
            "rollout.argoproj.io/shop",
            "analysistemplate.argoproj.io/error-rate",
            "analysisrun.argoproj.io/shop-1",
            "experiment.argoproj.io/shop-compare",
            "clusteranalysistemplate.argoproj.io/latency",
        ]
    );
}

#[test]
fn kubectl_get_tells_how_a_release_is_going() {
    let kubectl = with_crds("columns");
    kubectl.must_with(&["apply", "--filename", "-"], SHOP);
    patch_status(
        &kubectl,
        "rollout",
        &json!({
            "phase": "Paused",
            "message": "CanaryPauseStep",
            "columns": { "step": "1/2", "weight": "20/20", "ready": "3/3", "images": "shop/web:1" },
        }),
    );
    let plain = kubectl.must(&["get", "ro"]);
    assert_eq!(columns(&plain), ["NAME", "PHASE", "STEP", "WEIGHT", "READY", "AGE"]);
    assert_eq!(cell(&plain, "PHASE"), "Paused");
    assert_eq!(cell(&plain, "STEP"), "1/2");
    assert_eq!(cell(&plain, "WEIGHT"), "20/20");
    assert_eq!(cell(&plain, "READY"), "3/3");
    let wide = kubectl.must(&["get", "ro", "--output", "wide"]);
    assert_eq!(columns(&wide), ["NAME", "PHASE", "STEP", "WEIGHT", "READY", "AGE", "MESSAGE", "IMAGES"]);
    assert_eq!(cell(&wide, "MESSAGE"), "CanaryPauseStep");
    assert_eq!(cell(&wide, "IMAGES"), "shop/web:1");
}

#[test]
fn kubectl_get_shows_the_verdict_of_a_run() {
    let kubectl = with_crds("verdict");
    kubectl.must_with(&["apply", "--filename", "-"], ANALYSIS);
    // These kinds have no status subresource: tools write the status with the object.
    for (kind, name) in [("analysisrun", "shop-1"), ("experiment", "shop-compare")] {
        let patch = json!({ "status": { "phase": "Failed", "message": "error-rate 2.7% > 1%" } }).to_string();
        kubectl.must(&["patch", kind, name, "--type=merge", "--patch", &patch]);
        let table = kubectl.must(&["get", kind, "--output", "wide"]);
        assert_eq!(cell(&table, "STATUS"), "Failed", "{kind}");
        assert_eq!(cell(&table, "MESSAGE"), "error-rate 2.7% > 1%", "{kind}");
    }
}

#[test]
fn kubectl_explain_knows_every_field_of_a_step() {
    let kubectl = with_crds("explain");
    let steps = kubectl.must(&["explain", "rollout.spec.strategy.canary.steps"]);
    for field in
        ["analysis", "experiment", "pause", "plugin", "setCanaryScale", "setHeaderRoute", "setMirrorRoute", "setWeight"]
    {
        let starts_line = steps.lines().any(|line| line.split_whitespace().next() == Some(field));
        assert!(starts_line, "{field} is not in\n{steps}");
    }
    let duration = kubectl.must(&["explain", "rollout.spec.strategy.canary.steps.pause.duration"]);
    assert!(duration.contains("DESCRIPTION:"), "{duration}");
}

#[test]
fn kubectl_explain_walks_every_kind_to_its_leaves() {
    let kubectl = with_crds("recurse");
    for (path, leaf) in [
        ("rollout.spec", "scaleDownDelayRevisionLimit"),
        ("rollout.status", "currentStepIndex"),
        ("analysistemplate.spec", "failureCondition"),
        ("clusteranalysistemplate.spec", "consecutiveErrorLimit"),
        ("analysisrun.status", "metricResults"),
        ("experiment.spec", "requiredForCompletion"),
    ] {
        let tree = kubectl.must(&["explain", "--recursive", path]);
        assert!(tree.split_whitespace().any(|word| word == leaf), "{leaf} is not in {path}:\n{tree}");
    }
}

#[test]
fn scaling_changes_only_the_replicas() {
    let kubectl = with_crds("scale");
    kubectl.must_with(&["apply", "--filename", "-"], SHOP);
    let before = kubectl.object("rollout", "shop");
    kubectl.must(&["scale", "rollout", "shop", "--replicas=7"]);
    let mut expected = before["spec"].clone();
    expected["replicas"] = 7.into();
    assert_eq!(kubectl.object("rollout", "shop")["spec"], expected);
}

#[test]
fn an_autoscaler_reads_pods_and_selector_from_the_scale_subresource() {
    let kubectl = with_crds("hpa");
    kubectl.must_with(&["apply", "--filename", "-"], SHOP);
    patch_status(&kubectl, "rollout", &json!({ "HPAReplicas": 4, "selector": "app=shop" }));
    let printed = kubectl.must(&["get", "rollout", "shop", "--subresource=scale", "--output", "json"]);
    let scale: Value = serde_json::from_str(&printed).expect("kubectl prints JSON");
    assert_eq!(scale["spec"], json!({ "replicas": 3 }));
    assert_eq!(scale["status"], json!({ "replicas": 4, "selector": "app=shop" }));
}

#[test]
fn a_manifest_that_was_applied_shows_no_drift() {
    let kubectl = with_crds("drift");
    for manifest in [SHOP, ANALYSIS] {
        kubectl.must_with(&["apply", "--filename", "-"], manifest);
        let difference = kubectl.must_with(&["diff", "--filename", "-"], manifest);
        assert_eq!(difference, "");
    }
}

#[test]
fn two_managers_share_one_pod_template() {
    let kubectl = with_crds("managers");
    let author = AppliedBy::manager("author");
    let (pipeline, platform) = (AppliedBy::manager("pipeline"), AppliedBy::manager("platform"));
    kubectl.must_with(&author.arguments(), SHOP);

    let image = owning_containers(r#"{"name": "web", "image": "shop/web:2"}"#);
    kubectl.must_with(&pipeline.by_force().arguments(), &image);
    let env = owning_containers(r#"{"name": "cache", "env": [{"name": "REGION", "value": "eu"}]}"#);
    kubectl.must_with(&platform.arguments(), &env);
    assert_eq!(
        kubectl.object("rollout", "shop")["spec"]["template"]["spec"]["containers"],
        json!([
            { "name": "web", "image": "shop/web:2", "ports": [{ "containerPort": 8080 }] },
            { "name": "cache", "image": "shop/cache:1", "env": [{ "name": "REGION", "value": "eu" }] },
        ])
    );

    // What a manager no longer names goes, and nothing else does.
    kubectl.must_with(&platform.arguments(), &owning_containers(r#"{"name": "cache"}"#));
    let containers = &kubectl.object("rollout", "shop")["spec"]["template"]["spec"]["containers"];
    assert_eq!(containers[1], json!({ "name": "cache", "image": "shop/cache:1" }));
    assert_eq!(containers[0]["image"], "shop/web:2");
}

#[test]
fn two_managers_set_variables_of_one_container() {
    let kubectl = with_crds("variables");
    kubectl.must_with(&AppliedBy::manager("author").arguments(), SHOP);
    for (manager, variable) in [("pipeline", "BUILD"), ("platform", "REGION")] {
        let container = format!(r#"{{"name": "web", "env": [{{"name": "{variable}", "value": "{manager}"}}]}}"#);
        kubectl.must_with(&AppliedBy::manager(manager).arguments(), &owning_containers(&container));
    }
    assert_eq!(
        kubectl.object("rollout", "shop")["spec"]["template"]["spec"]["containers"][0]["env"],
        json!([{ "name": "BUILD", "value": "pipeline" }, { "name": "REGION", "value": "platform" }])
    );
}

#[test]
fn a_field_of_another_manager_is_refused_by_name() {
    let kubectl = with_crds("conflict");
    kubectl.must_with(&AppliedBy::manager("pipeline").arguments(), SHOP);

    let image = owning_containers(r#"{"name": "web", "image": "shop/web:3"}"#);
    let complaint = kubectl.refused(&AppliedBy::manager("platform").arguments(), &image);

    assert!(complaint.contains(r#"conflict with "pipeline""#), "{complaint}");
    assert!(complaint.contains(r#".spec.template.spec.containers[name="web"].image"#), "{complaint}");
    let containers = &kubectl.object("rollout", "shop")["spec"]["template"]["spec"]["containers"];
    assert_eq!(containers[0]["image"], "shop/web:1");
}

/// A server-side apply.
struct AppliedBy {
    manager: String,
    force: &'static str,
}

impl AppliedBy {
    fn manager(name: &str) -> Self {
        Self { manager: format!("--field-manager={name}"), force: "--force-conflicts=false" }
    }

    fn by_force(self) -> Self {
        Self { force: "--force-conflicts=true", ..self }
    }

    fn arguments(&self) -> [&str; 6] {
        ["apply", "--server-side", &self.manager, self.force, "--filename", "-"]
    }
}

fn owning_containers(containers: &str) -> String {
    format!(
        r#"{{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {{"name": "shop"}},
            "spec": {{"template": {{"spec": {{"containers": [{containers}]}}}}}}}}"#
    )
}

#[test]
fn mistakes_are_refused_before_anything_is_stored() {
    let kubectl = with_crds("refusals");
    for (mistake, correct, wrong, complaint) in [
        (
            "a weight that is no number",
            "setWeight: 20",
            "setWeight: lots",
            r#"spec.strategy.canary.steps[0].setWeight: Invalid value: "string""#,
        ),
        (
            "a step that does not exist",
            "setWeight: 20",
            "setWeigth: 20",
            r#"unknown field "spec.strategy.canary.steps[0].setWeigth""#,
        ),
        ("a negative size", "replicas: 3", "replicas: -3", "spec.replicas: Invalid value: -3"),
        ("a size with a fraction", "replicas: 3", "replicas: 2.5", "spec.replicas in body must be of type int32"),
        (
            "both strategies",
            "  strategy:\n",
            "  strategy:\n    blueGreen:\n      activeService: shop\n",
            "spec.strategy: Invalid value: set exactly one of canary and blueGreen",
        ),
        (
            "a step that waits and moves at once",
            "- setWeight: 20",
            "- setWeight: 20\n          pause: {}",
            "spec.strategy.canary.steps[0]: Invalid value",
        ),
        (
            "one Service for both revisions",
            "    canary:\n",
            "    canary:\n      canaryService: shop\n      stableService: shop\n",
            "spec.strategy.canary: Invalid value",
        ),
        (
            "two containers of one name",
            "name: cache",
            "name: web",
            r#"spec.template.spec.containers[1]: Duplicate value: {"name":"web"}"#,
        ),
        (
            "a container without a name",
            "- name: cache\n          image",
            "- image",
            "containers[1].name: Required value",
        ),
        ("no spec", "spec:\n  replicas", "spek:\n  replicas", r#"unknown field "spek""#),
    ] {
        assert!(SHOP.contains(correct), "{mistake}: the manifest has no {correct:?}");
        let manifest = SHOP.replacen(correct, wrong, 1);
        let refusal = kubectl.refused(&["apply", "--dry-run=server", "--filename", "-"], &manifest);
        assert!(refusal.contains(complaint), "{mistake}: {refusal}");
    }
    assert_eq!(kubectl.must(&["get", "ro", "--output", "name"]), "");
}

#[test]
fn the_selector_of_a_rollout_can_not_be_changed() {
    let kubectl = with_crds("selector");
    kubectl.must_with(&["apply", "--filename", "-"], SHOP);
    let patch = r#"{"spec":{"selector":{"matchLabels":{"app":"store"}}}}"#;
    let refusal =
        kubectl.refused(&["patch", "rollout", "shop", "--dry-run=server", "--type=merge", "--patch", patch], "");
    assert!(refusal.contains("spec.selector: Invalid value"), "{refusal}");
    assert!(refusal.contains("make a new Rollout instead"), "{refusal}");
}

#[test]
fn what_worked_with_other_tools_is_stored_as_it_was_written() {
    // A size beside a weight is judged by validation, which can say how to mend it; clusters hold steps like this.
    let kubectl = with_crds("twofold");
    let manifest = SHOP.replacen("- setWeight: 20", "- setWeight: 20\n          setCanaryScale: {replicas: 2}", 1);
    kubectl.must_with(&["apply", "--filename", "-"], &manifest);
    let steps = &kubectl.object("rollout", "shop")["spec"]["strategy"]["canary"]["steps"];
    assert_eq!(steps[0], json!({ "setWeight": 20, "setCanaryScale": { "replicas": 2 } }));
}

#[test]
fn manifests_as_users_have_them_are_taken() {
    let kubectl = with_crds("manifests");
    let folder = in_checkout("crds/tests/data/manifests/");
    let mut objects = Vec::new();
    for entry in std::fs::read_dir(&folder).expect("the folder of manifests") {
        let text = std::fs::read_to_string(entry.expect("a manifest").path()).expect("a manifest is text");
        for document in serde_saphyr::from_multiple::<Value>(&text).expect("a manifest is YAML") {
            match document["items"].as_array() {
                Some(items) => objects.extend(items.iter().cloned()),
                None => objects.push(document),
            }
        }
    }
    assert!(objects.len() >= 10, "{folder} has only {} objects", objects.len());
    for object in &mut objects {
        // They come into this test's namespace, whatever they say.
        object["metadata"].as_object_mut().expect("metadata").remove("namespace");
    }
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects }).to_string();
    let printed = kubectl.must_with(&["apply", "--dry-run=server", "--filename", "-"], &list);
    assert_eq!(printed.lines().count(), objects.len(), "{printed}");
}

#[test]
fn the_observed_generation_is_taken_as_text_and_as_number() {
    let kubectl = with_crds("generation");
    kubectl.must_with(&["apply", "--filename", "-"], SHOP);
    for generation in [json!("3"), json!(3)] {
        patch_status(&kubectl, "rollout", &json!({ "observedGeneration": generation }));
        assert_eq!(kubectl.object("rollout", "shop")["status"]["observedGeneration"], generation);
    }
}

#[test]
fn status_and_spec_of_a_rollout_are_written_apart() {
    let kubectl = with_crds("apart");
    kubectl.must_with(&["apply", "--filename", "-"], SHOP);
    let both = r#"{"spec":{"replicas":9},"status":{"phase":"Healthy"}}"#;

    kubectl.must(&["patch", "rollout", "shop", "--type=merge", "--patch", both]);
    let object = kubectl.object("rollout", "shop");
    assert_eq!(object["spec"]["replicas"], 9);
    assert_eq!(object["status"]["phase"], Value::Null);
    assert_eq!(object["metadata"]["generation"], 2);

    let both = r#"{"spec":{"replicas":1},"status":{"phase":"Healthy"}}"#;
    kubectl.must(&["patch", "rollout", "shop", "--subresource=status", "--type=merge", "--patch", both]);
    let object = kubectl.object("rollout", "shop");
    assert_eq!(object["spec"]["replicas"], 9);
    assert_eq!(object["status"]["phase"], "Healthy");
    assert_eq!(object["metadata"]["generation"], 2);
}

#[test]
fn fields_of_the_template_that_nobody_knows_yet_survive() {
    let kubectl = with_crds("unknown");
    let manifest = SHOP.replacen(
        "      containers:\n        - name: web",
        "      tomorrow: {depth: [1, two, {three: 3.5}]}\n      containers:\n        - name: web\n          nextYear: true",
        1,
    );
    kubectl.must_with(&["apply", "--filename", "-"], &manifest);
    kubectl.must(&["scale", "rollout", "shop", "--replicas=4"]);
    let spec = &kubectl.object("rollout", "shop")["spec"]["template"]["spec"];
    assert_eq!(spec["tomorrow"], json!({ "depth": [1, "two", { "three": 3.5 }] }));
    assert_eq!(spec["containers"][0]["nextYear"], true);
}

#[test]
fn a_stored_object_that_breaks_a_rule_still_takes_status_patches() {
    let kubectl = with_crds("stored");
    // The same CRD under a group of its own, because rules are taken away from it for a while.
    let group = format!("{}.sluice.test", kubectl.namespace());
    let strict = rollouts_in_group(&kubectl, &group);
    let mut lenient = strict.clone();
    remove_rules(&mut lenient);
    assert_ne!(strict, lenient, "the CRD has rules");
    kubectl.must_with(&["apply", "--filename", "-"], &lenient.to_string());
    let kind = format!("rollouts.{group}");
    wait_until_served(&kubectl, &kind);
    let both_strategies = SHOP.replacen("argoproj.io", &group, 1).replacen(
        "  strategy:\n",
        "  strategy:\n    blueGreen:\n      activeService: shop\n",
        1,
    );
    kubectl.must_with(&["apply", "--filename", "-"], &both_strategies);

    kubectl.must_with(&["apply", "--filename", "-"], &strict.to_string());
    // The server takes a moment to judge by the new rules.
    let another = both_strategies.replacen("name: shop", "name: another", 1);
    until("the rules are in force", || {
        !kubectl.run(&["apply", "--dry-run=server", "--filename", "-"], &another).status.success()
    });

    patch_status(&kubectl, &kind, &json!({ "phase": "Degraded" }));
    assert_eq!(kubectl.object(&kind, "shop")["status"]["phase"], "Degraded");
    kubectl.must(&["scale", &kind, "shop", "--replicas=5"]);
    kubectl.must(&["delete", "crd", &kind]);
}

fn rollouts_in_group(kubectl: &Kubectl, group: &str) -> Value {
    let file = in_checkout("helm/sluice/crds/rollouts.argoproj.io.yaml");
    let printed = kubectl.must(&["create", "--dry-run=client", "--output", "json", "--filename", &file]);
    let mut crd: Value = serde_json::from_str(&printed).expect("kubectl prints JSON");
    crd["metadata"]["name"] = format!("rollouts.{group}").into();
    crd["spec"]["group"] = group.into();
    crd
}

fn remove_rules(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.remove("x-kubernetes-validations");
            fields.values_mut().for_each(remove_rules);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_rules),
        _ => {}
    }
}

#[test]
fn kubectl_wait_sees_a_rollout_become_healthy() {
    let kubectl = with_crds("wait");
    kubectl.must_with(&["apply", "--filename", "-"], SHOP);
    let arguments = ["wait", "rollout/shop", "--for=jsonpath={.status.phase}=Healthy", "--timeout=120s"];
    let waiting = kubectl.command(&arguments).stdout(std::process::Stdio::piped()).spawn().expect("kubectl starts");
    patch_status(&kubectl, "rollout", &json!({ "phase": "Progressing" }));
    patch_status(&kubectl, "rollout", &json!({ "phase": "Healthy" }));
    let ended = waiting.wait_with_output().expect("kubectl ends");
    assert!(ended.status.success());
    assert_eq!(String::from_utf8_lossy(&ended.stdout), "rollout.argoproj.io/shop condition met\n");
}

#[test]
fn the_crds_of_routers_are_established() {
    let kubectl = Kubectl::in_new_namespace("routers");
    kubectl.must(&["apply", "--filename", &in_checkout("e2e/router-crds/")]);
    for crd in [
        "virtualservices.networking.istio.io",
        "destinationrules.networking.istio.io",
        "httproutes.gateway.networking.k8s.io",
        "grpcroutes.gateway.networking.k8s.io",
        "trafficsplits.split.smi-spec.io",
        "traefikservices.traefik.io",
        "apisixroutes.apisix.apache.org",
        "targetgroupbindings.elbv2.k8s.aws",
    ] {
        kubectl.must(&["wait", "--for=condition=Established", "--timeout=60s", &format!("crd/{crd}")]);
    }
}

#[track_caller]
fn patch_status(kubectl: &Kubectl, kind: &str, status: &Value) {
    let patch = json!({ "status": status }).to_string();
    kubectl.must(&["patch", kind, "shop", "--subresource=status", "--type=merge", "--patch", &patch]);
}
