//! Requests without a pause, each over a connection of its own, and an exact account of what became of them.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::kubelets::REVISION_HEADER;

/// How many requests are under way at any moment.
const AT_A_TIME: usize = 8;
/// A request without an answer by then has failed.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between phases each thread rests so long after an answer: whoever starts pods and shifts weights needs the
/// processors, and is not to be overtaken by numbers.
const REST: Duration = Duration::from_millis(10);
/// How many failures are kept word by word.
const FAILURES_KEPT: usize = 10;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    pub host: &'static str,
    pub path: &'static str,
    pub headers: Vec<(&'static str, String)>,
}

/// What became of the requests of one phase. Each of them is counted once.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Good answers by the revision that gave them.
    pub answers: BTreeMap<String, u64>,
    pub failed: u64,
    /// What was wrong with the first ones.
    pub failures: Vec<String>,
}

impl Tally {
    /// All requests.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.answers.values().sum::<u64>() + self.failed
    }

    /// Good answers of this revision.
    #[must_use]
    pub fn of(&self, revision: &str) -> u64 {
        self.answers.get(revision).copied().unwrap_or(0)
    }

    fn add(&mut self, outcome: Result<String>) {
        match outcome {
            Ok(revision) => *self.answers.entry(revision).or_default() += 1,
            Err(error) => {
                self.failed += 1;
                if self.failures.len() < FAILURES_KEPT {
                    self.failures.push(format!("{error:#}"));
                }
            }
        }
    }
}

/// Requests that go on until this is dropped. Threads that wait cost a fraction of what a runtime's tasks do, and
/// proxies and pods need the processors too.
pub struct Load {
    book: Arc<Book>,
}

struct Book {
    phases: Mutex<Phases>,
    finished: Notify,
}

/// Those of all times, and those that are counted by themselves now.
struct Phases {
    plain: Phase,
    counted: Option<Phase>,
}

struct Phase {
    asked: Arc<Asked>,
    /// How many are still to be begun; `None` for as many as can be.
    left: Option<u64>,
    under_way: u64,
    tally: Tally,
}

impl Phase {
    fn new(asked: Asked, left: Option<u64>) -> Self {
        Self { asked: Arc::new(asked), left, under_way: 0, tally: Tally::default() }
    }
}

impl Load {
    /// Begins to ask.
    #[must_use]
    pub fn begin(address: SocketAddr, asked: Asked) -> Self {
        let phases = Mutex::new(Phases { plain: Phase::new(asked, None), counted: None });
        let book = Arc::new(Book { phases, finished: Notify::new() });
        for _ in 0..AT_A_TIME {
            let book = Arc::clone(&book);
            std::thread::spawn(move || book.work(address));
        }
        Self { book }
    }

    /// Counts so many requests by themselves: none that began before, and each to its end.
    ///
    /// # Errors
    /// They do not come to an end.
    pub async fn count(&self, requests: u64, asked: Asked) -> Result<Tally> {
        self.book.lock().counted = Some(Phase::new(asked, Some(requests)));
        let within = PATIENCE + Duration::from_millis(50) * u32::try_from(requests)?;
        timeout(within, self.book.finished.notified()).await.context("requests take too long")?;
        let counted = self.book.lock().counted.take().context("somebody else has counted")?;
        Ok(counted.tally)
    }

    /// The account so far of all requests that were not counted by themselves; it begins anew.
    #[must_use]
    pub fn rest(&self) -> Tally {
        std::mem::take(&mut self.book.lock().plain.tally)
    }

    /// Stops asking, and gives the rest of the account.
    ///
    /// # Errors
    /// They do not come to an end.
    pub async fn end(self) -> Result<Tally> {
        self.book.lock().plain.left = Some(0);
        while self.book.lock().plain.under_way > 0 {
            timeout(2 * PATIENCE, self.book.finished.notified()).await.context("requests take too long")?;
        }
        Ok(self.rest())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.book.lock().plain.left = Some(0);
    }
}

impl Book {
    fn lock(&self) -> MutexGuard<'_, Phases> {
        self.phases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, address: SocketAddr) {
        while let Some((is_counted, asked)) = self.begin() {
            self.end(is_counted, ask(address, &asked));
            if !is_counted {
                std::thread::sleep(REST);
            }
        }
    }

    fn begin(&self) -> Option<(bool, Arc<Asked>)> {
        let mut phases = self.lock();
        let counted = phases.counted.as_mut().filter(|counted| counted.left != Some(0));
        let is_counted = counted.is_some();
        let phase = match counted {
            Some(counted) => counted,
            None => &mut phases.plain,
        };
        if let Some(left) = &mut phase.left {
            *left = left.checked_sub(1)?;
        }
        phase.under_way += 1;
        Some((is_counted, Arc::clone(&phase.asked)))
    }

    fn end(&self, is_counted: bool, outcome: Result<String>) {
        let mut phases = self.lock();
        let phase = match phases.counted.as_mut().filter(|_| is_counted) {
            Some(counted) => counted,
            None => &mut phases.plain,
        };
        phase.under_way -= 1;
        phase.tally.add(outcome);
        if phase.left == Some(0) && phase.under_way == 0 {
            self.finished.notify_one();
        }
    }
}

/// The revision that answers. The connection ends with the answer.
fn ask(address: SocketAddr, asked: &Asked) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).context("connecting")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut request = format!("GET {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", asked.path, asked.host);
    for (name, value) in &asked.headers {
        request += &format!("{name}: {value}\r\n");
    }
    stream.write_all(format!("{request}\r\n").as_bytes()).context("asking")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).context("reading the answer")?;
    let (head, body) = answer.split_once("\r\n\r\n").with_context(|| format!("no whole answer: {answer:?}"))?;
    let header = |name: &str| {
        let mut headers = head.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    ensure!(head.starts_with("HTTP/1.1 200 "), "{answer}");
    ensure!(header("content-length") == Some(&body.len().to_string()), "not all of an answer: {answer}");
    Ok(header(REVISION_HEADER).context("an answer of nobody")?.to_owned())
}
