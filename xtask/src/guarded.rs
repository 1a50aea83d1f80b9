//! A control plane that ends with the command that needs it, however that command ends.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use crate::instance::{Instance, Programs};

/// An instance and its watchdog: a second process, outside the terminal's reach, that holds the other end of a
/// pipe. When this command returns, panics, is interrupted or killed, the pipe closes and the watchdog takes
/// the instance down.
pub(crate) struct Guarded {
    pub(crate) instance: Instance,
    processes: Vec<Child>,
    watchdog: Child,
}

impl Guarded {
    /// A name that no other command uses, `purpose-<process id>`. Nothing is started yet.
    pub(crate) fn named(purpose: &str) -> Result<Self> {
        let prefix = format!("{purpose}-");
        for left in Instance::all()?.iter().filter(|left| left.name.starts_with(&prefix)) {
            left.remove_if_dead()?;
        }
        let instance = Instance::named(&format!("{prefix}{}", std::process::id()))?;
        let watchdog = Command::new(this_program()?)
            .args(["control-plane", "down", "--when-stdin-closes", "--name", &instance.name])
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .context("starting the watchdog of the control plane")?;
        Ok(Self { instance, processes: Vec::new(), watchdog })
    }

    pub(crate) fn start(&mut self, programs: &Programs) -> Result<()> {
        self.processes = self.instance.start(programs)?;
        Ok(())
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        match self.watchdog.wait() {
            Ok(status) if status.success() => {}
            ended => {
                eprintln!("control plane {:?} may still run: {ended:?}", self.instance.name);
                return;
            }
        }
        for process in &mut self.processes {
            // They have ended; this takes their entries out of the table of processes.
            let _ = process.wait();
        }
    }
}

/// This very program. Cargo may have replaced its file since it started; the running one stays at hand.
fn this_program() -> Result<std::path::PathBuf> {
    let running = std::path::PathBuf::from("/proc/self/exe");
    if running.exists() { Ok(running) } else { std::env::current_exe().context("looking for this program") }
}
