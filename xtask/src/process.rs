//! Runs a command so that nobody has to wonder what it does: everything it prints goes to a log file, the
//! interesting lines to the screen, and in a long silence a line says what is still going on.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How long the screen may be silent.
const SILENCE: Duration = Duration::from_secs(15);

/// Processes that outlive the command and hold its output open are waited for this long.
const AFTER_END: Duration = Duration::from_secs(2);

/// What a command's output means to the reader.
pub(crate) trait Watcher {
    /// Takes one line, and says what the reader should see of it now.
    fn shows(&mut self, line: &str) -> Option<String>;
    /// Whether the line is worth keeping in the log.
    fn keeps(&self, _line: &str) -> bool {
        true
    }
    /// How far the command has come, such as `120 crates compiled`; empty when it can't be said.
    fn so_far(&self) -> String;
}

/// Shows nothing: the log is enough, unless the command fails.
pub(crate) struct Silent;

impl Watcher for Silent {
    fn shows(&mut self, _: &str) -> Option<String> {
        None
    }

    fn so_far(&self) -> String {
        String::new()
    }
}

/// Counts the lines that tell of one finished piece of work, and shows nothing.
pub(crate) struct Counted {
    prefix: &'static str,
    unit: &'static str,
    count: usize,
}

impl Counted {
    pub(crate) fn new(prefix: &'static str, unit: &'static str) -> Self {
        Self { prefix, unit, count: 0 }
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }
}

impl Watcher for Counted {
    fn shows(&mut self, line: &str) -> Option<String> {
        if line.trim_start().starts_with(self.prefix) {
            self.count += 1;
        }
        None
    }

    fn so_far(&self) -> String {
        format!("{} {}", self.count, self.unit)
    }
}

/// A command that has ended.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) took: Duration,
    pub(crate) log: PathBuf,
}

impl Ended {
    /// An error with the end of the log when the command failed.
    pub(crate) fn must_succeed(&self, doing: &str) -> Result<()> {
        if self.status.success() {
            return Ok(());
        }
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(60)..].join("\n");
        bail!("{doing} failed ({})\n{tail}\n(all of it: {})", self.status, self.log.display());
    }
}

/// Runs `command` to its end. `doing` is what the reader is told, such as `building the control plane`.
pub(crate) fn run(mut command: Command, doing: &str, log: &Path, watcher: &mut impl Watcher) -> Result<Ended> {
    let started = Instant::now();
    let mut log_file = create(log)?;
    writeln!(log_file, "$ {}", spelled(&command))?;
    // One pipe for both streams: lines stay in the order in which they were written.
    let (reader, writer) = std::io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let child = command.spawn().with_context(|| format!("{doing}: cannot start {}", spelled(&command)))?;
    let mut child = Ours(child);
    // The command keeps its end of the pipe open, and the reader waits for the last end to close.
    drop(command);

    let lines = lines_of(reader);
    let mut last_shown = Instant::now();
    let mut ended_at = None;
    loop {
        match lines.recv_timeout(Duration::from_millis(250)) {
            Ok(line) => {
                if watcher.keeps(&line) {
                    writeln!(log_file, "{line}")?;
                }
                if let Some(shown) = watcher.shows(&line) {
                    eprintln!("  {shown}");
                    last_shown = Instant::now();
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                if ended_at.is_none() && child.0.try_wait()?.is_some() {
                    ended_at = Some(Instant::now());
                }
                if ended_at.is_some_and(|at| at.elapsed() >= AFTER_END) {
                    break;
                }
            }
        }
        if last_shown.elapsed() >= SILENCE {
            eprintln!("  still {doing}: {}", progress(started.elapsed(), &watcher.so_far()));
            last_shown = Instant::now();
        }
    }
    let status = child.0.wait()?;
    Ok(Ended { status, took: started.elapsed(), log: log.to_path_buf() })
}

/// A child that does not go on when this command gives up on it.
struct Ours(Child);

impl Drop for Ours {
    fn drop(&mut self) {
        // Both are refused, harmlessly, once it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn create(log: &Path) -> Result<File> {
    if let Some(folder) = log.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    File::create(log).with_context(|| format!("making {}", log.display()))
}

fn lines_of(reader: std::io::PipeReader) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(reader).split(b'\n') {
            let Ok(line) = line else { return };
            if sender.send(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned()).is_err() {
                return;
            }
        }
    });
    receiver
}

fn progress(elapsed: Duration, so_far: &str) -> String {
    if so_far.is_empty() { human(elapsed) } else { format!("{}, {so_far}", human(elapsed)) }
}

/// The command as one would type it.
pub(crate) fn spelled(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    std::iter::once(name)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// What a command prints, for commands that take no time.
pub(crate) fn answer_of(mut command: Command) -> Result<String> {
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {}", spelled(&command)))?;
    if !output.status.success() {
        bail!("{}: {}", spelled(&command), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The folder of PATH's first program of this name.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// A time as one says it: `0.4s`, `45s`, `2m05s`, `1h02m`.
pub(crate) fn human(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1}s", time.as_secs_f64()),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_people_say_them() {
        for (milliseconds, said) in [
            (40, "0.0s"),
            (1_250, "1.2s"),
            (9_900, "9.9s"),
            (45_900, "45s"),
            (60_000, "1m00s"),
            (135_000, "2m15s"),
            (3_720_000, "1h02m"),
        ] {
            assert_eq!(human(Duration::from_millis(milliseconds)), said);
        }
    }

    #[test]
    fn both_streams_reach_the_log_in_the_order_of_writing() {
        let folder = std::env::temp_dir().join(format!("xtask-process-{}", std::process::id()));
        let log = folder.join("streams.log");
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo two >&2; echo three; exit 3"]);

        let ended = run(command, "counting", &log, &mut Silent).unwrap();

        assert_eq!(ended.status.code(), Some(3));
        let written = std::fs::read_to_string(&log).unwrap();
        assert_eq!(written.lines().skip(1).collect::<Vec<_>>(), ["one", "two", "three"]);
        let error = ended.must_succeed("counting").unwrap_err().to_string();
        assert!(error.contains("counting failed") && error.contains("three"), "{error}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
