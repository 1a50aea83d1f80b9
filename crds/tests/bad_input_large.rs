//! Manifests of a size that nobody means: everything is told, nothing is repeated at length, nothing takes long.

use std::fmt::Write;

use sluice_crds::lint::{Report, lint};
use sluice_crds::mistake::{Mistake, for_condition};
use sluice_crds::{Rollout, validate};

fn rollout(steps: &str, env: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{name: web}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
      - name: web
        image: web:1
        env: [{env}]
  strategy:
    canary:
      steps: [{steps}]
"
    )
}

/// The longest sentence that a terminal should ever show.
fn longest(report: &Report) -> usize {
    report.findings.iter().map(|finding| finding.mistake.to_string().chars().count()).max().unwrap_or(0)
}

#[test]
fn ten_thousand_good_steps_are_no_mistake() {
    let steps = "{setWeight: 10}, {pause: {duration: 5s}}, ".repeat(5_000);
    assert_eq!(lint(rollout(&steps, "").as_bytes()).findings, []);
}

#[test]
fn ten_thousand_mistakes_are_all_told() {
    let steps = "{pause: {duration: 10x}}, ".repeat(10_000);
    let report = lint(rollout(&steps, "").as_bytes());
    assert_eq!(report.findings.len(), 10_000);
    assert_eq!(
        report.findings[9_999].mistake.to_string(),
        "spec.strategy.canary.steps[9999].pause.duration: \"10x\" is not a duration; write 30s, 10m or 1h"
    );
    let mistakes: Vec<Mistake> = report.findings.into_iter().map(|finding| finding.mistake).collect();
    let condition = for_condition(&mistakes);
    assert_eq!(condition.lines().count(), 11);
    assert!(condition.ends_with("\nand 9990 more"));
}

#[test]
fn ten_thousand_steps_of_the_wrong_type_are_all_told() {
    let steps = "5, {setWeight: {}}, {}, ".repeat(3_334);
    assert_eq!(lint(rollout(&steps, "").as_bytes()).findings.len(), 10_002);
}

#[test]
fn ten_thousand_unknown_fields_are_all_told() {
    let mut steps = String::new();
    for number in 0..10_000 {
        let _ = write!(steps, "{{setWeight: 5, setWeigth{number}: 5}}, ");
    }
    assert_eq!(lint(rollout(&steps, "").as_bytes()).findings.len(), 10_000);
}

#[test]
fn ten_thousand_containers_of_one_name_are_all_told() {
    let containers = "      - {name: web, image: 'web:1'}\n".repeat(10_000);
    let text = rollout("", "").replace("      - name: web\n        image: web:1\n        env: []\n", &containers);
    assert_eq!(lint(text.as_bytes()).findings.len(), 9_999);
}

#[test]
fn a_megabyte_of_template_is_fine_and_is_never_repeated() {
    let big = "x".repeat(1_000_000);
    let good = rollout("{setWeight: 5}", &format!("{{name: BIG, value: {big}}}"));
    assert_eq!(lint(good.as_bytes()).findings, []);
    let bad = good.replace("metadata: {labels: {app: web}}", "metadata: {labels: {app: api}}");
    let report = lint(bad.as_bytes());
    assert_eq!(report.findings.len(), 1);
    assert!(longest(&report) < 300);
}

#[test]
fn a_megabyte_in_the_wrong_place_is_shown_in_a_few_words() {
    let big = "x".repeat(1_000_000);
    for (before, after) in [
        ("setWeight: 5", format!("setWeight: {big}")),
        ("setWeight: 5", format!("{big}: 5, setWeight: 5")),
        ("setWeight: 5", format!("pause: {{duration: {big}}}")),
        ("name: web}", format!("name: {big}}}")),
        ("kind: Rollout", format!("kind: Rollout{big}")),
        ("image: web:1", format!("image: [{big}]")),
        ("{app: web}", format!("{{{big}: web}}")),
        ("app: web}}\n  template", format!("app: {big}}}}}\n  template")),
    ] {
        let report = lint(rollout("{setWeight: 5}", "").replacen(before, &after, 1).as_bytes());
        assert!(longest(&report) < 600, "{before}: {}", longest(&report));
        for finding in &report.findings {
            assert!(!finding.mistake.to_string().contains(&"x".repeat(200)));
        }
    }
}

#[test]
fn a_megabyte_of_annotations_is_more_than_an_api_server_takes() {
    let text = rollout("{setWeight: 5}", "")
        .replace("{name: web}\n", &format!("{{name: web, annotations: {{a: {}}}}}\n", "x".repeat(1_000_000)));
    let report = lint(text.as_bytes());
    let told: Vec<String> = report.findings.iter().map(|finding| finding.mistake.to_string()).collect();
    assert_eq!(
        told,
        [
            "metadata.annotations: hold 1000001 bytes in all, and an API server takes 262144; move the largest into a ConfigMap"
        ]
    );
}

#[test]
fn many_small_documents_are_all_looked_at() {
    let mut text = String::new();
    for number in 0..2_000 {
        let _ = write!(
            text,
            "---\n{}",
            rollout("{setWeight: 101}", "").replace("name: web}\nspec", &format!("name: web-{number}}}\nspec"))
        );
    }
    let report = lint(text.as_bytes());
    assert_eq!((report.objects, report.findings.len()), (2_000, 2_000));
}

#[test]
fn deep_json_is_read_without_harm() {
    let deep = format!("{}{}", "{\"a\":".repeat(120), "1") + &"}".repeat(120);
    let json = serde_json::from_str::<serde_json::Value>(&format!(
        "{{\"spec\": {{\"template\": {deep}, \"strategy\": {deep}}}}}"
    ));
    let read = validate::read::<Rollout>(json.unwrap_or_default());
    assert!(!read.mistakes.is_empty());
}
