//! Requests through a router, beside the passes: how many of them the new revision answers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::{StreamExt, stream};
use jiff::SignedDuration;
use sluice_analysis::provider::Failure;
use sluice_analysis::provider::http::{HttpRequest, Method, SignIn, Trust};
use sluice_planner::probe::{Answer, Question};

use crate::cache::Name;
use crate::clock::Clock;
use crate::hub::Hub;
use crate::runs::Transport;

/// Requests of one probe at the same time.
const AT_ONCE: usize = 8;
/// Who takes longer to answer one doesn't count.
const TIME_LIMIT: Duration = Duration::from_secs(2);
/// The same is asked again only so long after the last answer.
const APART: SignedDuration = SignedDuration::from_secs(1);

/// The probes that are under way, one a Rollout. Losing them loses no more than answers that are asked for again.
pub(crate) struct Prober {
    hub: Arc<Hub>,
    clock: Clock,
    transport: Transport,
    under_way: Mutex<BTreeMap<Name, Probe>>,
}

/// Dropping it ends it.
struct Probe {
    question: Question,
    answered: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
}

impl Probe {
    fn is_over(&self) -> bool {
        // A task that panicked has no answer.
        self.answered.load(Ordering::SeqCst) || self.task.is_finished()
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl std::fmt::Debug for Prober {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Prober")
    }
}

impl Prober {
    pub(crate) fn new(hub: Arc<Hub>, clock: Clock, transport: Transport) -> Self {
        Self { hub, clock, transport, under_way: Mutex::default() }
    }

    /// What the latest plan of a Rollout wants to know, or that it wants to know nothing.
    pub(crate) fn want(&self, rollout: &Name, question: Option<&Question>) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(question) = question else {
            under_way.remove(rollout);
            return;
        };
        if under_way.get(rollout).is_some_and(|probe| probe.question == *question && !probe.is_over()) {
            return;
        }
        let last = self.hub.probed(rollout).filter(|last| last.question == *question);
        let not_before = last.and_then(|last| last.at.checked_add(APART).ok());
        let not_before = not_before.map(|at| self.clock.instant(self.clock.moment_of(at)));
        let answered = Arc::new(AtomicBool::new(false));
        let (hub, clock, transport) = (Arc::clone(&self.hub), self.clock, Arc::clone(&self.transport));
        let (rollout, asked, done) = (rollout.clone(), question.clone(), Arc::clone(&answered));
        let name = rollout.clone();
        let task = tokio::spawn(async move {
            if let Some(at) = not_before {
                tokio::time::sleep_until(at).await;
            }
            let answer = ask(&transport, asked, clock).await;
            // First, so that the pass that is woken can ask again.
            done.store(true, Ordering::SeqCst);
            hub.take_answer(&name, answer);
        });
        under_way.insert(rollout, Probe { question: question.clone(), answered, task });
    }

    /// Nothing more is to be found out for anybody.
    pub(crate) fn end_all(&self) {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

async fn ask(transport: &Transport, question: Question, clock: Clock) -> Answer {
    let asking = stream::iter(0..question.requests).map(|_| ask_once(transport, &question)).buffer_unordered(AT_ONCE);
    let (answers, of_new, problem) = asking
        .fold((0, 0, None), async |(answers, of_new, problem), answer| match answer {
            Ok(version) => (answers + 1, of_new + u32::from(version == question.version), problem),
            Err(failure) => (answers, of_new, problem.or(Some(failure.0))),
        })
        .await;
    Answer { question, answers, of_new, problem, at: clock.now() }
}

/// The version that answers.
async fn ask_once(transport: &Transport, question: &Question) -> Result<String, Failure> {
    let request = HttpRequest {
        method: Method::Get,
        url: question.url.clone(),
        headers: Vec::new(),
        body: String::new(),
        timeout: SignedDuration::try_from(TIME_LIMIT).unwrap_or(SignedDuration::MAX),
        trust: Trust::Machine,
        sign_in: SignIn::None,
    };
    let answer = match tokio::time::timeout(TIME_LIMIT, transport(request)).await {
        Ok(answer) => answer?,
        Err(_) => return Err(Failure(format!("no answer within {TIME_LIMIT:?}"))),
    };
    answer
        .header(&question.header)
        .map(|version| version.trim().to_owned())
        .ok_or_else(|| Failure(format!("an answer with status {} has no header {:?}", answer.status, question.header)))
}
