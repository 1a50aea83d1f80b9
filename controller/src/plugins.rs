//! Calls of step plugins, beside the passes: one HTTP request a call, and its answer as the planner reads it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::Value;
use sluice_analysis::provider::http::{HttpAnswer, HttpRequest, Method, SignIn, Trust};
use sluice_planner::plugins::{Answer, Call, Reply};

use crate::cache::Name;
use crate::clock::Clock;
use crate::hub::Hub;
use crate::runs::Transport;

/// A plugin answers at once, and says that it is running where something takes longer.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// Of an answer that is an error, so much is repeated.
const SHOWN: usize = 200;

/// The calls that are under way, one a Rollout. Losing them loses no more than answers that are asked for again, under
/// the same key.
pub(crate) struct Caller {
    hub: Arc<Hub>,
    clock: Clock,
    transport: Transport,
    addresses: BTreeMap<String, String>,
    under_way: Mutex<BTreeMap<Name, Calling>>,
}

/// Dropping it ends it.
struct Calling {
    key: String,
    answered: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
}

impl Calling {
    fn is_over(&self) -> bool {
        self.answered.load(Ordering::SeqCst) || self.task.is_finished()
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Caller")
    }
}

impl Caller {
    pub(crate) fn new(hub: Arc<Hub>, clock: Clock, transport: Transport, addresses: BTreeMap<String, String>) -> Self {
        Self { hub, clock, transport, addresses, under_way: Mutex::default() }
    }

    /// The call that the latest plan of a Rollout asks for, or that it asks for none.
    pub(crate) fn want(&self, rollout: &Name, call: Option<&Call>) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(call) = call else {
            under_way.remove(rollout);
            return;
        };
        if under_way.get(rollout).is_some_and(|calling| calling.key == call.key && !calling.is_over()) {
            return;
        }
        let answered = Arc::new(AtomicBool::new(false));
        let (hub, clock, transport) = (Arc::clone(&self.hub), self.clock, Arc::clone(&self.transport));
        let (name, call, done) = (rollout.clone(), call.clone(), Arc::clone(&answered));
        let (key, url) = (call.key.clone(), self.addresses.get(&call.plugin).cloned().unwrap_or_default());
        let task = tokio::spawn(async move {
            let reply = ask(&transport, url, &call).await;
            // First, so that the pass that is woken can call again.
            done.store(true, Ordering::SeqCst);
            hub.take_reply(&name, Answer { key: call.key, reply, at: seconds(clock.now()) });
        });
        under_way.insert(rollout.clone(), Calling { key, answered, task });
    }

    /// Nothing more is to be called for anybody.
    pub(crate) fn end_all(&self) {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Objects hold whole seconds.
fn seconds(at: jiff::Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_second(at.as_second()).unwrap_or(at)
}

async fn ask(transport: &Transport, url: String, call: &Call) -> Result<Reply, String> {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let request = HttpRequest {
        method: Method::Post,
        url,
        headers: vec![header("content-type", "application/json"), header("idempotency-key", &call.key)],
        body: call.body.to_string(),
        timeout: SignedDuration::try_from(TIME_LIMIT).unwrap_or(SignedDuration::MAX),
        trust: Trust::Machine,
        sign_in: SignIn::None,
    };
    match tokio::time::timeout(TIME_LIMIT, transport(request)).await {
        Err(_) => Err(format!("no answer within {TIME_LIMIT:?}")),
        Ok(Err(failure)) => Err(failure.0),
        Ok(Ok(answer)) => read(&answer),
    }
}

/// Anything but a good answer is an error that is tried again.
fn read(answer: &HttpAnswer) -> Result<Reply, String> {
    let text = String::from_utf8_lossy(&answer.body);
    let shown: String = text.chars().take(SHOWN).collect();
    if answer.status != 200 {
        return Err(format!("answered with status {}: {shown}", answer.status));
    }
    match serde_json::from_str::<Value>(&text) {
        Ok(value) => Reply::read(&value),
        Err(problem) => Err(format!("answered with what is no JSON ({problem}): {shown}")),
    }
}
