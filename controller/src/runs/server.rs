//! The servers that are asked: each only so often at once and so often a second, and none without an end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use sluice_analysis::provider::Failure;
use sluice_analysis::provider::http::{HttpAnswer, HttpRequest};
use sluice_planner::engine::Pace;
use tokio::sync::Semaphore;

use super::Transport;
use crate::clock::Clock;

/// A Prometheus server works on twenty queries at once and lets the others wait; more would only wait there.
const AT_ONCE: usize = 20;
/// Questions a second to one server, and as many at once after a quiet time.
const PER_SECOND: u32 = 200;

/// All servers.
pub(crate) struct Servers {
    transport: Transport,
    clock: Clock,
    known: Mutex<BTreeMap<String, Arc<Server>>>,
}

struct Server {
    places: Semaphore,
    pace: Mutex<Pace>,
}

impl Servers {
    pub(crate) fn new(transport: Transport, clock: Clock) -> Self {
        Self { transport, clock, known: Mutex::default() }
    }

    /// Waits for a place and asks; both take no longer than the request allows.
    pub(crate) async fn ask(&self, request: HttpRequest) -> Result<HttpAnswer, Failure> {
        let server = self.server(&request.url);
        let timeout = Duration::try_from(request.timeout).unwrap_or_default();
        let Ok(Ok(_place)) = tokio::time::timeout(timeout, self.place(&server)).await else {
            return Err(Failure(format!(
                "not asked for {}: {AT_ONCE} other questions to the same server had no answer",
                seconds(request.timeout)
            )));
        };
        let limit = seconds(request.timeout);
        let answer = tokio::time::timeout(timeout, (self.transport)(request)).await;
        answer.unwrap_or_else(|_| Err(Failure(format!("no answer within {limit}"))))
    }

    async fn place<'s>(
        &self,
        server: &'s Server,
    ) -> Result<tokio::sync::SemaphorePermit<'s>, tokio::sync::AcquireError> {
        let place = server.places.acquire().await?;
        let at = server.pace.lock().unwrap_or_else(PoisonError::into_inner).next(self.clock.moment());
        self.clock.reach(at).await;
        Ok(place)
    }

    fn server(&self, url: &str) -> Arc<Server> {
        let name = match url.split_once("://") {
            Some((scheme, rest)) => {
                let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
                // A user's name and password are no part of which server it is.
                let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
                format!("{scheme}://{host}").to_ascii_lowercase()
            }
            None => String::new(),
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = known.get(&name) {
            return Arc::clone(server);
        }
        // Those that nobody asks at this moment are forgotten: addresses may be made out of arguments.
        known.retain(|_, server| Arc::strong_count(server) > 1);
        let pace = Mutex::new(Pace::new(f64::from(PER_SECOND), PER_SECOND));
        let server = Arc::new(Server { places: Semaphore::new(AT_ONCE), pace });
        known.insert(name, Arc::clone(&server));
        server
    }
}

fn seconds(time: SignedDuration) -> String {
    format!("{} s", time.as_secs())
}
