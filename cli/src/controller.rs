//! `sluice controller`: releases Rollouts in a cluster.

pub(crate) mod cluster;
mod flags;
pub(crate) mod logs;
mod measuring;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use sluice_controller::{Clock, Controller, ElectionSettings, GivenBack, Pages, Settings, ShutdownHandle, release_all};
use tokio::net::TcpListener;

use cluster::Cluster;
pub(crate) use flags::Args;

pub(crate) fn run(args: &Args) -> ExitCode {
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the runtime")
        .and_then(|runtime| runtime.block_on(control(args)));
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn control(args: &Args) -> anyhow::Result<ExitCode> {
    let times = args.times();
    times.check().map_err(anyhow::Error::msg)?;
    logs::begin(args.loglevel, args.logformat, args.kloglevel);
    let measuring = measuring::of(args, |name| std::env::var(name).ok())?;
    let cluster = Cluster::find(args.kubeconfig.as_deref(), args.namespace.as_deref()).await?;
    let seed = RandomState::new().build_hasher().finish();
    let election = args.leader_elect.then(|| ElectionSettings {
        namespace: cluster.namespace.clone(),
        identity: identity(seed),
        times,
    });
    let settings = Settings {
        namespace: if args.namespaced { cluster.namespace.clone() } else { String::new() },
        instance_id: args.instance_id.clone(),
        election,
        qps: args.qps,
        burst: args.burst,
        passes_at_once: args.rollout_threads.into(),
        resync: Duration::from_secs(args.rollout_resync),
        seed,
    };
    if args.release_all {
        return give_back(cluster.client, settings).await;
    }
    let pages = Pages {
        health: Some(listen(args.healthz_port, cluster.inside).await?),
        metrics: Some(listen(args.metrics_port, cluster.inside).await?),
    };
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        api_server = cluster.server,
        namespace = if args.namespaced { cluster.namespace.as_str() } else { "all" },
        instance_id = args.instance_id,
        "the controller starts"
    );
    let (handle, shutdown) = ShutdownHandle::new();
    let signals = tokio::spawn(end_at_a_signal(handle.clone()));
    let controller = Controller::new(cluster.client, settings, Clock::wall()).measuring(measuring).serving(pages);
    let controller = controller.with_step_plugins(args.step_plugin.iter().cloned().collect());
    let outcome = controller.run(handle, shutdown).await;
    signals.abort();
    outcome.context("the controller ended by itself")?;
    Ok(ExitCode::SUCCESS)
}

/// A line for each Rollout; a failure where something is left.
async fn give_back(client: kube::Client, settings: Settings) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    let tell = |given: GivenBack| match given.outcome {
        Ok(done) => println!("{}: {done}", given.rollout),
        Err(why) => {
            code = ExitCode::FAILURE;
            println!("{}: NOT given back: {why}", given.rollout);
        }
    };
    release_all(client, settings, Clock::wall(), tell).await?;
    Ok(code)
}

/// Only inside a cluster is there somebody else who asks for these pages.
async fn listen(port: u16, inside: bool) -> anyhow::Result<TcpListener> {
    let host = if inside { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { IpAddr::V4(Ipv4Addr::LOCALHOST) };
    let listener = match TcpListener::bind(SocketAddr::new(host, port)).await {
        // A node without IPv6.
        Err(_) if inside => TcpListener::bind(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port)).await,
        outcome => outcome,
    };
    listener.with_context(|| format!("listening on port {port}; choose another one, or 0 for any that is free"))
}

/// The first signal ends everything in order; a second one ends the process.
async fn end_at_a_signal(handle: ShutdownHandle) {
    if let Err(problem) = signalled().await {
        return tracing::warn!("signals can't be handled, they end the process at once: {problem}");
    }
    tracing::info!("ending: passes that are under way are finished");
    handle.begin();
    if signalled().await.is_ok() {
        std::process::exit(130);
    }
}

/// The end is asked for, by Ctrl-C or by whoever runs the process.
pub(crate) async fn signalled() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

/// Nobody else is called this, also not an earlier process in the same pod.
fn identity(seed: u64) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    format!("{}_{seed:016x}", if host.is_empty() { "sluice" } else { host })
}
