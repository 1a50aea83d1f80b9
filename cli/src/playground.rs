//! `sluice playground`: a whole cluster in memory, Sluice in it, a demo service with traffic, and a kubeconfig.
//!
//! Nothing is installed and nothing is left behind: the API server, Kubernetes' own controllers, the
//! nodes, the traffic and Sluice's controller live in this process, on a port of the loopback interface.

mod folder;
mod follow;
mod page;
mod welcome;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use jiff::SignedDuration;
use sluice_controller::{Controller, Measuring, Settings, ShutdownHandle, over_network};
use sluice_sandbox::Cluster;
use sluice_sandbox::api::access::User;
use sluice_sandbox::doors::{Clock, Door, HttpsDoor, MetricsDoor};

use crate::controller::logs::{self, LogFormat, LogLevel};
use crate::stage::scenario::Scenario;
use crate::stage::{furniture, line, load};
use crate::terminal::Look;
use folder::Folder;
use follow::Follower;
use welcome::Welcome;

/// How often the metrics backend looks: a demo is watched by somebody who waits.
const SCRAPED: SignedDuration = SignedDuration::from_secs(1);
const DEMO: &str = include_str!("playground/demo.yaml");

/// A cluster in memory, to try things out with plain kubectl.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sluice playground\n  sluice playground --scenario bad-errors --speed 5x\n  \
                        sluice playground --apply deploy/ --scenario slow")]
pub(crate) struct Args {
    /// How the next version turns out, which is released by itself [default: good, for the demo]
    #[arg(long, value_enum, value_name = "HOW")]
    scenario: Option<Scenario>,
    /// How many times as fast time goes by in the cluster
    #[arg(long, default_value = "1x", value_name = "FACTOR", value_parser = speed)]
    speed: u32,
    /// Put these manifests in instead of the demo: a file, a directory, an address, or - for standard input; can be repeated
    #[arg(long, value_name = "FILE|DIR|URL|-", conflicts_with = "empty")]
    apply: Vec<String>,
    /// Start without the demo service
    #[arg(long, conflicts_with = "scenario")]
    empty: bool,
    /// The loopback port of the API server; 0 takes any that is free
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// How many nodes the cluster has
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    nodes: u16,
    /// Uids and generated names follow from this number
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Which of Sluice's own log lines to print; info names every write and its reason
    #[arg(long, default_value = "warn", value_name = "LEVEL")]
    loglevel: LogLevel,
    /// End after so many seconds instead of at Ctrl-C
    #[arg(long, value_name = "SECONDS")]
    for_seconds: Option<u64>,
    #[command(flatten)]
    look: Look,
}

/// `10x`, or `10`.
fn speed(text: &str) -> Result<u32, String> {
    let number = text.trim_end_matches(['x', 'X']).parse().ok();
    number.filter(|times| (1..=100).contains(times)).ok_or_else(|| format!("{text:?} is no speed; write 1x to 100x"))
}

impl Args {
    fn shows_demo(&self) -> bool {
        !self.empty && self.apply.is_empty()
    }

    /// What is released by itself.
    fn plot(&self) -> Option<Scenario> {
        self.scenario.or(self.shows_demo().then_some(Scenario::Good))
    }
}

pub(crate) fn run(args: &Args) -> ExitCode {
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("starting the runtime")
        .and_then(|runtime| runtime.block_on(play(args)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn play(args: &Args) -> anyhow::Result<()> {
    logs::begin(args.loglevel, LogFormat::Text, 0);
    let clock = Clock::wall().faster(args.speed);
    let mut cluster = Cluster::new(args.seed, usize::from(args.nodes), clock.now());
    let token = secret()?;
    cluster.world_mut().add_token(&token, User::admin());
    let (left_out, flows) = furnish(&mut cluster, args)?;
    let door = Door::to_cluster(cluster, clock);
    let https = HttpsDoor::open(door.clone(), args.port)
        .await
        .with_context(|| format!("listening on port {} of the loopback interface", args.port))?;
    let metrics = MetricsDoor::new(door.clone()).open(0).await.context("listening for questions about metrics")?;
    let prometheus = format!("http://{}", metrics.address());
    let folder = Folder::create()?;
    let kubeconfig = folder.write("kubeconfig", &https.kubeconfig(&token))?;
    let address = https.address().to_string();
    let welcome = Welcome::new(&address, &prometheus, &kubeconfig, args);
    left_out.iter().for_each(|line| crate::print::note(line));
    let follower = Follower::new(door.clone(), flows, welcome, args);
    let time_is_up = async {
        match args.for_seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    let (stop, stopping) = ShutdownHandle::new();
    let sluice = controller(&kubeconfig, prometheus, &door, args.speed).await?;
    let mut controller = tokio::spawn(sluice.run(stop.clone(), stopping));
    tokio::select! {
        () = time_is_up => {}
        // Without a signal handler the default one ends the process.
        Ok(()) = crate::controller::signalled() => {}
        _ = door.keep_going() => {}
        followed = follower.follow() => followed?,
        ended = &mut controller => anyhow::bail!("Sluice's controller ended by itself: {ended:?}"),
    }
    stop.begin();
    // The cluster is on its way out, so whatever the controller had still to say is said to nobody.
    controller.abort();
    https.close().await;
    metrics.close().await;
    follow::say("The playground is gone, and everything in it.");
    Ok(())
}

/// Puts the demo, or what was asked for, into the cluster, and lets requests in. Says what was left out, and what is
/// asked for.
fn furnish(cluster: &mut Cluster, args: &Args) -> anyhow::Result<(Vec<String>, Vec<String>)> {
    furniture::install_crds(cluster)?;
    let manifests = match (args.empty, args.apply.is_empty()) {
        (true, _) => Vec::new(),
        (false, true) => furniture::documents("the demo", DEMO)?,
        (false, false) => furniture::read(&args.apply)?,
    };
    let left_out = furniture::install(cluster, &manifests)?;
    let flows = load::flows(cluster.world());
    let names = flows.iter().map(|flow| flow.name.clone()).collect();
    let now = cluster.now();
    flows.into_iter().for_each(|flow| cluster.plane_mut().send(flow, now));
    cluster.metrics_mut().scrape_every(SCRAPED, now);
    Ok((left_out, names))
}

/// Sluice's own controller, connected as any client of this cluster is.
async fn controller(kubeconfig: &Path, prometheus: String, door: &Door, speed: u32) -> anyhow::Result<Controller> {
    let cluster = crate::controller::cluster::Cluster::find(Some(kubeconfig), None).await?;
    let settings = Settings {
        namespace: String::new(),
        instance_id: String::new(),
        election: None,
        qps: 200.0,
        burst: 400,
        passes_at_once: 4,
        resync: Duration::from_mins(15),
        seed: 1,
    };
    let measuring = Measuring { prometheus_address: prometheus, ..Measuring::default() };
    let others = over_network(measuring.addresses.clone());
    let clock = match speed {
        1 => sluice_controller::Clock::wall(),
        times => sluice_controller::Clock::faster(door.now(), times),
    };
    let controller = Controller::new(cluster.client, settings, clock).measuring(measuring);
    Ok(controller.asking_through(line::transport(door.clone(), Some(others))))
}

/// A token that nobody else on this machine can guess.
fn secret() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 24];
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| anyhow::anyhow!("the operating system gives no random numbers"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_a_number_of_times() {
        assert_eq!((speed("10x"), speed("3")), (Ok(10), Ok(3)));
        for wrong in ["0x", "fast", "101", "-1x", ""] {
            assert!(speed(wrong).is_err_and(|problem| problem.contains("write 1x to 100x")), "{wrong}");
        }
    }
}
