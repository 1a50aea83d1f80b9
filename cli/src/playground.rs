//! `sluice playground`: a whole cluster in memory, Sluice in it, a demo service with traffic, and a kubeconfig.
//!
//! Nothing is installed and nothing is left behind: the API server, Kubernetes' own controllers, the
//! nodes, the traffic and Sluice's controller live in this process, on a port of the loopback interface.

mod demo;
mod folder;
mod report;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use jiff::SignedDuration;
use sluice_controller::{Controller, Measuring, Settings, ShutdownHandle};
use sluice_sandbox::Cluster;
use sluice_sandbox::api::access::User;
use sluice_sandbox::doors::{Clock, Door, HttpsDoor, MetricsDoor};

use crate::controller::logs::{self, LogFormat, LogLevel};
use folder::Folder;

/// How often the metrics backend looks: a demo is watched by somebody who waits.
const SCRAPED: SignedDuration = SignedDuration::from_secs(2);

/// A cluster in memory, to try things out with plain kubectl.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The loopback port of the API server; 0 takes any that is free.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// How many nodes the cluster has.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    nodes: u16,
    /// Uids and generated names follow from this number.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Start without the demo service.
    #[arg(long)]
    empty: bool,
    /// Which of Sluice's own log lines to print; info names every write and its reason.
    #[arg(long, default_value = "warn", value_name = "LEVEL")]
    loglevel: LogLevel,
    /// End after so many seconds instead of at Ctrl-C.
    #[arg(long, value_name = "SECONDS")]
    for_seconds: Option<u64>,
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
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn play(args: &Args) -> anyhow::Result<()> {
    logs::begin(args.loglevel, LogFormat::Text, 0);
    let clock = Clock::wall();
    let mut cluster = Cluster::new(args.seed, usize::from(args.nodes), clock.now());
    let token = secret()?;
    cluster.world_mut().add_token(&token, User::admin());
    demo::install_crds(&mut cluster)?;
    if !args.empty {
        demo::install(&mut cluster)?;
    }
    let door = Door::to_cluster(cluster, clock);
    let https = HttpsDoor::open(door.clone(), args.port)
        .await
        .with_context(|| format!("listening on port {} of the loopback interface", args.port))?;
    door.with_cluster(|cluster| {
        let now = cluster.now();
        cluster.metrics_mut().scrape_every(SCRAPED, now);
    });
    let metrics = MetricsDoor::new(door.clone()).open(0).await.context("listening for questions about metrics")?;
    let prometheus = format!("http://{}", metrics.address());
    let folder = Folder::create()?;
    let kubeconfig = folder.write("kubeconfig", &https.kubeconfig(&token))?;
    report::say(&report::welcome(&https.address().to_string(), &prometheus, &kubeconfig, args));
    let time_is_up = async {
        match args.for_seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    let (stop, stopping) = ShutdownHandle::new();
    let mut controller = tokio::spawn(controller(&kubeconfig, prometheus).await?.run(stop.clone(), stopping));
    tokio::select! {
        () = time_is_up => {}
        // Without a signal handler the default one ends the process.
        Ok(()) = crate::controller::signalled() => {}
        _ = door.keep_going() => {}
        () = report::follow(&door) => {}
        ended = &mut controller => anyhow::bail!("Sluice's controller ended by itself: {ended:?}"),
    }
    stop.begin();
    // The cluster is on its way out, so whatever the controller had still to say is said to nobody.
    controller.abort();
    https.close().await;
    metrics.close().await;
    report::say("The playground is gone, and everything in it.");
    Ok(())
}

/// Sluice's own controller, connected as any client of this cluster is.
async fn controller(kubeconfig: &Path, prometheus_address: String) -> anyhow::Result<Controller> {
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
    let measuring = Measuring { prometheus_address, ..Measuring::default() };
    Ok(Controller::new(cluster.client, settings, sluice_controller::Clock::wall()).measuring(measuring))
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
