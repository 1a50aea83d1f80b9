//! What holds for every pod, tried on pods that are put together by chance. A failing seed is in the message.

use serde_json::{Value, json};

use crate::life::Life;

const SEEDS: u64 = 120;

/// A small generator of our own: the same seed gives the same pod for ever.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        let sides = u64::try_from(choices.len()).expect("a few choices");
        choices[usize::try_from(self.roll(sides)).expect("one of them")]
    }
}

fn any_pod(seed: u64) -> String {
    let dice = &mut Dice(seed);
    let policy = dice.pick(&["Always", "OnFailure", "Never"]);
    let annotations = dice.pick(&[
        "",
        "",
        "sandbox.sluice.dev/ready-after: 3s, sandbox.sluice.dev/unready-after: 40s",
        "sandbox.sluice.dev/unhealthy-after: 25s, sandbox.sluice.dev/started-after: 5s",
        "sandbox.sluice.dev/crash-after: 17s, sandbox.sluice.dev/shutdown-after: 3s",
        "sandbox.sluice.dev/evict-after: 70s, sandbox.sluice.dev/shutdown-after: never",
    ]);
    let init = dice.pick(&[
        "",
        "",
        "initContainers: [{name: i, image: b, command: [sleep, '4']}],",
        "initContainers: [{name: i, image: b, command: [sh, -c, exit 1]}],",
        "initContainers: [{name: i, image: b, restartPolicy: Always}, {name: j, image: b, command: [sleep, '2']}],",
        "initContainers: [{name: i, image: b, restartPolicy: Always, command: [sleep, '9']}],",
    ]);
    let (main, side) = (any_container(dice, "main"), any_container(dice, "side"));
    let containers = if dice.roll(3) == 0 { format!("{main}, {side}") } else { main };
    format!(
        "{{metadata: {{annotations: {{{annotations}}}}},
           spec: {{restartPolicy: {policy}, terminationGracePeriodSeconds: 12, {init} containers: [{containers}]}}}}"
    )
}

fn any_container(dice: &mut Dice, name: &str) -> String {
    let image = dice.pick(&["nginx", "nginx", "nginx", "nginx", "x:missing", "Bad Name"]);
    let command = dice.pick(&[
        "",
        "",
        "command: [sh, -c, 'sleep 20 && exit 1'],",
        "command: [sh, -c, 'touch /tmp/up; sleep 30; rm /tmp/up; sleep 30'],",
        "command: [sleep, '13'],",
        "command: ['false'],",
        "command: [no-such-program],",
        "command: [sh, -c, \"trap '' TERM; sleep 500\"],",
    ]);
    let readiness = dice.pick(&[
        "",
        "readinessProbe: {tcpSocket: {port: 80}, initialDelaySeconds: 6, periodSeconds: 3, successThreshold: 2},",
        "readinessProbe: {exec: {command: [cat, /tmp/up]}, periodSeconds: 2},",
    ]);
    let other_probes = dice.pick(&[
        "",
        "livenessProbe: {httpGet: {port: 80}, periodSeconds: 4, failureThreshold: 2},",
        "livenessProbe: {exec: {command: ['false']}, periodSeconds: 7},",
        "startupProbe: {httpGet: {port: 80}, periodSeconds: 2},",
        "startupProbe: {exec: {command: [test, -f, /tmp/up]}, periodSeconds: 1, failureThreshold: 2},",
    ]);
    let lifecycle = dice.pick(&[
        "",
        "",
        "lifecycle: {postStart: {sleep: {seconds: 3}}, preStop: {sleep: {seconds: 5}}},",
        "lifecycle: {postStart: {exec: {command: ['false']}}},",
        "lifecycle: {preStop: {exec: {command: [sleep, '60']}}},",
    ]);
    format!("{{name: {name}, image: '{image}', {command} {readiness} {other_probes} {lifecycle}}}")
}

#[test]
fn looking_late_leads_to_the_same_status_and_the_same_events() {
    for seed in 0..SEEDS {
        let pod = any_pod(seed);
        let (mut punctual, mut late) = (Life::of(&pod), Life::of(&pod));
        punctual.until("95s").look();
        late.until("0s").asleep_until("95s");
        assert_eq!(late.pod["status"], punctual.pod["status"], "seed {seed}: {pod}");
        assert_eq!(late.events, punctual.events, "seed {seed}: {pod}");
    }
}

#[test]
fn a_second_look_at_the_same_moment_writes_nothing() {
    for seed in 0..SEEDS {
        let pod = any_pod(seed);
        for end in ["0s", "13s", "47s", "10m"] {
            let mut life = Life::of(&pod);
            life.until(end).look();
            let again = life.look();
            assert_eq!((again.status, again.events.len()), (None, 0), "seed {seed} at {end}: {pod}");
        }
    }
}

/// The containers that are asked to stop have 12 s, a sidecar after them two more.
#[test]
fn every_deleted_pod_goes_within_its_grace_period() {
    for seed in 0..SEEDS {
        let pod = any_pod(seed);
        for (deleted, gone) in [("0s", "16s"), ("13s", "29s"), ("47s", "63s")] {
            let mut life = Life::of(&pod);
            life.until(deleted).delete(12).until(gone);
            assert!(life.is_gone(), "seed {seed} deleted at {deleted}: {pod}");
            let phase = &life.pod["status"]["phase"];
            assert!(phase == "Succeeded" || phase == "Failed", "seed {seed}: {phase}");
        }
    }
}

#[test]
fn a_pod_is_ready_only_with_all_its_containers_and_a_final_phase_is_final() {
    let ready = |life: &Life, kind: &str| life.condition(kind)["status"] == "True";
    for seed in 0..SEEDS {
        let pod = any_pod(seed);
        let mut life = Life::of(&pod);
        let mut ended: Option<Value> = None;
        let mut restarts = json!(0);
        for second in 0..60 {
            life.until(&format!("{second}s")).look();
            let status = &life.pod["status"];
            let all = status["containerStatuses"].as_array().expect("statuses");
            if ready(&life, "Ready") {
                assert!(all.iter().all(|container| container["ready"] == true), "seed {seed} at {second}s: {status}");
            }
            let now = &life.container("main")["restartCount"];
            assert!(now.as_i64() >= restarts.as_i64(), "seed {seed} at {second}s: {now} after {restarts}");
            restarts = now.clone();
            if let Some(ended) = &ended {
                assert_eq!(ended, status, "seed {seed} at {second}s");
            }
            if status["phase"] == "Succeeded" || status["phase"] == "Failed" {
                ended = Some(status.clone());
            }
        }
    }
}

#[test]
fn a_kubelet_that_forgets_loses_neither_restarts_nor_the_end() {
    for seed in 0..SEEDS {
        let pod = any_pod(seed);
        let mut life = Life::of(&pod);
        life.until("30s").look();
        let before = life.pod["status"].clone();
        life.forgetful = true;
        life.look();
        let (after, main) = (&life.pod["status"], life.container("main"));
        let known = before["containerStatuses"][0]["restartCount"].as_i64();
        assert!(main["restartCount"].as_i64() >= known, "seed {seed}: {before} then {after}");
        assert_eq!(after["startTime"], before["startTime"], "seed {seed}");
        assert_eq!(after["podIP"], before["podIP"], "seed {seed}");
        if before["phase"] == "Succeeded" || before["phase"] == "Failed" {
            assert_eq!(*after, before, "seed {seed}");
        }
    }
}
