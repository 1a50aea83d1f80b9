//! `cargo xtask control-plane`: real control planes to try things on.

use std::io::Read;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};

use crate::control_plane_tools::Tools;
use crate::e2e;
use crate::instance::Instance;
use crate::process::human;

/// Run a real Kubernetes control plane in the background, with modelled nodes.
///
/// etcd, API server, controller manager and scheduler run in one process on free loopback ports; pods are run by
/// the kubelet model. Ready in about 5 s; the first time it is built, in 4 to 12 minutes.
#[derive(Args)]
pub(crate) struct ControlPlane {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Start one in the background and print its kubeconfig's path (about 5 s once it is built).
    Up(Named),
    /// Stop it and remove its data (about 1 s).
    Down(Down),
    /// Print the path of its kubeconfig: export KUBECONFIG=$(cargo xtask control-plane kubeconfig)
    Kubeconfig(Named),
    /// Say which ones run.
    Status,
}

#[derive(Args)]
struct Named {
    /// Several live side by side under different names.
    #[arg(long, default_value = "default", env = "SLUICE_CONTROL_PLANE")]
    name: String,
}

#[derive(Args)]
struct Down {
    #[command(flatten)]
    named: Named,
    /// Wait until standard input ends: whoever holds its other end takes the control plane along when it dies.
    #[arg(long)]
    when_stdin_closes: bool,
}

impl ControlPlane {
    pub(crate) fn run(self) -> Result<ExitCode> {
        match self.action {
            Action::Up(named) => up(&Instance::named(&named.name)?)?,
            Action::Down(down) => down.run()?,
            Action::Kubeconfig(named) => print_kubeconfig(&Instance::named(&named.name)?)?,
            Action::Status => status()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn up(instance: &Instance) -> Result<()> {
    let tools = Tools::ready()?;
    let kubelets = e2e::build_kubelets()?;
    let started = Instant::now();
    if instance.start(&tools.beside(kubelets))?.is_empty() {
        eprintln!("control plane {:?} was up already", instance.name);
    } else {
        eprintln!("control plane {:?} is up, after {}", instance.name, human(started.elapsed()));
    }
    eprintln!("log: {}", instance.log().display());
    println!("{}", instance.kubeconfig().display());
    Ok(())
}

impl Down {
    fn run(self) -> Result<()> {
        let instance = Instance::named(&self.named.name)?;
        if self.when_stdin_closes {
            // What is read means nothing; the end does, and so does an error.
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            return instance.stop();
        }
        let lived = instance.lives();
        instance.stop()?;
        if lived {
            eprintln!("control plane {:?} is down, its data removed", instance.name);
        } else {
            eprintln!("control plane {:?} was not up", instance.name);
        }
        Ok(())
    }
}

fn print_kubeconfig(instance: &Instance) -> Result<()> {
    if !instance.is_ready() {
        bail!(
            "control plane {:?} is not up; start it with: cargo xtask control-plane up --name {}",
            instance.name,
            instance.name
        );
    }
    println!("{}", instance.kubeconfig().display());
    Ok(())
}

fn status() -> Result<()> {
    let instances = Instance::all()?;
    if instances.is_empty() {
        println!("no control plane is up");
    }
    for instance in instances {
        let state = match (instance.lives(), instance.is_ready()) {
            (_, true) => "up",
            (true, false) => "starting",
            (false, false) => "dead",
        };
        println!("{}\t{state}\t{}", instance.name, instance.kubeconfig().display());
    }
    Ok(())
}
