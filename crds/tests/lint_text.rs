//! What lint makes of a text: documents, lines, and everything that YAML allows.

use std::fmt::Write;

use sluice_crds::lint::{Report, lint};

/// The findings as `line:column: sentence`.
fn told(text: &str) -> Vec<String> {
    lines(&lint(text.as_bytes()))
}

fn lines(report: &Report) -> Vec<String> {
    let findings = report.findings.iter();
    findings.map(|found| format!("{}:{}: {}", found.place.line, found.place.column, found.mistake)).collect()
}

const GOOD: &str = "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: web
spec:
  replicas: 3
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: web
        image: web:1
  strategy:
    canary:
      steps:
      - setWeight: 20
      - pause: {}
";

const NONE: [&str; 0] = [];

#[test]
fn a_good_manifest_is_silent() {
    let report = lint(GOOD.as_bytes());
    assert_eq!(lines(&report), NONE);
    assert_eq!(report.objects, 1);
}

#[test]
fn mistakes_are_told_with_the_line_of_their_field() {
    let text = GOOD.replace("replicas: 3", "replicas: -3").replace("- pause: {}", "- pause:\n          duration: 10x");
    assert_eq!(
        told(&text),
        [
            "6:3: spec.replicas: -3 is less than 0; write 0 or more",
            "23:11: spec.strategy.canary.steps[1].pause.duration: \"10x\" is not a duration; write 30s, 10m or 1h",
        ]
    );
}

#[test]
fn a_missing_field_is_told_where_its_object_begins() {
    let text = GOOD.replace("        image: web:1\n", "");
    assert_eq!(
        told(&text),
        ["16:9: spec.template.spec.containers[0].image: is required; write one such as registry.example.com/web:1.2"]
    );
}

#[test]
fn documents_are_counted_from_the_top_of_the_file() {
    let bad = GOOD.replace("replicas: 3", "replicas: -1").replace("name: web\nspec", "name: api\nspec");
    let text = format!("# two\n---\n{GOOD}---\n\n---\n# nothing\n---\n{bad}...\n");
    let report = lint(text.as_bytes());
    assert_eq!(lines(&report), ["35:3: spec.replicas: -1 is less than 0; write 0 or more"]);
    assert_eq!(report.objects, 2);
    assert_eq!(report.findings[0].object.as_ref().map(ToString::to_string).as_deref(), Some("Rollout api"));
}

#[test]
fn a_document_that_is_not_yaml_hides_none_behind_it() {
    let bad = GOOD.replace("replicas: 3", "replicas: -1");
    let text = format!("a: [1, 2\n---\n{bad}---\nb: 'open\n");
    assert_eq!(
        told(&text),
        [
            "1:4: is not YAML: unclosed bracket '['; mend the line; nothing behind it in this document was read",
            "8:3: spec.replicas: -1 is less than 0; write 0 or more",
            "27:1: is not YAML: invalid indentation in multiline quoted scalar; close the quote",
        ]
    );
}

#[test]
fn tabs_and_templates_get_a_mend_of_their_own() {
    let tab = told("apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nspec:\n\treplicas: 3\n");
    assert_eq!(tab.len(), 1, "{tab:?}");
    assert!(tab[0].starts_with("4:"), "{tab:?}");
    assert!(tab[0].ends_with("indent with spaces, never with tabs"), "{tab:?}");
    let template =
        told("apiVersion: argoproj.io/v1alpha1\nkind: Rollout\n{{- if .Values.canary }}\nspec: {}\n{{- end }}\n");
    assert_eq!(template.len(), 1, "{template:?}");
    assert!(template[0].ends_with("render the template first and lint what comes out"), "{template:?}");
}

#[test]
fn a_key_that_is_written_twice_is_told_and_the_last_one_counts() {
    let text = GOOD.replace("  replicas: 3\n", "  replicas: -3\n  replicas: 5\n");
    assert_eq!(
        told(&text),
        ["7:3: spec.replicas: is written twice, first on line 6; keep one; kubectl takes the last"]
    );
}

#[test]
fn anchors_and_merges_mean_what_they_stand_for() {
    let text = GOOD
        .replace("      app: web\n  template", "      <<: &labels {app: web}\n  template")
        .replace("        app: web\n    spec", "        <<: *labels\n        tier: front\n    spec");
    assert_eq!(told(&text), NONE);
    let both =
        GOOD.replace("      app: web\n  template", "      <<: [{app: web}, {app: api, tier: front}]\n  template");
    assert_eq!(
        told(&both),
        [
            "9:35: spec.selector.matchLabels.tier: \"front\" is a label that the pod template does not have; add the label tier: front to the pod template, or remove it here"
        ]
    );
}

#[test]
fn aliases_that_lead_nowhere_or_in_a_circle_are_told() {
    let unknown = GOOD.replace("replicas: 3", "replicas: *many");
    let told_unknown = told(&unknown);
    assert_eq!(told_unknown.len(), 1, "{told_unknown:?}");
    assert!(told_unknown[0].ends_with("define the anchor (&name) above, in the same document"), "{told_unknown:?}");
    let circle = "a: &a\n  b: *a\n";
    assert_eq!(told(circle), ["2:6: a.b: stands for something that contains it; write the value out"]);
}

#[test]
fn an_alias_bomb_is_refused_before_it_grows() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = vec![format!("*a{}", level - 1); 10].join(", ");
        let _ = writeln!(bomb, "a{level}: &a{level} [{before}]");
    }
    let found = told(&bomb);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("grows beyond 64 MiB when its aliases are written out; use fewer aliases"), "{found:?}");
}

#[test]
fn words_are_read_as_kubectl_reads_them() {
    let rows = [
        ("paused: yes", NONE.as_slice()),
        ("paused: off", &[]),
        ("paused: maybe", &["6:3: spec.paused: \"maybe\" is text, not true or false; write true or false"]),
        ("replicas: 0o3", &[]),
        ("replicas: 3e0", &[]),
        ("replicas: 1_0", &[]),
        ("replicas: 0x", &["6:3: spec.replicas: \"0x\" is text, not a whole number; write a whole number"]),
        ("replicas: !!str 3", &["6:3: spec.replicas: \"3\" is text, not a whole number; write 3 without quotes"]),
        ("replicas: !!int \"3\"", &[]),
        ("replicas: ~", &[]),
        (
            "replicas: .inf",
            &[
                "6:3: spec.replicas: \".inf\" is text, not a whole number; write a whole number",
                "6:13: spec.replicas: \".inf\" can't be written in JSON; write a finite number",
            ],
        ),
        ("? replicas\n  : 3", &[]),
        ("? [a]\n  : 3", &["6:5: spec: has a list or a map as a key; write a text as the key"]),
        ("n: 3", &["6:3: spec.false: is not a field that anything reads; remove it or check its spelling"]),
    ];
    for (line, expected) in rows {
        assert_eq!(told(&GOOD.replace("replicas: 3", line)), expected, "{line}");
    }
    let labels = GOOD.replace(
        "        app: web\n    spec",
        "        app: web\n        since: 2024-01-01\n        on: 'yes'\n        port: 0755\n    spec",
    );
    assert_eq!(
        told(&labels),
        ["16:9: spec.template.metadata.labels.port: \"0755\" without quotes is 493, not text; write \"0755\""]
    );
}

#[test]
fn json_is_read_like_yaml() {
    let text = "{\n\t\"apiVersion\": \"argoproj.io/v1alpha1\",\n\t\"kind\": \"AnalysisTemplate\",\n\t\"metadata\": {\"name\": \"a\"},\n\t\"spec\": {\"metrics\": []}\n}\n";
    assert_eq!(
        told(text),
        ["5:11: spec.metrics: has no metric; write at least one, or name other templates in spec.templates"]
    );
}

#[test]
fn objects_in_a_list_are_told_by_their_place_in_it() {
    let inner: String = GOOD.replace("replicas: 3", "replicas: -3").lines().fold(String::new(), |mut all, line| {
        let _ = writeln!(all, "  {line}");
        all
    });
    let text = format!("apiVersion: v1\nkind: List\nitems:\n- kind: Service\n-{}", &inner[1..]);
    let report = lint(text.as_bytes());
    assert_eq!(lines(&report), ["10:5: items[1].spec.replicas: -3 is less than 0; write 0 or more"]);
    assert_eq!(report.objects, 1);
}

#[test]
fn other_peoples_objects_are_passed_over() {
    for text in [
        "",
        "\n\n# only a comment\n",
        "---\n---\n...\n",
        "5",
        "just text",
        "[1, 2]",
        "replicas: -1\n",
        "kind: ConfigMap\napiVersion: v1\ndata: {a: 1, a: 2}\n",
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec: 5\n",
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\n",
        "apiVersion: rollouts.kruise.io/v1beta1\nkind: Rollout\nspec: {replicas: x}\n",
        "kind: 5\napiVersion: [a]\n",
    ] {
        let report = lint(text.as_bytes());
        assert_eq!(lines(&report), NONE, "{text}");
        assert_eq!(report.objects, 0);
    }
}

#[test]
fn an_object_that_was_meant_to_be_ours_is_told() {
    let rows = [
        (
            "apiVersion: argoproj.io/v1alpha1\nkind: rollout\n",
            "2:1: kind: \"rollout\" is not a kind of argoproj.io/v1alpha1; did you mean Rollout?",
        ),
        (
            "apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplates\n",
            "2:1: kind: \"AnalysisTemplates\" is not a kind of argoproj.io/v1alpha1; did you mean AnalysisTemplate?",
        ),
        (
            "apiVersion: argoproj.io/v1alpha1\n",
            "1:1: kind: is required; write Rollout, AnalysisTemplate, ClusterAnalysisTemplate, AnalysisRun or Experiment",
        ),
        (
            "apiVersion: argoproj.io/v1\nkind: Rollout\n",
            "1:1: apiVersion: \"argoproj.io/v1\" is not a version that there is; write argoproj.io/v1alpha1",
        ),
        (
            "apiVersion: argproj.io/v1alpha1\nkind: Rollout\n",
            "1:1: apiVersion: \"argproj.io/v1alpha1\" is not a group that there is; write argoproj.io/v1alpha1",
        ),
        ("kind: Experiment\n", "1:1: apiVersion: is required; write argoproj.io/v1alpha1"),
    ];
    for (text, expected) in rows {
        assert_eq!(told(text), [expected], "{text}");
    }
}

#[test]
fn the_same_object_twice_in_a_file_is_told() {
    assert_eq!(
        told(&format!("{GOOD}---\n{GOOD}")),
        ["27:3: metadata.name: \"web\" is in this file twice; remove one of the two, or name it otherwise"]
    );
}

#[test]
fn bytes_that_are_no_text_are_told() {
    let mut bytes = b"apiVersion: argoproj.io/v1alpha1\nkind: ".to_vec();
    bytes.extend([0xff, 0xfe, b'\n']);
    assert_eq!(lines(&lint(&bytes)), ["2:1: is not UTF-8; save the file as UTF-8"]);
    let utf16: Vec<u8> = GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(lint(&utf16).findings.len(), 1);
}

#[test]
fn a_byte_order_mark_is_no_mistake() {
    assert_eq!(told(&format!("\u{feff}{GOOD}")), NONE);
}

#[test]
fn windows_line_ends_are_no_mistake() {
    let text = GOOD.replace("replicas: 3", "replicas: -3").replace('\n', "\r\n");
    assert_eq!(told(&text), ["6:3: spec.replicas: -3 is less than 0; write 0 or more"]);
}

#[test]
fn deep_nesting_is_refused() {
    let flow = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let found = told(&flow);
    assert_eq!(found.len(), 1, "{found:?}");
    let mut block = String::new();
    for level in 0..150 {
        let _ = writeln!(block, "{}a:", " ".repeat(level));
    }
    let found = told(&block);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("is nested too deeply; flatten it; 100 levels are read"), "{found:?}");
    let mut aliases = "a0: &a0 x\n".to_owned();
    for level in 1..150 {
        let _ = writeln!(aliases, "a{level}: &a{level} [*a{}]", level - 1);
    }
    let found = told(&aliases);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("is nested too deeply; flatten it; 100 levels are read"), "{found:?}");
}

#[test]
fn what_is_written_twice_in_a_list_is_told_of_ours_alone() {
    let text = "apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: a, name: b}}
- {apiVersion: argoproj.io/v1alpha1, kind: AnalysisTemplate, metadata: {name: a}, spec: {metrics: [{name: m, name: k, provider: {web: {url: u}}}]}}
";
    let report = lint(text.as_bytes());
    assert_eq!(
        lines(&report),
        ["5:110: items[1].spec.metrics[0].name: is written twice, first on line 5; keep one; kubectl takes the last"]
    );
    assert_eq!(report.findings[0].object.as_ref().map(|object| object.name.as_str()), Some("a"));
}

#[test]
fn texts_that_yaml_takes_for_something_else_are_told_as_they_are_written() {
    let rows = [
        ("1.10", "\"1.10\" without quotes is 1.1, not text; write \"1.10\""),
        ("n", "\"n\" without quotes is false, not text; write \"n\""),
        ("1e3", "\"1e3\" without quotes is 1000, not text; write \"1e3\""),
        ("5", "5 is not text; write \"5\""),
        ("true", "true is not text; write \"true\""),
    ];
    for (written, expected) in rows {
        let text =
            GOOD.replace("        app: web\n    spec", &format!("        app: web\n        v: {written}\n    spec"));
        assert_eq!(told(&text), [format!("14:9: spec.template.metadata.labels.v: {expected}")], "{written}");
    }
}
