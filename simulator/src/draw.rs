//! A story from a seed.

mod happenings;
mod rollout;
mod routers;

use serde_json::{Value, json};
use sluice_sandbox::Random;

use crate::cache::KINDS;
use crate::story::{Fault, RequestFault, Story};

/// The last two never get ready.
pub(crate) const IMAGES: [&str; 5] = ["web:1", "web:2", "web:3", "web:does-not-exist", "web:missing"];
const SERVICES: &str = "/api/v1/namespaces/default/services";
const TEMPLATES: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/analysistemplates";

/// What chance decides.
pub(crate) struct Dice(Random);

impl Dice {
    /// A number from 0 up to, and without, the bound.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    pub(crate) fn ms(&mut self, most: u64) -> i64 {
        i64::try_from(self.below(most)).unwrap_or(0)
    }

    pub(crate) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        let at = usize::try_from(self.below(of.len() as u64)).unwrap_or(0);
        of[at].clone()
    }

    /// One time in so many.
    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

/// The story of a seed.
pub fn draw(seed: u64) -> Story {
    let dice = &mut Dice(Random::seeded(seed));
    let mut given: Vec<(String, Value)> = ["stable", "canary"].map(|name| (SERVICES.to_owned(), service(name))).into();
    given.push((TEMPLATES.to_owned(), template()));
    let rollout = rollout::draw(dice, &mut given);
    let happenings = happenings::draw(dice, &rollout, &given);
    let lags_ms = lags(dice);
    // One story in four has no bad requests, one in five dies all the time.
    let faults = if dice.one_in(4) { Vec::new() } else { faults(dice) };
    let dies_after_each_write = dice.one_in(5);
    let request_ms = dice.pick(&[0, 0, 0, 5, 40, 300]);
    Story { seed, given, rollout, lags_ms, dies_after_each_write, request_ms, happenings, faults }
}

fn lags(dice: &mut Dice) -> Vec<i64> {
    let all = dice.pick(&[0, 0, 5, 50, 700]);
    let mut lags = vec![all; KINDS.len()];
    for _ in 0..dice.pick(&[0, 0, 1, 2]) {
        let kind = dice.pick(&(0..KINDS.len()).collect::<Vec<_>>());
        lags[kind] = dice.pick(&[0, 100, 1_000, 5_000]);
    }
    lags
}

fn faults(dice: &mut Dice) -> Vec<RequestFault> {
    let every = dice.pick(&[3, 8, 20]);
    let mut nth = 0;
    let mut faults = Vec::new();
    while nth < 300 {
        nth += 1 + dice.below(2 * every);
        let fault = match dice.below(9) {
            0 | 1 => Fault::Conflict,
            2 => Fault::Error,
            3 => Fault::LostBefore,
            4 => Fault::LostAfter,
            5 => Fault::Late(dice.ms(20_000)),
            6 => Fault::CrashBefore,
            _ => Fault::CrashAfter,
        };
        faults.push(RequestFault { nth, fault });
    }
    faults
}

pub(crate) fn service(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    })
}

/// Neither condition holds for what lies between good and bad.
fn template() -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate",
        "metadata": {"name": "errors", "namespace": "default"},
        "spec": {"metrics": [{
            "name": "error-rate", "count": 3, "interval": "5s", "failureLimit": 1,
            "successCondition": "result[0] < 0.01", "failureCondition": "result[0] > 0.1",
            "provider": {"prometheus": {"address": "http://prometheus", "query": "errors"}},
        }]},
    })
}
