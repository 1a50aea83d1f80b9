//! A running control plane with the kubelet model beside it. It has a name, so that several live side by
//! side, and a folder in the cache that holds all of it: data, kubeconfigs, logs.

use std::fs::{File, TryLockError};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::cache;
use crate::process::{self, human};

const READY_WITHIN: Duration = Duration::from_secs(180);
const STOPPED_WITHIN: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What an instance consists of.
pub(crate) struct Programs {
    pub(crate) control_plane: PathBuf,
    pub(crate) kubelets: PathBuf,
    /// Asks whether nodes are ready.
    pub(crate) kubectl: PathBuf,
}

pub(crate) struct Instance {
    pub(crate) name: String,
    folder: PathBuf,
}

impl Instance {
    pub(crate) fn named(name: &str) -> Result<Self> {
        let allowed = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        if name.is_empty() || name.len() > 60 || !name.chars().all(allowed) {
            bail!("--name {name:?}: write up to 60 lower-case letters, digits and dashes");
        }
        Ok(Self { name: name.to_owned(), folder: instances()?.join(name) })
    }

    /// All instances that left a folder, running or not.
    pub(crate) fn all() -> Result<Vec<Self>> {
        let Ok(entries) = std::fs::read_dir(instances()?) else {
            return Ok(Vec::new());
        };
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok().filter(|entry| entry.path().is_dir()))
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        names.iter().map(|name| Self::named(name)).collect()
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.data().join("admin.kubeconfig")
    }

    /// All processes of the instance write here, and keep the file locked for as long as one of them lives.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("output.log")
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The control plane writes this file once it is ready.
    fn announcement(&self) -> PathBuf {
        self.data().join("control-plane.json")
    }

    fn process_group_file(&self) -> PathBuf {
        self.folder.join("process-group")
    }

    /// Whether any process of the instance lives. A process id alone would not tell: ids are used again.
    pub(crate) fn lives(&self) -> bool {
        is_locked(&self.log())
    }

    /// Whether the control plane takes requests. It holds a lock of its own in its data folder.
    pub(crate) fn is_ready(&self) -> bool {
        self.announcement().is_file() && is_locked(&self.data().join("lock"))
    }

    /// Starts both processes in a group of their own, which outlives the command that started them, and waits
    /// until pods can be made. An instance that is ready already is left alone, and none is returned then.
    pub(crate) fn start(&self, programs: &Programs) -> Result<Vec<Child>> {
        let _lock = lock()?;
        if self.is_ready() {
            return Ok(Vec::new());
        }
        self.stop_holding_lock()?;
        let outcome = self.start_processes(programs);
        if outcome.is_err() {
            self.stop_holding_lock()?;
        }
        outcome
    }

    fn start_processes(&self, programs: &Programs) -> Result<Vec<Child>> {
        std::fs::create_dir_all(&self.folder).with_context(|| format!("making {}", self.folder.display()))?;
        let log = File::create(self.log())?;
        log.try_lock().with_context(|| format!("locking {}", self.log().display()))?;

        let mut control_plane = Command::new(&programs.control_plane);
        control_plane.arg("--dir").arg(self.data());
        let mut control_plane = spawn(control_plane, &log, 0)?;
        let group = control_plane.id();
        std::fs::write(self.process_group_file(), group.to_string())?;
        self.wait_for(&mut control_plane, "the control plane", || self.announcement().is_file())?;

        let mut kubelets = Command::new(&programs.kubelets);
        kubelets.env("SLUICE_KUBECONFIG", self.kubeconfig());
        let mut kubelets = spawn(kubelets, &log, i32::try_from(group)?)?;
        self.wait_for(&mut kubelets, "the kubelet model", || self.nodes_are_ready(&programs.kubectl))?;
        Ok(vec![control_plane, kubelets])
    }

    fn nodes_are_ready(&self, kubectl: &Path) -> bool {
        let mut nodes = Command::new(kubectl);
        nodes
            .arg("--kubeconfig")
            .arg(self.kubeconfig())
            .arg("--cache-dir")
            .arg(self.data().join("kubectl-cache"))
            .args(["get", "nodes", "--output", r#"jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}"#]);
        process::answer_of(nodes)
            .is_ok_and(|states| !states.is_empty() && states.split(' ').all(|state| state == "True"))
    }

    fn wait_for(&self, child: &mut Child, what: &str, ready: impl Fn() -> bool) -> Result<()> {
        let started = Instant::now();
        let mut said = 0;
        while !ready() {
            if let Some(status) = child.try_wait()? {
                bail!("{what} ended before it was ready ({status}):\n{}", self.end_of_logs());
            }
            if started.elapsed() > READY_WITHIN {
                bail!("{what} was not ready within {}:\n{}", human(READY_WITHIN), self.end_of_logs());
            }
            if started.elapsed().as_secs() / 15 > said {
                said = started.elapsed().as_secs() / 15;
                eprintln!("  still waiting for {what}: {}", human(started.elapsed()));
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    fn logs(&self) -> [PathBuf; 2] {
        [self.log(), self.data().join("control-plane.log")]
    }

    fn end_of_logs(&self) -> String {
        self.logs().iter().map(|log| last_lines(log, 20)).collect()
    }

    /// Keeps what the processes wrote beyond the instance's end.
    pub(crate) fn copy_logs(&self, to: &Path) -> Result<()> {
        let all: Vec<u8> = self.logs().iter().flat_map(|log| std::fs::read(log).unwrap_or_default()).collect();
        std::fs::write(to, all).with_context(|| format!("writing {}", to.display()))
    }

    /// Stops the processes and removes the folder.
    pub(crate) fn stop(&self) -> Result<()> {
        let _lock = lock()?;
        self.stop_holding_lock()
    }

    /// Removes what a killed command and a killed watchdog left, and nothing that lives.
    pub(crate) fn remove_if_dead(&self) -> Result<()> {
        let _lock = lock()?;
        if self.lives() { Ok(()) } else { cache::remove(&self.folder) }
    }

    fn stop_holding_lock(&self) -> Result<()> {
        if self.lives() {
            let written = std::fs::read_to_string(self.process_group_file())
                .with_context(|| format!("{} runs, but its process group is not known", self.name))?;
            let group = written.trim().parse().ok().and_then(Pid::from_raw).context("process-group holds no id")?;
            for signal in [Signal::TERM, Signal::KILL] {
                if !self.lives() {
                    // The number of a group that is gone may be somebody else's by now.
                    break;
                }
                // It may end by itself just now: only what lives afterwards counts.
                let _ = kill_process_group(group, signal);
                let asked = Instant::now();
                while self.lives() && asked.elapsed() < STOPPED_WITHIN {
                    std::thread::sleep(LOOK_EVERY);
                }
            }
            if self.lives() {
                bail!("{} still runs (process group {written}), though it was killed", self.name);
            }
        }
        cache::remove(&self.folder)
    }
}

/// Starts a process of the group, or the first one of a new group (0).
fn spawn(mut command: Command, log: &File, group: i32) -> Result<Child> {
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?).process_group(group);
    command.spawn().with_context(|| format!("starting {}", command.get_program().to_string_lossy()))
}

fn instances() -> Result<PathBuf> {
    Ok(cache::folder()?.join("instances"))
}

/// One for all instances: a lock file for each would be left behind by each.
fn lock() -> Result<cache::Lock> {
    cache::lock(&instances()?.join("lock"), "starting or stopping a control plane")
}

/// Whether a living process holds the lock on this file.
fn is_locked(file: &Path) -> bool {
    File::open(file).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

fn last_lines(file: &Path, count: usize) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].iter().map(|line| format!("{line}\n")).collect()
}
