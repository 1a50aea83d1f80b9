//! Questions to metric providers: the same one at the same instant is asked once, whoever wants to know.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use sluice_analysis::provider::http::{HttpAnswer, HttpRequest};
use sluice_analysis::provider::{Failure, Settings};
use sluice_planner::engine::Moment;

use super::sign_in::SignIns;
use super::{Measuring, Transport};
use crate::clock::Clock;

/// An answer is good for whoever asks the same within so long: queries say their time in whole seconds.
const INSTANT: Duration = Duration::from_secs(1);

pub(crate) type Answer = Result<Arc<HttpAnswer>, Failure>;
pub(crate) type Answering = Shared<BoxFuture<'static, Answer>>;

/// All that is being asked.
pub(crate) struct Providers {
    settings: Settings,
    clock: Clock,
    sign_ins: Arc<SignIns>,
    asked: Mutex<Asked>,
}

#[derive(Default)]
struct Asked {
    answers: BTreeMap<HttpRequest, (Moment, Answering)>,
    tidied: Moment,
}

impl Providers {
    pub(crate) fn new(measuring: Measuring, transport: Transport, clock: Clock) -> Self {
        let Measuring { prometheus_address, addresses: _, aws } = measuring;
        let sign_ins = Arc::new(SignIns::new(transport, aws, clock));
        Self { settings: Settings { prometheus_address }, clock, sign_ins, asked: Mutex::default() }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Asks, or waits with others for the answer to the same question.
    pub(crate) fn ask(&self, request: HttpRequest) -> Answering {
        let now = self.clock.moment();
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.tidy(now);
        if let Some((since, answering)) = asked.answers.get(&request)
            && (answering.peek().is_none() || now < *since + INSTANT)
        {
            return answering.clone();
        }
        let (sign_ins, question) = (Arc::clone(&self.sign_ins), request.clone());
        let task = EndedWithItsAskers(tokio::spawn(async move { sign_ins.ask(question).await.map(Arc::new) }));
        let answering = async move {
            let mut task = task;
            match (&mut task.0).await {
                Ok(answer) => answer,
                Err(problem) => Err(Failure(format!("a bug: asking ended without an answer: {problem}"))),
            }
        };
        let answering = answering.boxed().shared();
        asked.answers.insert(request, (now, answering.clone()));
        answering
    }
}

impl Asked {
    /// Forgets answers that are old, and questions that nobody waits for any more.
    fn tidy(&mut self, now: Moment) {
        if now < self.tidied + INSTANT {
            return;
        }
        self.tidied = now;
        self.answers.retain(|_, (since, answering)| {
            let is_old = now >= *since + INSTANT;
            let is_wanted = answering.peek().is_none() && answering.strong_count().is_some_and(|count| count > 1);
            !is_old || is_wanted
        });
    }
}

struct EndedWithItsAskers(tokio::task::JoinHandle<Answer>);

impl Drop for EndedWithItsAskers {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl std::fmt::Debug for Providers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Providers")
    }
}
