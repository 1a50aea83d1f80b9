//! A proxy as a process: in a folder of its own, and not as root.

use std::fs::{File, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use super::PATIENCE;

/// Whom everybody knows and who owns nothing.
const NOBODY: u32 = 65_534;

/// A folder for a proxy's configuration, sockets and log; it goes with this value.
pub(super) struct Folder {
    path: PathBuf,
    /// Whether the proxy runs as somebody else.
    as_nobody: bool,
}

impl Folder {
    pub(super) fn new(purpose: &str) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("sluice-{purpose}-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        let as_nobody = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        let folder = Self { path, as_nobody };
        folder.give_away(&folder.path)?;
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file that appears whole or not at all.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<()> {
        let (unfinished, path) = (self.path.join(format!("{name}.unfinished")), self.path.join(name));
        std::fs::write(&unfinished, text).with_context(|| format!("writing {}", unfinished.display()))?;
        self.give_away(&unfinished)?;
        std::fs::rename(&unfinished, &path).with_context(|| format!("writing {}", path.display()))
    }

    /// The program that this variable names, with its output in the folder's log. It ends with its value.
    pub(super) fn start(&self, variable: &str, arguments: &[&str]) -> Result<Child> {
        let Some(program) = std::env::var_os(variable).filter(|path| !path.is_empty()) else {
            bail!("{variable} is not set; run these tests with: cargo xtask e2e");
        };
        let log = File::create(self.log_file())?;
        let mut command = Command::new(&program);
        if self.as_nobody {
            // The cache may be in a folder that only root may enter.
            let copy = self.path.join("program");
            // Copied by another process: a child that is just being started elsewhere in this one would hold the file
            // open for writing, and what is open for writing can't be started.
            let copied = std::process::Command::new("cp").arg(&program).arg(&copy).status()?;
            ensure!(copied.success(), "copying {} to {}: {copied}", PathBuf::from(program).display(), copy.display());
            std::fs::set_permissions(&copy, Permissions::from_mode(0o755))?;
            command = Command::new(copy);
            command.uid(NOBODY).gid(NOBODY);
        }
        command.args(arguments).current_dir(&self.path).stdin(Stdio::null());
        command.stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
        command.spawn().with_context(|| format!("starting the program of {variable}"))
    }

    /// What the program said.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.path.join("log")
    }

    fn give_away(&self, path: &Path) -> Result<()> {
        if self.as_nobody {
            chown(path, Some(NOBODY), Some(NOBODY)).with_context(|| format!("giving {} away", path.display()))?;
        }
        Ok(())
    }
}

/// Asks again and again until the answer is `Ok`; like [`crate::eventually`], in a form that tasks can wait by.
pub(super) async fn until<T, F>(expected: &str, mut ask: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    const PAUSE: Duration = Duration::from_millis(5);
    let deadline = Instant::now() + PATIENCE;
    loop {
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(last) if Instant::now() >= deadline => {
                return Err(last.context(format!("not within {PATIENCE:?}: {expected}")));
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A leftover in the folder for temporary files harms nobody.
        let _left = std::fs::remove_dir_all(&self.path);
    }
}
