//! What is said at the beginning: where the cluster is, and what can be tried.

use std::path::Path;

use super::Args;

pub(super) struct Welcome {
    /// Where the cluster is, and that it leaves nothing behind.
    pub(super) place: Vec<String>,
    /// What to export, so that kubectl and all verbs find it.
    pub(super) export: String,
    /// What can be done with the demo, and the command for it.
    pub(super) tries: Vec<(&'static str, String)>,
}

const TRIES: [(&str, &str); 7] = [
    ("break it", "{} set image shop web=shop:bad-errors"),
    ("or like this", "{} set image shop web=shop:slow"),
    ("mend it", "{} set image shop web=shop:3.0"),
    ("why is it so?", "{} why shop"),
    ("its page", "{} get rollout shop"),
    ("hold, go on", "{} pause shop; {} resume shop"),
    ("take it back", "{} abort shop"),
];

impl Welcome {
    pub(super) fn new(address: &str, prometheus: &str, kubeconfig: &Path, args: &Args) -> Self {
        let nodes = if args.nodes == 1 { "1 node".to_owned() } else { format!("{} nodes", args.nodes) };
        let speed = if args.speed == 1 { String::new() } else { format!(", {} times as fast", args.speed) };
        let program =
            std::env::args_os().next().map_or_else(|| "sluice".to_owned(), |name| name.to_string_lossy().into_owned());
        let tries = if args.shows_demo() { &TRIES[..] } else { &[] };
        Self {
            place: vec![
                format!("A Kubernetes cluster with {nodes} and Sluice runs in this process{speed}: https://{address}"),
                format!("Its Prometheus: {prometheus}. Ctrl-C ends all of it; nothing is left behind."),
            ],
            export: format!("export KUBECONFIG={}", kubeconfig.display()),
            tries: tries.iter().map(|(what, command)| (*what, command.replace("{}", &program))).collect(),
        }
    }

    /// For a reader of lines.
    pub(super) fn text(&self) -> String {
        let mut lines = self.place.clone();
        lines.push("Point kubectl and sluice at it, in another terminal:".to_owned());
        lines.push(format!("    {}", self.export));
        lines.push("    kubectl get rollouts,replicasets,pods".to_owned());
        lines.extend(self.tries.iter().map(|(what, command)| format!("    {command}    # {what}")));
        lines.join("\n")
    }
}
