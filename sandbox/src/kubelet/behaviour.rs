//! Scripted behaviour: what a pod's annotations say about an application that the model does not really run.
//!
//! They speak of the pod's first container, as `kubectl logs` does. Spans are counted from each start of that
//! container, except `evict-after`, which counts from the pod's start. All can be set and changed while the pod
//! runs.

use std::collections::BTreeMap;

use jiff::SignedDuration;

/// The annotations of the sandbox begin with this; anything else under it is a mistake.
pub const PREFIX: &str = "sandbox.sluice.dev/";

/// What the annotations of one pod ask for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Behaviour {
    /// `ready-after`: the readiness probe is answered from then on; without a probe, the container is ready then.
    pub ready_after: Option<SignedDuration>,
    /// `unready-after`: readiness is no longer answered from then on.
    pub unready_after: Option<SignedDuration>,
    /// `started-after`: the startup probe is answered from then on.
    pub started_after: Option<SignedDuration>,
    /// `unhealthy-after`: neither liveness nor readiness is answered from then on.
    pub unhealthy_after: Option<SignedDuration>,
    /// `crash-after`: the process exits with code 1.
    pub crash_after: Option<SignedDuration>,
    /// `shutdown-after`: how long the process goes on after SIGTERM.
    pub shutdown: Option<Shutdown>,
    /// `evict-after`: the node runs out of memory and evicts the pod.
    pub evict_after: Option<SignedDuration>,
    /// `error-rate`: the share of requests that are answered with an error.
    pub error_rate: Option<ErrorRate>,
    /// `latency`: how long requests take.
    pub latency: Option<Latency>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    After(SignedDuration),
    /// SIGTERM is ignored; only the end of the grace period ends the process.
    Never,
}

/// A share of requests, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorRate(f64);

impl ErrorRate {
    #[must_use]
    pub fn share(self) -> f64 {
        self.0
    }
}

/// Percentiles of response time, ascending in both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latency(BTreeMap<u8, SignedDuration>);

impl Latency {
    /// Percentile (1 to 99) and time, ascending.
    pub fn percentiles(&self) -> impl Iterator<Item = (u8, SignedDuration)> {
        self.0.iter().map(|(percentile, time)| (*percentile, *time))
    }
}

/// One mistake in the annotations, with its field path, the value and the mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("metadata.annotations[{annotation}]: {mistake}")]
pub struct BehaviourError {
    pub annotation: String,
    mistake: String,
}

impl Behaviour {
    /// Everything that can be read, and every mistake beside it. Annotations of others are none of its business.
    pub fn from_annotations<'a>(
        annotations: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> (Self, Vec<BehaviourError>) {
        let mut behaviour = Self::default();
        let mut mistakes = Vec::new();
        for (annotation, value) in annotations {
            if let Some(name) = annotation.strip_prefix(PREFIX)
                && let Err(mistake) = behaviour.set(name, value.trim())
            {
                mistakes.push(BehaviourError { annotation: annotation.to_owned(), mistake });
            }
        }
        (behaviour, mistakes)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "ready-after" => self.ready_after = Some(span(value)?),
            "unready-after" => self.unready_after = Some(span(value)?),
            "started-after" => self.started_after = Some(span(value)?),
            "unhealthy-after" => self.unhealthy_after = Some(span(value)?),
            "crash-after" => self.crash_after = Some(span(value)?),
            "evict-after" => self.evict_after = Some(span(value)?),
            "shutdown-after" if value == "never" => self.shutdown = Some(Shutdown::Never),
            "shutdown-after" => self.shutdown = Some(Shutdown::After(span(value)?)),
            "error-rate" => self.error_rate = Some(error_rate(value)?),
            "latency" => self.latency = Some(latency(value)?),
            _ => {
                return Err("no such behaviour; write ready-after, unready-after, started-after, unhealthy-after, \
                     crash-after, shutdown-after, evict-after, error-rate or latency"
                    .to_owned());
            }
        }
        Ok(())
    }
}

fn span(value: &str) -> Result<SignedDuration, String> {
    value
        .parse::<SignedDuration>()
        .ok()
        .filter(|span| !span.is_negative())
        .ok_or_else(|| format!("\"{value}\" is not a duration; write 500ms, 30s or 1m30s"))
}

fn error_rate(value: &str) -> Result<ErrorRate, String> {
    value
        .parse::<f64>()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .map(ErrorRate)
        .ok_or_else(|| format!("\"{value}\" is not a share of requests; write a number from 0 to 1, such as 0.05"))
}

fn latency(value: &str) -> Result<Latency, String> {
    const MEND: &str = "write p50=20ms,p99=200ms";
    let mut percentiles = BTreeMap::new();
    for part in value.split(',') {
        let (name, time) = part
            .trim()
            .split_once('=')
            .ok_or_else(|| format!("\"{part}\" is not a percentile and a duration; {MEND}"))?;
        let percentile = name
            .strip_prefix('p')
            .and_then(|digits| digits.parse::<u8>().ok())
            .filter(|percentile| (1..=99).contains(percentile))
            .ok_or_else(|| format!("\"{name}\" is not a percentile from p1 to p99; {MEND}"))?;
        if percentiles.insert(percentile, span(time)?).is_some() {
            return Err(format!("p{percentile} is given twice; {MEND}"));
        }
    }
    if !percentiles.values().is_sorted() {
        return Err(format!("\"{value}\": a higher percentile can't be faster than a lower one; {MEND}"));
    }
    Ok(Latency(percentiles))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: i64) -> SignedDuration {
        SignedDuration::from_millis(n)
    }

    #[test]
    fn every_behaviour_can_be_written() {
        let (behaviour, mistakes) = Behaviour::from_annotations([
            ("sandbox.sluice.dev/ready-after", "3s"),
            ("sandbox.sluice.dev/unready-after", "1m30s"),
            ("sandbox.sluice.dev/started-after", "250ms"),
            ("sandbox.sluice.dev/unhealthy-after", "1h"),
            ("sandbox.sluice.dev/crash-after", "0s"),
            ("sandbox.sluice.dev/shutdown-after", "never"),
            ("sandbox.sluice.dev/evict-after", "10s"),
            ("sandbox.sluice.dev/error-rate", "0.05"),
            ("sandbox.sluice.dev/latency", "p50=20ms, p99=200ms"),
            ("example.com/ready-after", "not ours"),
        ]);
        assert_eq!(mistakes, []);
        assert_eq!(behaviour.ready_after, Some(ms(3_000)));
        assert_eq!(behaviour.unready_after, Some(ms(90_000)));
        assert_eq!(behaviour.started_after, Some(ms(250)));
        assert_eq!(behaviour.unhealthy_after, Some(ms(3_600_000)));
        assert_eq!(behaviour.crash_after, Some(ms(0)));
        assert_eq!(behaviour.shutdown, Some(Shutdown::Never));
        assert_eq!(behaviour.evict_after, Some(ms(10_000)));
        assert_eq!(behaviour.error_rate.map(ErrorRate::share), Some(0.05));
        let latency: Vec<_> = behaviour.latency.iter().flat_map(Latency::percentiles).collect();
        assert_eq!(latency, [(50, ms(20)), (99, ms(200))]);
    }

    #[test]
    fn every_mistake_is_named_with_its_mend_and_the_rest_still_counts() {
        let (behaviour, mistakes) = Behaviour::from_annotations([
            ("sandbox.sluice.dev/ready-after", "3"),
            ("sandbox.sluice.dev/crash-after", "5s"),
            ("sandbox.sluice.dev/shutdown-after", "-1s"),
            ("sandbox.sluice.dev/error-rate", "5%"),
            ("sandbox.sluice.dev/colour", "blue"),
        ]);
        assert_eq!(behaviour.crash_after, Some(ms(5_000)));
        assert_eq!(behaviour.ready_after, None);
        let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "metadata.annotations[sandbox.sluice.dev/ready-after]: \"3\" is not a duration; write 500ms, 30s or 1m30s",
                "metadata.annotations[sandbox.sluice.dev/shutdown-after]: \"-1s\" is not a duration; write 500ms, 30s or 1m30s",
                "metadata.annotations[sandbox.sluice.dev/error-rate]: \"5%\" is not a share of requests; write a number from 0 to 1, such as 0.05",
                "metadata.annotations[sandbox.sluice.dev/colour]: no such behaviour; write ready-after, unready-after, started-after, unhealthy-after, crash-after, shutdown-after, evict-after, error-rate or latency",
            ]
        );
    }

    #[test]
    fn rates_and_latencies_carry_their_rules() {
        for rate in ["-0.1", "1.01", "NaN", "inf", "", "half"] {
            assert!(error_rate(rate).is_err(), "{rate}");
        }
        for wrong in ["20ms", "p0=1ms", "p100=1ms", "p50", "p50=1ms,p50=2ms", "p50=2s,p99=1s", "p99.9=1s", ""] {
            assert!(latency(wrong).is_err(), "{wrong}");
        }
        assert!(error_rate("0").is_ok() && error_rate("1").is_ok());
        assert!(latency("p50=1ms,p90=1ms").is_ok());
    }
}
