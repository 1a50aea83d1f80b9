//! `sluice lint` as a user runs it: what it prints and what it exits with.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const GOOD: &str = "\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: errors
spec:
  metrics:
  - name: error-rate
    provider:
      web:
        url: http://localhost
";

/// An empty folder of its own for each test.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn lint(folder: &Path, args: &[&str]) -> Output {
    lint_with_input(folder, args, "")
}

fn lint_with_input(folder: &Path, args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sluice"))
        .arg("lint")
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn what_users_are_told_to_copy_has_no_mistakes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = lint(&root, &["-f", "docs/examples", "-f", "e2e/templates"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_good_file_exits_with_0() {
    let folder = folder("good");
    write(&folder, "a.yaml", GOOD);
    let output = lint(&folder, &["-f", "a.yaml"]);
    assert_eq!(said(&output), (Some(0), "1 file, 1 object: no mistakes\n".to_owned(), String::new()));
}

#[test]
fn a_bad_file_exits_with_1_and_names_file_line_path_value_and_mend() {
    let folder = folder("bad");
    write(&folder, "a.yaml", &GOOD.replace("    provider:", "    interval: 1 minute\n    provider:"));
    let output = lint(&folder, &["-f", "a.yaml"]);
    let expected = "a.yaml:8:5: AnalysisTemplate errors: spec.metrics[0].interval: \"1 minute\" is not a duration; \
                    write 30s, 10m or 1h\n1 file, 1 object: 1 mistake\n";
    assert_eq!(said(&output), (Some(1), expected.to_owned(), String::new()));
}

#[test]
fn standard_input_is_read_for_a_dash() {
    let output = lint_with_input(&folder("stdin"), &["-f", "-"], &GOOD.replace("url: http://localhost", "url: 5"));
    let expected = "<stdin>:10:9: AnalysisTemplate errors: spec.metrics[0].provider.web.url: 5 is not text; write \"5\"\n\
                    1 file, 1 object: 1 mistake\n";
    assert_eq!(said(&output), (Some(1), expected.to_owned(), String::new()));
}

#[test]
fn a_directory_is_looked_through_at_any_depth() {
    let folder = folder("directory");
    let bad = GOOD.replace("errors", "Errors");
    write(&folder, "deploy/b.yml", &bad);
    write(&folder, "deploy/a/c.json", "{\"apiVersion\": \"argoproj.io/v1alpha1\", \"kind\": \"rollout\"}");
    write(&folder, "deploy/good.yaml", GOOD);
    write(&folder, "deploy/values.yaml", "replicas: -1\n");
    write(&folder, "deploy/README.md", &bad);
    write(&folder, "deploy/.git/d.yaml", &bad);
    let (code, out, err) = said(&lint(&folder, &["-f", "deploy"]));
    let starts: Vec<&str> = out.lines().map(|line| line.split(": ").next().unwrap_or_default()).collect();
    assert_eq!(starts, ["deploy/a/c.json:1:40", "deploy/b.yml:4:3", "4 files, 2 objects"], "{out}");
    assert_eq!((code, err.as_str()), (Some(1), ""));
}

#[test]
fn several_sources_are_linted_together() {
    let folder = folder("several");
    write(&folder, "a.yaml", GOOD);
    write(&folder, "b.yaml", GOOD);
    let (code, out, _) = said(&lint(&folder, &["-f", "a.yaml", "-f", "b.yaml"]));
    assert_eq!((code, out.as_str()), (Some(0), "2 files, 2 objects: no mistakes\n"));
}

#[test]
fn json_output_is_for_tools() {
    let folder = folder("json");
    write(
        &folder,
        "a.yaml",
        &GOOD
            .replace("  name: errors", "  name: errors\n  namespace: shop")
            .replace("url: http", "url:  http")
            .replace("    provider:", "    count: many\n    provider:"),
    );
    let output = lint(&folder, &["-f", "a.yaml", "-o", "json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = json!({
        "files": 1,
        "objects": 1,
        "mistakes": [{
            "file": "a.yaml",
            "line": 9,
            "column": 5,
            "kind": "AnalysisTemplate",
            "namespace": "shop",
            "name": "errors",
            "path": "spec.metrics[0].count",
            "value": "\"many\"",
            "problem": "is not a whole number",
            "mend": "write one such as 5, or an argument such as {{args.count}}",
        }],
    });
    assert_eq!(answer, expected);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn code_hosts_get_the_mistakes_beside_their_lines() {
    let folder = folder("hosts");
    write(&folder, "a,b.yaml", &GOOD.replace("    provider:", "    interval: 1 minute\n    provider:"));
    let sentence =
        "AnalysisTemplate errors: spec.metrics[0].interval: \"1 minute\" is not a duration; write 30s, 10m or 1h";
    let (code, out, _) = said(&lint(&folder, &["-f", "a,b.yaml", "-o", "github"]));
    assert_eq!((code, out), (Some(1), format!("::error file=a%2Cb.yaml,line=8,col=5,title=sluice lint::{sentence}\n")));
    let output = lint(&folder, &["-f", "a,b.yaml", "-o", "sarif"]);
    let sarif: Value = serde_json::from_slice(&output.stdout).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!((&sarif["version"], &result["message"]["text"]), (&json!("2.1.0"), &json!(sentence)));
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a,b.yaml");
    assert_eq!(place["region"], json!({"startLine": 8, "startColumn": 5}));
}

#[test]
fn a_mistake_in_a_condition_is_shown_with_a_caret_below_its_place() {
    let folder = folder("caret");
    write(&folder, "a.yaml", &GOOD.replace("    provider:", "    successCondition: result[0 < 0.05\n    provider:"));
    let (code, out, _) = said(&lint(&folder, &["-f", "a.yaml"]));
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with("a.yaml:8:5: AnalysisTemplate errors: spec.metrics[0].successCondition: "), "{out}");
    assert_eq!(lines[1], "  result[0 < 0.05");
    assert_eq!(lines[2].trim(), "^");
    assert_eq!((lines.len(), lines[3], code), (4, "1 file, 1 object: 1 mistake", Some(1)));
}

#[test]
fn what_can_not_be_read_exits_with_2() {
    let folder = folder("unreadable");
    fs::create_dir_all(folder.join("empty")).unwrap();
    for (args, expected) in [
        (vec!["-f", "missing.yaml"], "error: can't read missing.yaml: "),
        (vec!["-f", "empty"], "error: no .yaml, .yml or .json file in empty\n"),
        (vec![], "error: the following required arguments were not provided:"),
        (vec!["-f", "-", "-o", "xml"], "error: invalid value 'xml' for '--output <OUTPUT>'"),
    ] {
        let (code, out, err) = said(&lint(&folder, &args));
        assert_eq!((code, out.as_str()), (Some(2), ""), "{args:?}");
        assert!(err.starts_with(expected), "{args:?}: {err}");
    }
}

#[test]
fn bytes_that_are_no_text_are_a_mistake_and_not_a_failure() {
    let folder = folder("bytes");
    fs::write(folder.join("a.yaml"), [0xff, 0xfe, 0x00]).unwrap();
    let (code, out, _) = said(&lint(&folder, &["-f", "a.yaml"]));
    assert_eq!(code, Some(1));
    assert_eq!(out, "a.yaml:1:1: is not UTF-8; save the file as UTF-8\n1 file, 0 objects: 1 mistake\n");
}
