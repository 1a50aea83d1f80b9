//! The flags: the names and defaults that deployments of Argo Rollouts use already.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, ValueEnum};
use jiff::SignedDuration;
use sluice_crds::values::GoDuration;
use sluice_planner::engine::Times;

/// Release Rollouts in a cluster.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The kubeconfig to use instead of the pod's own account or the default one
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Look at one namespace only
    #[arg(long)]
    pub(crate) namespaced: bool,
    /// That namespace, and the one of the Lease [default: that of the pod or of the kubeconfig's context]
    #[arg(long, short)]
    pub(crate) namespace: Option<String>,
    /// Only release Rollouts whose label argo-rollouts.argoproj.io/controller-instance-id has this value
    #[arg(long, default_value = "", value_name = "ID")]
    pub(crate) instance_id: String,
    /// Which log lines to print
    #[arg(long, default_value = "info", value_name = "LEVEL")]
    pub(crate) loglevel: LogLevel,
    /// How to print log lines
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub(crate) logformat: LogFormat,
    /// How much the Kubernetes client tells, from 0 (problems only)
    #[arg(long, default_value_t = 0, value_name = "LEVEL")]
    pub(crate) kloglevel: u8,
    /// Port of /metrics
    #[arg(long = "metricsport", alias = "metricsPort", default_value_t = 8090, value_name = "PORT")]
    pub(crate) metrics_port: u16,
    /// Port of /healthz, /livez and /readyz
    #[arg(long = "healthzPort", alias = "healthzport", default_value_t = 8080, value_name = "PORT")]
    pub(crate) healthz_port: u16,
    /// Take part in the election of the replica that writes
    #[arg(
        long,
        default_value_t = true,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = ArgAction::Set,
        value_name = "BOOL"
    )]
    pub(crate) leader_elect: bool,
    /// For so long other replicas leave a lease alone that is not renewed
    #[arg(long, default_value = "15s", value_parser = positive, value_name = "DURATION")]
    pub(crate) leader_election_lease_duration: Duration,
    /// For so long after its last renewal the leader writes
    #[arg(long, default_value = "10s", value_parser = positive, value_name = "DURATION")]
    pub(crate) leader_election_renew_deadline: Duration,
    /// How often the lease is renewed or looked at
    #[arg(long, default_value = "2s", value_parser = positive, value_name = "DURATION")]
    pub(crate) leader_election_retry_period: Duration,
    /// Requests a second to the API server; 0 for no limit
    #[arg(long, default_value_t = 40.0, value_name = "NUMBER")]
    pub(crate) qps: f64,
    /// Requests at once after a quiet time
    #[arg(long, default_value_t = 80, value_name = "NUMBER")]
    pub(crate) burst: u32,
    /// How many Rollouts are worked on at the same time
    #[arg(long, default_value_t = 10, value_name = "NUMBER")]
    pub(crate) rollout_threads: u16,
    /// Every so many seconds each Rollout is looked at although nothing changed
    #[arg(long, default_value_t = 900, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rollout_resync: u64,
    /// Address of the Prometheus server for metrics that name none [env: ARGO_ROLLOUTS_PROMETHEUS_ADDRESS]
    #[arg(long, value_name = "URL")]
    pub(crate) prometheus_address: Option<String>,
    /// Ask only these hosts for metrics: a name, *.example.com or 10.0.0.0/8; can be repeated
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    pub(crate) analysis_allow_host: Vec<String>,
    /// Never ask these hosts for metrics
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    pub(crate) analysis_deny_host: Vec<String>,
    /// Let steps name this plugin, which is called at this address; can be repeated
    #[arg(long, value_name = "NAME=URL", value_parser = step_plugin)]
    pub(crate) step_plugin: Vec<(String, String)>,
    /// Instead of releasing, give all traffic back to the stable versions, take everything away that was put into
    /// objects of others, and end: for the day on which the controller is removed
    #[arg(long)]
    pub(crate) release_all: bool,
}

/// A plugin's name and its address.
fn step_plugin(text: &str) -> Result<(String, String), String> {
    let mend = "write NAME=URL, for example team/checks=https://checks.example.com/step";
    match text.split_once('=') {
        Some((name, url)) if !name.is_empty() && (url.starts_with("http://") || url.starts_with("https://")) => {
            Ok((name.to_owned(), url.to_owned()))
        }
        _ => Err(mend.to_owned()),
    }
}

/// Which log lines are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    #[value(alias = "trace")]
    Debug,
    Info,
    #[value(alias = "warning")]
    Warn,
    #[value(alias = "fatal", alias = "panic")]
    Error,
}

/// How log lines are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl Args {
    pub(crate) fn times(&self) -> Times {
        Times {
            lease: self.leader_election_lease_duration,
            renew_deadline: self.leader_election_renew_deadline,
            retry: self.leader_election_retry_period,
        }
    }
}

fn positive(text: &str) -> Result<Duration, String> {
    let duration: GoDuration = text.parse().map_err(|problem| format!("{problem}"))?;
    let duration = Duration::try_from(SignedDuration::from(duration)).unwrap_or_default();
    if duration.is_zero() { Err("must be more than 0; write 15s or 1m".to_owned()) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        args: Args,
    }

    fn read(flags: &[&str]) -> Result<Args, String> {
        let line = std::iter::once("controller").chain(flags.iter().copied());
        Only::try_parse_from(line).map(|only| only.args).map_err(|problem| problem.to_string())
    }

    #[test]
    fn without_flags_everything_is_as_deployments_expect() {
        let args = read(&[]).expect("no flag is required");
        assert_eq!((args.metrics_port, args.healthz_port), (8090, 8080));
        assert_eq!((args.leader_elect, args.times()), (true, Times::DEFAULT));
        assert_eq!((args.qps, args.burst, args.rollout_threads, args.rollout_resync), (40.0, 80, 10, 900));
        assert_eq!((args.loglevel, args.logformat, args.kloglevel), (LogLevel::Info, LogFormat::Text, 0));
        assert!(!args.namespaced && args.instance_id.is_empty() && !args.release_all);
    }

    #[test]
    fn the_flags_that_people_have_in_their_manifests_are_understood() {
        let args = read(&[
            "--namespaced",
            "--namespace",
            "shop",
            "--instance-id=blue",
            "--loglevel",
            "warning",
            "--logformat=json",
            "--metricsPort=9000",
            "--healthzport",
            "9001",
            "--leader-elect=false",
            "--leader-election-lease-duration",
            "1m",
            "--qps",
            "5.5",
            "--burst=7",
        ])
        .expect("all known");
        assert_eq!(
            (args.namespaced, args.namespace.as_deref(), args.instance_id.as_str()),
            (true, Some("shop"), "blue")
        );
        assert_eq!((args.loglevel, args.logformat), (LogLevel::Warn, LogFormat::Json));
        assert_eq!((args.metrics_port, args.healthz_port, args.leader_elect), (9000, 9001, false));
        assert_eq!((args.times().lease, args.qps, args.burst), (Duration::from_secs(60), 5.5, 7));
        assert!(read(&["--leader-elect"]).expect("a switch").leader_elect);
    }

    #[test]
    fn a_duration_that_is_none_is_refused_with_the_mend() {
        // (what is written, a part of the answer)
        for (written, answer) in [("0s", "must be more than 0"), ("-5s", "must be more than 0"), ("soon", "soon")] {
            let refused = read(&[&format!("--leader-election-retry-period={written}")]).expect_err("refused");
            assert!(refused.contains(answer), "{refused}");
        }
    }
}
