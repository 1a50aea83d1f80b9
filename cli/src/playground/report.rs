//! What the playground prints: how to begin, and a line whenever the traffic changes.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use sluice_sandbox::dataplane::Record;
use sluice_sandbox::doors::Door;
use sluice_sandbox::{Cluster, World};

use super::Args;
use super::demo::SHOPPERS;

const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(super) fn welcome(address: &str, prometheus: &str, kubeconfig: &Path, args: &Args) -> String {
    let mut lines = vec![
        format!(
            "A Kubernetes cluster with {} nodes runs in this process, at https://{address}; Sluice is in it.",
            args.nodes
        ),
        format!("What its traffic does is told at {prometheus}, in the language of Prometheus."),
        "Point kubectl at it, in another terminal:".to_owned(),
        String::new(),
        format!("    export KUBECONFIG={}", kubeconfig.display()),
        "    kubectl get rollouts,replicasets,pods".to_owned(),
    ];
    if !args.empty {
        let program = std::env::args().next().unwrap_or_else(|| "sluice".to_owned());
        lines.extend(TRY.lines().map(|line| line.replace("{}", &program)));
    }
    lines.extend([String::new(), "Ctrl-C ends the playground; nothing is left behind.".to_owned()]);
    lines.join("\n")
}

/// What can be done with the demo; `{}` is this program.
const TRY: &str = r#"
  release the next version; it stops when a fifth of the pods are new
    {} set image shop web=shop:2.0
  see how it stands, and why
    {} get rollout shop
    {} why shop
  promote it to the next step
    {} promote shop
  abort it: everything goes back
    {} abort shop
  release a version whose image can't be pulled: the old one goes on serving
    {} set image shop web=does-not-exist
  let the pods answer with errors: while a release goes on, its analysis takes it back
    kubectl annotate pods -l app=shop sandbox.sluice.dev/error-rate=0.2 --overwrite"#;

/// Prints how each Rollout stands and where the traffic goes, whenever that changes. Never ends.
pub(super) async fn follow(door: &Door) {
    let mut before = Totals::default();
    let mut said = String::new();
    let mut stood: BTreeMap<String, String> = BTreeMap::new();
    let mut every = tokio::time::interval(LOOK_EVERY);
    loop {
        every.tick().await;
        let look =
            |cluster: &mut Cluster| (cluster.now(), Totals::of(cluster.plane().record()), standings(cluster.world()));
        let Some((now, totals, standing)) = door.with_cluster(look) else { continue };
        for (rollout, line) in &standing {
            if stood.get(rollout) != Some(line) {
                say(&format!("{}  {rollout}: {line}", now.strftime("%H:%M:%S")));
            }
        }
        stood = standing;
        let line = totals.since(&before);
        before = totals;
        if !line.is_empty() && line != said {
            say(&format!("{}  {line}", now.strftime("%H:%M:%S")));
            said = line;
        }
    }
}

/// `namespace/name` of every Rollout, and its phase, step and message.
fn standings(world: &World) -> BTreeMap<String, String> {
    let rollouts = world.list("argoproj.io", "rollouts", "");
    let standing = |status: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (phase, message, step) =
            (text(&status["phase"]), text(&status["message"]), text(&status["columns"]["step"]));
        let step = if step.is_empty() { String::new() } else { format!(" at step {step}") };
        let message = if message.is_empty() { String::new() } else { format!(": {message}") };
        format!("{phase}{step}{message}")
    };
    rollouts
        .iter()
        .filter(|rollout| rollout.value()["status"]["phase"].is_string())
        .map(|rollout| (format!("{}/{}", rollout.namespace(), rollout.name()), standing(&rollout.value()["status"])))
        .collect()
}

/// Prints a line. The cluster goes on when nobody reads any more.
pub(super) fn say(line: &str) {
    let _read_or_not = writeln!(std::io::stdout(), "{line}");
}

/// What has become of the shoppers' requests so far.
#[derive(Debug, Default)]
struct Totals {
    served: BTreeMap<String, (u64, u64)>,
    lost: u64,
}

impl Totals {
    fn of(record: &Record) -> Self {
        Self {
            served: record
                .revisions(SHOPPERS)
                .map(|(revision, served)| (revision.to_owned(), (served.requests, served.errors)))
                .collect(),
            lost: record.met_no_ready_pod(SHOPPERS) + record.unrouted(SHOPPERS),
        }
    }

    /// The shares of the revisions since an earlier look, in whole percent.
    fn since(&self, before: &Self) -> String {
        let part = |now: u64, then: u64| now.saturating_sub(then);
        let served: Vec<(&str, u64, u64)> = self
            .served
            .iter()
            .map(|(revision, (requests, errors))| {
                let (requests_then, errors_then) = before.served.get(revision).copied().unwrap_or_default();
                (revision.as_str(), part(*requests, requests_then), part(*errors, errors_then))
            })
            .filter(|(_, requests, _)| *requests > 0)
            .collect();
        let lost = part(self.lost, before.lost);
        let all = served.iter().map(|(_, requests, _)| requests).sum::<u64>() + lost;
        let percent = |count: u64| (count * 100 + all / 2).checked_div(all).unwrap_or(0);
        let mut parts: Vec<String> =
            served.iter().map(|(revision, requests, _)| format!("{revision} {}%", percent(*requests))).collect();
        let errors: u64 = served.iter().map(|(_, _, errors)| errors).sum();
        if errors > 0 {
            parts.push(format!("errors {}%", percent(errors)));
        }
        if lost > 0 {
            parts.push(format!("met no ready pod {}%", percent(lost)));
        }
        if parts.is_empty() { String::new() } else { format!("traffic: {}", parts.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(served: &[(&str, u64, u64)], lost: u64) -> Totals {
        let served = served.iter().map(|(revision, all, errors)| ((*revision).to_owned(), (*all, *errors))).collect();
        Totals { served, lost }
    }

    #[test]
    fn a_line_tells_what_happened_since_the_last_look() {
        let before = totals(&[("v1", 100, 0)], 0);
        for (now, line) in [
            (totals(&[("v1", 150, 0)], 0), "traffic: v1 100%"),
            (totals(&[("v1", 130, 0), ("v2", 10, 2)], 10), "traffic: v1 60%, v2 20%, errors 4%, met no ready pod 20%"),
            (totals(&[("v1", 100, 0)], 50), "traffic: met no ready pod 100%"),
            (totals(&[("v1", 100, 0)], 0), ""),
        ] {
            assert_eq!(now.since(&before), line);
        }
    }
}
