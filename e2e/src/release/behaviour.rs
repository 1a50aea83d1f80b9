//! What a release does: a healthy one, and each kind of bad one with a single thing wrong.

/// What a release does from second to second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Behaviour {
    pub(super) requests_per_second: f64,
    /// The share of requests that is answered 500.
    pub(super) errors: f64,
    /// The share of requests that is answered 404.
    pub(super) refusals: f64,
    pub(super) requests: Durations,
    pub(super) queries: Durations,
    /// How much of the connection pool is in use.
    pub(super) connections: f64,
    /// Processor and memory of one pod, as shares of its limits; the others take a third.
    pub(super) cpu: f64,
    pub(super) memory: f64,
    /// How many pods are ready, and in how many of all the containers run.
    pub(super) ready: u32,
    pub(super) alive: u32,
}

/// How long things take: twenty milliseconds, and this share of them so many seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Durations {
    pub(super) slow_share: f64,
    pub(super) slow_seconds: f64,
}

const FAST: Durations = Durations { slow_share: 0.0, slow_seconds: 0.0 };

impl Behaviour {
    pub const HEALTHY: Self = Self {
        requests_per_second: 200.0,
        errors: 0.001,
        refusals: 0.01,
        requests: Durations { slow_share: 0.02, slow_seconds: 0.25 },
        queries: Durations { slow_share: 0.02, slow_seconds: 0.08 },
        connections: 0.5,
        cpu: 0.6,
        memory: 0.7,
        ready: 20,
        alive: 20,
    };
    /// Nothing ever fails, so that no series of failures exists.
    pub const FLAWLESS: Self = Self { errors: 0.0, ..Self::HEALTHY };
    /// One answer in ten is an error.
    pub const ERRORS: Self = Self { errors: 0.1, ..Self::HEALTHY };
    /// Nothing else is ever answered, so that no series of good answers exists.
    pub const ONLY_ERRORS: Self = Self { errors: 1.0, refusals: 0.0, ..Self::HEALTHY };
    /// More than a frontend may have, less than breaks a service.
    pub const FEW_ERRORS: Self = Self { errors: 0.02, ..Self::HEALTHY };
    /// Refuses what it should serve.
    pub const REFUSALS: Self = Self { refusals: 0.1, ..Self::HEALTHY };
    /// Slow for one request in twelve.
    pub const SLOW: Self = Self { requests: Durations { slow_share: 0.08, slow_seconds: 0.45 }, ..Self::HEALTHY };
    /// Very slow for a few, which a 95th percentile does not see.
    pub const SLOW_FOR_A_FEW: Self =
        Self { requests: Durations { slow_share: 0.03, slow_seconds: 2.0 }, ..Self::HEALTHY };
    pub const SLOW_QUERIES: Self =
        Self { queries: Durations { slow_share: 0.08, slow_seconds: 0.15 }, ..Self::HEALTHY };
    pub const A_FEW_SLOW_QUERIES: Self =
        Self { queries: Durations { slow_share: 0.03, slow_seconds: 0.4 }, ..Self::HEALTHY };
    pub const EXHAUSTED_POOL: Self = Self { connections: 0.95, ..Self::HEALTHY };
    pub const BUSY: Self = Self { cpu: 0.9, ..Self::HEALTHY };
    pub const LEAKY: Self = Self { memory: 0.9, ..Self::HEALTHY };
    pub const UNREADY: Self = Self { ready: 18, ..Self::HEALTHY };
    pub const CRASHING: Self = Self { ready: 18, alive: 18, ..Self::HEALTHY };
    /// One request in two seconds, which are all good.
    pub const LITTLE_TRAFFIC: Self =
        Self { requests_per_second: 0.5, errors: 0.0, refusals: 0.0, requests: FAST, queries: FAST, ..Self::HEALTHY };
    /// Nobody asks.
    pub const NO_TRAFFIC: Self = Self { requests_per_second: 0.0, ..Self::LITTLE_TRAFFIC };
}
