//! Verbs that compare, explain, measure by hand and complete, as a user types them.

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use support::{Playground, Said, said};

fn sluice(arguments: &[&str]) -> Said {
    said(Command::new(env!("CARGO_BIN_EXE_sluice")).args(arguments), "")
}

#[test]
fn two_revisions_are_compared_and_a_script_is_told_whether_they_differ() {
    let playground = Playground::with_healthy_demo();
    playground.must(&["set", "image", "shop", "web=shop:2.0"]);
    playground.must(&["status", "shop", "--until=paused", "--timeout", "90s"]);
    let told = playground.must(&["diff", "shop", "1", "2"]);
    assert!(told.starts_with("--- revision 1\n+++ revision 2\n"), "{told}");
    let changes: Vec<&str> =
        told.lines().skip(2).filter(|line| line.starts_with(['-', '+'])).map(str::trim_end).collect();
    assert_eq!(changes, ["-   - image: shop:1.0", "+   - image: shop:2.0"], "{told}");
    assert_eq!(playground.run(&["diff", "shop", "1", "--detailed-exitcode"]).code, Some(2));
    let same = playground.run(&["diff", "shop", "2", "--detailed-exitcode"]);
    assert_eq!(same, Said { code: Some(0), out: String::new(), err: "note: they are the same\n".to_owned() });
    let missing = playground.run(&["diff", "shop", "7"]);
    let err = "error: rollout.argoproj.io/shop: revision 7 is not kept; kept are: 1, 2\n".to_owned();
    assert_eq!(missing, Said { code: Some(1), out: String::new(), err });
}

#[test]
fn waiting_ends_with_an_exit_code_for_what_came() {
    let playground = Playground::with_healthy_demo();
    assert_eq!(playground.run(&["wait", "shop"]).code, Some(0));
    playground.must(&["set", "image", "shop", "web=shop:2.0"]);
    assert_eq!(playground.run(&["wait", "shop", "--for=paused", "--timeout", "90s"]).code, Some(0));
    assert_eq!(playground.run(&["wait", "shop"]).code, Some(5));
    assert_eq!(playground.run(&["wait", "shop", "--for=weight=20"]).code, Some(0));
    playground.must(&["abort", "shop"]);
    playground.until("aborted", |rollout| rollout["status"]["phase"] == "Degraded");
    assert_eq!(playground.run(&["wait", "shop", "--for=step=4"]).code, Some(3));
    assert_eq!(playground.run(&["wait", "shop", "--for=ever"]).code, Some(2));
}

#[test]
fn a_reason_is_explained_and_a_misspelt_one_is_found() {
    let explained = sluice(&["explain", "CanaryPauseStep"]);
    assert_eq!(explained.code, Some(0));
    assert!(
        explained.out.starts_with("CanaryPauseStep\n") && explained.out.contains("\"promote\""),
        "{}",
        explained.out
    );
    let misspelt = sluice(&["explain", "RolloutAbortd"]);
    assert_eq!((misspelt.code, misspelt.out.as_str()), (Some(1), ""));
    assert!(misspelt.err.contains("did you mean RolloutAborted?"), "{}", misspelt.err);
    assert!(sluice(&["explain"]).out.lines().count() > 30);
}

#[test]
fn the_doctor_finds_nothing_wrong_in_the_playground_and_names_what_is() {
    let playground = Playground::with_healthy_demo();
    let well = playground.run(&["doctor"]);
    assert_eq!(well.code, Some(0), "{well:?}");
    for part in ["API server", "as the server's", "the cluster knows all five", "of Sluice", "may steer", "routers"] {
        assert!(well.out.contains(part), "{part}: {}", well.out);
    }
    let routed = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "routed"},
        "spec": {
            "selector": {"matchLabels": {"app": "routed"}},
            "template": {"metadata": {"labels": {"app": "routed"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}},
            "strategy": {"canary": {
                "stableService": "a", "canaryService": "b", "trafficRouting": {"nginx": {"stableIngress": "gone"}},
            }},
        },
    });
    let template = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": "elsewhere"},
        "spec": {"metrics": [{"name": "a", "successCondition": "true", "provider": {"prometheus": {"address": "http://127.0.0.1:1", "query": "1"}}}]},
    });
    assert_eq!(playground.run_with(&["create", "-f", "-"], &format!("{template}\n---\n{routed}\n")).code, Some(0));
    let ill = playground.run(&["doctor", "--ascii"]);
    assert_eq!(ill.code, Some(1), "{ill:?}");
    assert!(
        ill.out.contains("x routers") && ill.out.contains("the Ingress default/gone: it is not there"),
        "{}",
        ill.out
    );
    assert!(
        ill.out.contains("! metric servers") && ill.out.contains("http://127.0.0.1:1 doesn't answer from here"),
        "{}",
        ill.out
    );
}

/// A template whose verdict follows from its argument.
fn template() -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": "errors"},
        "spec": {
            "args": [{"name": "errors"}],
            "metrics": [{
                "name": "error-rate", "interval": "1s", "count": 2,
                "failureCondition": "result[0] > 0.05", "successCondition": "result[0] < 0.02",
                "provider": {"prometheus": {"query": "vector({{args.errors}})"}},
            }],
        },
    })
}

#[test]
fn a_template_is_run_by_hand_and_its_verdict_is_the_exit_code() {
    let playground = Playground::start(&["--empty"]);
    assert_eq!(playground.run_with(&["create", "-f", "-"], &template().to_string()).code, Some(0));
    for (errors, code, phase) in [("0.01", 0, "Successful"), ("0.2", 3, "Failed"), ("0.03", 6, "Inconclusive")] {
        let argument = format!("errors={errors}");
        let run = playground.run(&["analysis", "run", "errors", "-a", &argument, "--timeout", "60s"]);
        assert_eq!(run.code, Some(code), "{run:?}");
        assert!(run.out.contains(phase) && run.out.contains("COURSE") && run.out.contains(errors), "{}", run.out);
        assert!(run.err.starts_with("note: analysisrun.argoproj.io/errors-"), "{}", run.err);
    }
    let missing = playground.run(&["analysis", "run", "errors"]);
    assert_eq!((missing.code, missing.out.as_str()), (Some(1), ""));
    assert!(missing.err.contains("errors"), "{}", missing.err);
    let unknown = playground.run(&["analysis", "run", "nope"]);
    assert!(
        unknown.err.starts_with("error: analysistemplate.argoproj.io/nope not found in namespace default"),
        "{unknown:?}"
    );
    let json = playground.run(&["analysis", "run", "errors", "-a", "errors=0", "-o", "json", "--timeout", "60s"]);
    let ended: Value = serde_json::from_str(&json.out).expect("JSON and nothing else");
    assert_eq!(ended["status"]["phase"], "Successful");
}

#[test]
fn a_run_is_created_from_a_template_as_fingers_know_it() {
    let playground = Playground::start(&["--empty"]);
    let from_file = ["create", "analysisrun", "--from-file", "-", "-a", "errors=0", "--name", "by-hand"];
    let created = playground.run_with(&from_file, &template().to_string());
    assert_eq!(
        (created.code, created.out.as_str()),
        (Some(0), "analysisrun.argoproj.io/by-hand created\n"),
        "{created:?}"
    );
    assert_eq!(playground.run_with(&["create", "-f", "-"], &template().to_string()).code, Some(0));
    let from = [
        "create",
        "analysisrun",
        "--from",
        "errors",
        "-a",
        "errors=0",
        "--generate-name",
        "nightly-",
        "--instance-id",
        "blue",
    ];
    let created = playground.must(&from);
    assert!(created.starts_with("analysisrun.argoproj.io/nightly-") && created.ends_with(" created\n"), "{created}");
    let dry = playground.must(&[
        "create",
        "ar",
        "--from",
        "errors",
        "-a",
        "errors=0",
        "--name",
        "x",
        "--dry-run=client",
        "-o",
        "json",
    ]);
    let dry: Value = serde_json::from_str(&dry).expect("JSON");
    assert_eq!((&dry["metadata"]["name"], &dry["spec"]["args"][0]["value"]), (&json!("x"), &json!("0")));
    let neither = playground.run(&["create", "analysisrun", "-a", "errors=0"]);
    assert_eq!((neither.code, neither.out.as_str()), (Some(2), ""));
}

#[test]
fn names_come_from_the_cluster_and_kubectl_asks_for_them_too() {
    let playground = Playground::with_healthy_demo();
    assert_eq!(playground.must(&["__complete", "promote", ""]), "shop\tHealthy\n:4\n");
    assert_eq!(playground.must(&["__complete", "get", "ro", "x"]), ":4\n");
    assert_eq!(playground.must(&["__complete", "-n", "elsewhere", "promote", ""]), ":4\n");
    assert!(playground.must(&["__complete", "pro"]).starts_with("promote\t"));
    let nowhere = playground.must(&["__complete", "--server", "https://127.0.0.1:1", "promote", ""]);
    assert_eq!(nowhere, ":4\n", "a cluster that is away has no names, and that is all");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugins");
    std::fs::create_dir_all(&folder).expect("a folder");
    let plugin = folder.join("kubectl-sluice");
    let _absent = std::fs::remove_file(&plugin);
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_sluice"), &plugin).expect("a link");
    let installed = playground.must(&["completion", "kubectl", "--install", folder.to_str().expect("UTF-8")]);
    assert!(installed.ends_with("plugins/kubectl_complete-sluice written\n"), "{installed}");
    let kubectl = std::env::var("KUBECTL").unwrap_or_else(|_| "kubectl".to_owned());
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let asked = said(
        Command::new(kubectl)
            .args(["__complete", "sluice", "promote", ""])
            .env("PATH", path)
            .env("KUBECONFIG", &playground.kubeconfig),
        "",
    );
    assert!(asked.out.starts_with("shop\tHealthy\n"), "{asked:?}");
}

#[test]
fn bash_completes_with_what_is_printed_for_it() {
    let playground = Playground::with_healthy_demo();
    let folder = Path::new(env!("CARGO_BIN_EXE_sluice")).parent().expect("a folder");
    let script = "source <(sluice completion bash); COMP_WORDS=(sluice promote ''); COMP_CWORD=2; __sluice_complete; echo \"${COMPREPLY[@]}\"";
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let completed =
        said(Command::new("bash").args(["-c", script]).env("PATH", path).env("KUBECONFIG", &playground.kubeconfig), "");
    assert_eq!((completed.out.as_str(), completed.err.as_str()), ("shop\n", ""));
}

/// Serves this once.
fn serve(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let _asked = stream.read(&mut [0; 4096]).expect("a request");
        stream.write_all(answer.as_bytes()).expect("an answer");
    });
    format!("http://{address}/rollout.yaml")
}

#[test]
fn manifests_are_linted_where_they_are_served() {
    let manifest = "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: Shop}\n";
    let answer =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{manifest}", manifest.len());
    let url = serve(answer.leak());
    let linted = sluice(&["lint", "-f", &url]);
    assert_eq!(linted.code, Some(1), "{linted:?}");
    assert!(linted.out.starts_with(&format!("{url}:")), "{}", linted.out);
    let url = serve("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let missing = sluice(&["lint", "-f", &url]);
    let err = format!("error: can't read {url}: the server answers with status 404\n");
    assert_eq!(missing, Said { code: Some(2), out: String::new(), err });
}
