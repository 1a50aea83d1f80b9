//! A metric: what is measured, how often, and what its values mean.

use super::provider::Provider;
use crate::schema::mark;
use crate::shape::{api_types, known_values};
use crate::unit::IntOrString;
use crate::values::DurationString;

api_types! {
    /// A metric: what is measured, how often, and what its values mean. Numbers may be given as a text
    /// with arguments in it.
    pub struct Metric {
        /// Name of the metric.
        #[schemars(transform = mark::required)]
        pub name: String,
        /// Time between measurements, for example 30s. Without it there is one measurement.
        pub interval: Option<DurationString>,
        /// Time before the first measurement, for example 1m. Default: none.
        pub initial_delay: Option<DurationString>,
        /// Number of measurements. More than 1 needs an interval. Default: 1 without an interval; with one,
        /// until somebody ends the run.
        pub count: Option<IntOrString>,
        /// Expression over `result` that is true for a good value.
        pub success_condition: Option<String>,
        /// Expression over `result` that is true for a bad value. A value that is neither good nor bad, when
        /// both conditions are set, is inconclusive.
        pub failure_condition: Option<String>,
        /// How many bad measurements are borne; -1 bears all. Default: 0.
        pub failure_limit: Option<IntOrString>,
        /// How many inconclusive measurements are borne. Default: 0.
        pub inconclusive_limit: Option<IntOrString>,
        /// How many errors in a row are borne. Default: 4.
        pub consecutive_error_limit: Option<IntOrString>,
        /// How many good measurements in a row are enough; 0 switches this off. Default: 0.
        pub consecutive_success_limit: Option<IntOrString>,
        /// How many bad measurements in a row are too many; 0 switches this off. Default: 0. With it, failureLimit
        /// is -1 by default, so that single bad measurements are borne.
        pub consecutive_failure_limit: Option<IntOrString>,
        /// What a measurement means that found no value: `inconclusive`, `failure`, `success`, or `wait`, which
        /// tries again for as long as it takes. Default: tries again as after an error; after more than
        /// consecutiveErrorLimit tries in a row the metric is inconclusive.
        pub on_no_data: Option<OnNoData>,
        /// Where the value comes from.
        #[schemars(transform = mark::required)]
        pub provider: Option<Provider>,
    }
}

known_values! {
    /// What a measurement means that found no value.
    pub enum OnNoData {
        /// It is neither good nor bad.
        Inconclusive = "inconclusive",
        /// It is bad.
        Failure = "failure",
        /// It is good.
        Success = "success",
        /// It means nothing; the provider is asked again for as long as it takes.
        Wait = "wait",
    }
}

impl Metric {
    /// How many bad measurements are borne; -1 bears all.
    pub fn failure_limit(&self) -> IntOrString {
        let is_off = match self.consecutive_failure_limit() {
            IntOrString::Int(number) => number == 0,
            IntOrString::String(text) => text == "0",
        };
        self.failure_limit.clone().unwrap_or_else(|| if is_off { 0.into() } else { (-1).into() })
    }

    /// How many inconclusive measurements are borne.
    pub fn inconclusive_limit(&self) -> IntOrString {
        self.inconclusive_limit.clone().unwrap_or_else(|| 0.into())
    }

    /// How many errors in a row are borne.
    pub fn consecutive_error_limit(&self) -> IntOrString {
        self.consecutive_error_limit.clone().unwrap_or_else(|| 4.into())
    }

    /// How many good measurements in a row are enough; 0 switches this off.
    pub fn consecutive_success_limit(&self) -> IntOrString {
        self.consecutive_success_limit.clone().unwrap_or_else(|| 0.into())
    }

    /// How many bad measurements in a row are too many; 0 switches this off.
    pub fn consecutive_failure_limit(&self) -> IntOrString {
        self.consecutive_failure_limit.clone().unwrap_or_else(|| 0.into())
    }
}
