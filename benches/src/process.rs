//! The controller as users run it: a process of its own, whose memory and processor time Linux counts.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};

/// `sluice controller`, as it was built beside this program.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn start(kubeconfig: &Path, more: &[&str]) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?.with_file_name("sluice");
        ensure!(program.exists(), "{} is missing: cargo build --release -p sluice", program.display());
        let child = Command::new(&program)
            .arg("controller")
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .args(["--loglevel", "warn", "--metricsport", "0", "--healthzPort", "0"])
            .args(more)
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        Ok(Self(child))
    }

    /// Processor time so far, in hundredths of a second as Linux counts it.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        let after_name = stat.rsplit(')').next().context("a name in brackets")?;
        let ticks = after_name.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
        Ok(Duration::from_millis(ticks * 10))
    }

    pub(crate) fn memory(&self, line: &str) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let kilobytes = status.lines().find_map(|found| found.strip_prefix(line)).context("memory in /proc")?;
        let kilobytes: f64 = kilobytes.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1_024.0 / 1e6)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _gone = self.0.wait();
    }
}

/// A folder that goes with the benchmark.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn create() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("sluice-benches-{}", std::process::id()));
        std::fs::create_dir(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _removed = std::fs::remove_dir_all(&self.0);
    }
}
