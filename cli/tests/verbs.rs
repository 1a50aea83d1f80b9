//! The verbs that ask a cluster, as a user types them, against the sandbox with Sluice's own controller beside it.

mod support;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use support::{Playground, Said, said};

fn phase(wanted: &'static str) -> impl Fn(&Value) -> bool {
    move |rollout| rollout["status"]["phase"] == wanted
}

/// Waits at the first pause of version 2.0.
fn paused_release() -> Playground {
    let playground = Playground::with_healthy_demo();
    let updated = playground.must(&["set", "image", "shop", "web=shop:2.0"]);
    assert_eq!(updated, "rollout.argoproj.io/shop image updated\n");
    let said = playground.run(&["status", "shop", "--until=done", "--timeout", "90s"]);
    assert_eq!(said.code, Some(5), "{said:?}");
    playground
}

#[test]
fn a_release_is_promoted_aborted_retried_and_undone_and_nothing_is_done_twice() {
    let playground = paused_release();
    let does = |arguments: &[&str], expected: &str| {
        assert_eq!(playground.must(arguments), format!("rollout.argoproj.io/shop {expected}\n"), "{arguments:?}");
    };
    does(&["set", "image", "shop", "web=shop:2.0"], "image unchanged");
    does(&["retry", "rollout", "shop"], "not retried: it is not aborted");
    does(&["promote", "shop", "--if-step", "1", "--if-revision", "2"], "promoted");
    playground.must(&["status", "shop", "--until=step=3", "--timeout", "90s"]);
    does(&["abort", "shop", "--reason", "500s on checkout"], "aborted");
    does(&["abort", "shop"], "already aborted");
    let rollout = playground.until("aborted", phase("Degraded"));
    assert_eq!(rollout["status"]["history"][0]["who"], "sluice: 500s on checkout");
    let refused = playground.run(&["promote", "shop"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.starts_with("error: rollout.argoproj.io/shop: it is aborted"), "{}", refused.err);
    assert_eq!(playground.run(&["status", "shop"]).code, Some(3));
    does(&["retry", "rollout", "shop"], "retried");
    playground.until("paused again", phase("Paused"));
    does(&["promote", "shop", "--full"], "fully promoted");
    playground.until("promoted", phase("Healthy"));
    does(&["promote", "shop"], "already promoted: revision 2 is stable");
    does(&["promote", "shop", "--full"], "already promoted: revision 2 is stable");
    does(&["abort", "shop"], "not aborted: nothing is being released, revision 2 is stable");
    does(&["undo", "shop"], "undone to revision 1");
    playground.until("back at the old image", |rollout| {
        rollout["spec"]["template"]["spec"]["containers"][0]["image"] == "shop:1.0"
            && rollout["status"]["phase"] == "Paused"
    });
    let history = playground.must(&["history", "shop", "--ascii"]);
    assert!(history.lines().any(|line| line.contains("FastPromoted") && line.contains("shop:2.0")), "{history}");
}

#[test]
fn guards_and_dry_runs_move_nothing() {
    let playground = paused_release();
    let before = playground.until("paused", phase("Paused"));
    for (flag, expected) in [
        (["--if-step", "3"], "it is at step 1, not 3; look again before you go on"),
        (["--if-revision", "7"], "it is at revision 2, not 7; look again before you go on"),
    ] {
        let refused = playground.run(&[&["promote", "shop"], &flag[..]].concat());
        let expected = format!("error: rollout.argoproj.io/shop: {expected}\n");
        assert_eq!(refused, Said { code: Some(1), out: String::new(), err: expected });
    }
    let client = playground.must(&["promote", "shop", "--dry-run=client"]);
    assert_eq!(client, "rollout.argoproj.io/shop promoted (dry run)\n");
    let server = playground.must(&["abort", "shop", "--dry-run=server", "-o", "json"]);
    let server: Value = serde_json::from_str(&server).expect("JSON");
    assert_eq!(server["status"]["abort"], true);
    let after = playground.until("paused", phase("Paused"));
    assert_eq!((&after["spec"], &after["status"]), (&before["spec"], &before["status"]));
    assert_eq!(playground.must(&["abort", "rollout/shop", "-o", "name"]), "rollout.argoproj.io/shop\n");
}

#[test]
fn pausing_resuming_and_restarting_change_the_spec() {
    let playground = Playground::with_healthy_demo();
    let does = |arguments: &[&str], expected: &str| {
        assert_eq!(playground.must(arguments), format!("rollout.argoproj.io/shop {expected}\n"), "{arguments:?}");
    };
    does(&["pause", "shop"], "paused");
    does(&["pause", "shop"], "already paused");
    playground.until("paused", |rollout| rollout["spec"]["paused"] == true && rollout["status"]["phase"] == "Paused");
    does(&["resume", "shop"], "resumed");
    does(&["resume", "shop"], "not resumed: nobody has paused it");
    playground.until("healthy", phase("Healthy"));
    does(&["restart", "shop", "--in", "1h"], "restarts in 1h0m0s");
    does(&["restart", "shop"], "restarts now");
    playground.until("restarting or restarted", |rollout| {
        let (status, wanted) = (&rollout["status"], &rollout["spec"]["restartAt"]);
        status["message"] == "rollout is restarting" || status["restartedAt"] == *wanted
    });
    let wrong = playground.run(&["restart", "shop", "--in", "soon"]);
    assert_eq!((wrong.code, wrong.out.as_str()), (Some(2), ""));
}

#[test]
fn several_are_steered_at_once_and_one_failure_keeps_no_other() {
    let playground = Playground::with_healthy_demo();
    let said = playground.run(&["pause", "nope", "shop"]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), "rollout.argoproj.io/shop paused\n"));
    let missing = "error: rollout.argoproj.io/nope not found in namespace default; \"list rollouts -n default\" shows what is \
                   there, -A all namespaces\n";
    assert_eq!(said.err, missing);
}

#[test]
fn status_tells_done_from_paused_from_failed() {
    let playground = paused_release();
    let code = |arguments: &[&str]| playground.run(&[&["status", "shop"], arguments].concat()).code;
    assert_eq!(code(&["--until=paused"]), Some(0));
    assert_eq!(code(&["--until=step=1"]), Some(0));
    assert_eq!(code(&["--until=weight=20"]), Some(0));
    assert_eq!(code(&["--watch=false"]), Some(5));
    assert_eq!(code(&["--timeout", "1s"]), Some(5));
    assert_eq!(code(&["--until=forever"]), Some(2));
    let said = playground.run(&["status", "shop", "--watch=false"]);
    assert_eq!(said.out, "Paused - CanaryPauseStep\n");
    playground.must(&["abort", "shop"]);
    playground.until("aborted", phase("Degraded"));
    assert_eq!(code(&["--until=done"]), Some(3));
}

#[test]
fn a_pause_with_a_length_is_nobodys_turn() {
    let playground = Playground::with_healthy_demo();
    playground.create_like_shop("slow", &json!([{"setWeight": 20}, {"pause": {"duration": "1h"}}]));
    playground.must(&["set", "image", "slow", "web=shop:2.0"]);
    playground.must(&["status", "slow", "--until=paused", "--timeout", "90s"]);
    let code = |arguments: &[&str]| playground.run(&[&["status", "slow"], arguments].concat()).code;
    assert_eq!(code(&["--until=done", "--watch=false"]), Some(4));
    assert_eq!(code(&["--watch=false"]), Some(0));
    assert_eq!(code(&["--timeout", "1s"]), Some(4));
    assert_eq!(playground.run(&["get", "rollout", "slow", "-w", "--timeout", "1s"]).code, Some(4));
    let page = playground.must(&["get", "rollout", "slow"]);
    assert!(page.lines().any(|line| line.starts_with("Next:            in 5") && line.contains("m (at ")), "{page}");
    playground.must(&["promote", "slow"]);
    playground.must(&["status", "slow", "--until=done", "--timeout", "90s"]);
}

/// A release whose analysis can't tell.
#[test]
fn an_inconclusive_analysis_is_a_code_of_its_own_and_promote_counts_it_as_good() {
    let playground = Playground::with_healthy_demo();
    let template = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": "unsure"},
        "spec": {"metrics": [{
            "name": "unsure", "successCondition": "result[0] > 2", "failureCondition": "result[0] < 0",
            "provider": {"prometheus": {"query": "vector(1)"}},
        }]},
    });
    let step = json!([{"analysis": {"templates": [{"templateName": "unsure"}]}}, {"pause": {}}]);
    let created = playground.run_with(&["create", "-f", "-"], &template.to_string());
    let line = "analysistemplate.argoproj.io/unsure created\n".to_owned();
    assert_eq!(created, Said { code: Some(0), out: line, err: String::new() });
    playground.create_like_shop("unsure", &step);
    playground.must(&["set", "image", "unsure", "*=shop:2.0"]);
    let said = playground.run(&["status", "unsure", "--until=done", "--timeout", "90s"]);
    assert_eq!(said.code, Some(6), "{said:?}");
    let run = playground.must(&["analysis", "list", "-o", "name"]);
    let shown = playground.must(&["analysis", "show", run.trim()]);
    assert!(shown.contains("good: result[0] > 2, bad: result[0] < 0"), "{shown}");
    let ended = playground.must(&["terminate", "analysisrun", run.trim()]);
    assert!(ended.ends_with("not terminated: it has ended, Inconclusive\n"), "{ended}");
    playground.must(&["promote", "unsure"]);
    let said = playground.run(&["status", "unsure", "--until=done", "--timeout", "90s"]);
    assert_eq!(said.code, Some(5), "{said:?}");
}

#[test]
fn objects_are_created_of_our_kinds_only_and_not_twice() {
    let playground = Playground::start(&["--empty"]);
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/canary.yaml");
    let dry = playground.must(&["create", "-f", example, "--dry-run=server"]);
    assert!(dry.lines().all(|line| line.ends_with(" created (server dry run)")) && !dry.is_empty(), "{dry}");
    let created = playground.run(&["create", "-f", example]);
    assert_eq!(created.code, Some(0), "{created:?}");
    let again = playground.run(&["create", "-f", example]);
    assert_eq!(again.code, Some(1));
    assert!(again.err.contains("is there already; change it with kubectl apply"), "{}", again.err);
    let other = playground.run_with(&["create", "-f", "-"], "apiVersion: v1\nkind: Secret\n");
    assert_eq!(other.code, Some(1));
    assert!(
        other.err.starts_with("error: <stdin> has a v1 Secret; only the kinds of argoproj.io/v1alpha1"),
        "{}",
        other.err
    );
    let wrong = playground.run_with(&["create", "-f", "-"], "a: [");
    assert!(wrong.err.starts_with("error: <stdin> is no YAML") && wrong.err.lines().count() == 1, "{}", wrong.err);
}

#[test]
fn lists_and_objects_are_printed_as_they_are_asked_for() {
    let playground = Playground::with_healthy_demo();
    let rows = playground.must(&["list", "rollouts"]);
    let words: Vec<Vec<&str>> = rows.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        words[0],
        ["NAME", "STRATEGY", "STATUS", "STEP", "SET-WEIGHT", "READY", "DESIRED", "UP-TO-DATE", "AVAILABLE"]
    );
    assert_eq!(words[1], ["shop", "Canary", "Healthy", "4/4", "100", "5/5", "5", "5", "5"]);
    assert_eq!(playground.must(&["list", "ro", "--no-headers", "-A"]).split_whitespace().next(), Some("default"));
    assert_eq!(playground.must(&["-n", "default", "list", "rollouts", "-o", "name"]), "rollout.argoproj.io/shop\n");
    let list: Value = serde_json::from_str(&playground.must(&["list", "rollouts", "-o", "json"])).expect("JSON");
    assert_eq!((&list["kind"], &list["items"][0]["kind"]), (&json!("List"), &json!("Rollout")));
    assert!(playground.must(&["get", "rollout", "shop", "-o", "yaml"]).contains("kind: Rollout\n"));
    let phase = playground.must(&["get", "rollout", "shop", "-o", "jsonpath={.status.phase}"]);
    assert_eq!(phase, "Healthy");
    let columns =
        playground.must(&["list", "rollouts", "-o", "custom-columns=NAME:.metadata.name,PHASE:.status.phase"]);
    assert_eq!(columns, "NAME  PHASE\nshop  Healthy\n");
    let nothing = playground.run(&["list", "rollouts", "-l", "app=none"]);
    let note = "note: No resources found in namespace default.\n".to_owned();
    assert_eq!(nothing, Said { code: Some(0), out: String::new(), err: note });
    let empty = playground.run(&["list", "experiments", "-o", "json"]);
    let empty: Value = serde_json::from_str(&empty.out).expect("JSON also of nothing");
    assert_eq!(empty["items"], json!([]));
    let page = playground.must(&["get", "rollout", "shop"]);
    assert!(!page.contains('\x1b'), "no colours in a pipe: {page}");
    assert!(playground.must(&["get", "rollout", "shop", "--color", "always"]).contains("\x1b[32m"));
    assert!(playground.must(&["get", "rollout", "shop", "--ascii"]).is_ascii());
}

#[test]
fn a_watch_ends_with_the_release() {
    let playground = paused_release();
    playground.must(&["promote", "shop", "--full"]);
    let lines = playground.must(&["get", "rollout", "shop", "--watch"]);
    let last = lines.lines().last().unwrap_or_default();
    assert!(last.contains("Healthy  step 4/4  weight 100/100"), "{lines}");
}

#[test]
fn what_goes_wrong_is_one_line_that_says_what_to_do() {
    let playground = Playground::start(&["--empty"]);
    // (arguments, the code, how the line begins)
    let rows: [(&[&str], i32, &str); 6] = [
        (
            &["list", "rollouts", "--server", "https://127.0.0.1:1"],
            1,
            "error: can't reach the cluster at https://127.0.0.1:1: ",
        ),
        (&["list", "rollouts", "--token", "wrong"], 1, "error: https://127.0.0.1:"),
        (&["list", "rollouts", "--context", "nope"], 1, "error: the kubeconfig names no cluster: "),
        (&["list", "rollouts", "--kubeconfig", "/nope"], 1, "error: the kubeconfig can't be read: "),
        (
            &["get", "rollout", "nope", "-o", "json"],
            1,
            "error: rollout.argoproj.io/nope not found in namespace default",
        ),
        (&["list", "rollouts", "-w", "-o", "json"], 2, "error: --watch prints rows"),
    ];
    for (arguments, code, begins) in rows {
        let said = playground.run(arguments);
        assert_eq!(
            (said.code, said.out.as_str(), said.err.lines().count()),
            (Some(code), "", 1),
            "{arguments:?} {said:?}"
        );
        assert!(said.err.starts_with(begins), "{arguments:?} {said:?}");
    }
    let nowhere = Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args(["list", "rollouts"])
        .env_clear()
        .env("HOME", env!("CARGO_TARGET_TMPDIR"))
        .output()
        .expect("it starts");
    let err = String::from_utf8_lossy(&nowhere.stderr).into_owned();
    assert!(err.starts_with("error: there is no cluster to ask") && err.lines().count() == 1, "{err}");
}

#[test]
fn kubectl_finds_it_under_both_names_and_typing_errors_are_mended() {
    for (file, name) in [("kubectl-sluice", "kubectl sluice"), ("kubectl-argo-rollouts", "kubectl argo rollouts")] {
        let plugin = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
        let _absent = std::fs::remove_file(&plugin);
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_sluice"), &plugin).expect("a link");
        let said = said(Command::new(&plugin).arg("promot"), "");
        assert_eq!(said.code, Some(2));
        assert!(said.err.contains("a similar subcommand exists: 'promote'"), "{}", said.err);
        assert!(said.err.contains(&format!("Usage: {name} ")), "{}", said.err);
    }
    let flag = said(Command::new(env!("CARGO_BIN_EXE_sluice")).args(["promote", "shop", "--ful"]), "");
    assert_eq!(flag.code, Some(2));
    assert!(flag.err.contains("a similar argument exists: '--full'"), "{}", flag.err);
}

#[test]
fn versions_and_completions_need_no_more_than_they_say() {
    let playground = Playground::start(&["--empty"]);
    let version = playground.must(&["version"]);
    assert!(version.starts_with(concat!("sluice: v", env!("CARGO_PKG_VERSION"), "\nkubernetes: v1.")), "{version}");
    assert_eq!(playground.must(&["version", "--short"]), concat!("v", env!("CARGO_PKG_VERSION"), "\n"));
    for (shell, part) in [
        ("bash", "sluice __complete"),
        ("zsh", "sluice __complete"),
        ("fish", "sluice __complete"),
        ("powershell", "promote"),
    ] {
        let script = playground.must(&["completion", shell]);
        assert!(script.contains(part), "{shell}");
    }
}

#[test]
fn experiments_are_listed_shown_terminated_and_retried() {
    let playground = Playground::start(&["--empty"]);
    let pod =
        json!({"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "web", "image": "shop:1.0"}]}});
    let version = json!({"name": "a", "selector": {"matchLabels": {"app": "a"}}, "template": pod});
    let experiment = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Experiment", "metadata": {"name": "compare"},
        "spec": {"duration": "5m", "templates": [version]},
    });
    assert_eq!(playground.run_with(&["create", "-f", "-"], &experiment.to_string()).code, Some(0));
    let row = playground.must(&["list", "experiments", "--no-headers"]);
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!((cells[0], cells[2]), ("compare", "5m"), "{row}");
    let page = playground.must(&["get", "experiment", "compare"]);
    assert!(page.contains("Images:          shop:1.0\n") && page.contains("Σ compare"), "{page}");
    let does = |arguments: &[&str]| playground.must(arguments).trim_end().to_owned();
    let named = "experiment.argoproj.io/compare";
    assert_eq!(does(&["terminate", "experiment", "compare"]), format!("{named} terminated"));
    let again = does(&["terminate", "experiment", "compare"]);
    // Where the controller was faster, it has ended.
    let ended = format!("{named} not terminated: it has ended, Successful");
    assert!(again == format!("{named} already terminated") || again == ended, "{again}");
    let guarded = playground.run(&["terminate", "experiment", "compare", "--if-step", "1"]);
    assert_eq!(guarded.code, Some(2));
}

#[test]
fn a_list_goes_on_with_the_rows_that_change() {
    let playground = Playground::with_healthy_demo();
    let mut list = Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args(["list", "rollouts", "--watch"])
        .env("KUBECONFIG", &playground.kubeconfig)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the list starts");
    let mut lines = BufReader::new(list.stdout.take().expect("its output")).lines().map_while(Result::ok);
    assert!(lines.next().is_some_and(|header| header.starts_with("NAME")));
    assert!(lines.next().is_some_and(|row| row.contains("Healthy")));
    playground.must(&["pause", "shop"]);
    let paused = lines.find(|row| row.contains("Paused"));
    let _ended = list.kill();
    let _gone = list.wait();
    assert!(paused.is_some(), "a row says that it is paused");
}

#[test]
fn undo_goes_to_kept_revisions_only() {
    let playground = Playground::with_healthy_demo();
    let refused = playground.run(&["undo", "shop"]);
    let why = "there is no revision before this one; kept are: 1";
    assert_eq!((refused.code, refused.err), (Some(1), format!("error: rollout.argoproj.io/shop: {why}\n")));
    let refused = playground.run(&["undo", "shop", "--to-revision", "9"]);
    assert!(refused.err.contains("revision 9 is not kept; kept are: 1"), "{}", refused.err);
    let unchanged = "rollout.argoproj.io/shop not undone: the template is that of revision 1 already\n";
    assert_eq!(playground.must(&["undo", "shop", "--to-revision", "1"]), unchanged);
}
