//! What a new version does: a word in an image's tag, or in an annotation of the template, says it of every pod.

use clap::ValueEnum;
use jiff::SignedDuration;
use serde_json::{Value, json};

/// The annotation of a pod template that names the scenario of its pods.
const ANNOTATION: &str = "simulated.sluice.dev/scenario";
/// Errors of a flaky version come for so long, once in a while.
const FLAKY_FOR_S: i64 = 2;
const FLAKY_EVERY_S: i64 = 12;
/// Not at once: who is bad from the beginning is not flaky.
const FLAKY_FROM_S: i64 = 4;

/// How the next version turns out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// As healthy as the one before
    Good,
    /// One answer in five is an error
    BadErrors,
    /// Answers take seconds
    Slow,
    /// Its pods end a few seconds after their start, again and again
    Crash,
    /// Errors come for a few seconds, and go again
    Flaky,
    /// Nobody knows how it does: queries find no series
    NoData,
}

impl Scenario {
    /// As users write it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::BadErrors => "bad-errors",
            Self::Slow => "slow",
            Self::Crash => "crash",
            Self::Flaky => "flaky",
            Self::NoData => "no-data",
        }
    }

    /// The tag of the demo's next image.
    pub(crate) fn tag(self) -> &'static str {
        if self == Self::Good { "2.0" } else { self.word() }
    }

    /// What makes a template the next version of itself, as a merge patch of the template.
    pub(crate) fn next_version(self) -> Value {
        json!({"metadata": {"annotations": {ANNOTATION: self.word()}}})
    }

    /// What a pod, or a template, says of itself.
    pub(crate) fn of(template: &Value) -> Option<Self> {
        if let Some(word) = template["metadata"]["annotations"][ANNOTATION].as_str() {
            return Self::named(word);
        }
        let containers = template["spec"]["containers"].as_array().into_iter().flatten();
        let tags = containers.filter_map(|container| container["image"].as_str()?.rsplit_once(':').map(|(_, tag)| tag));
        tags.filter_map(Self::named).next()
    }

    fn named(word: &str) -> Option<Self> {
        Self::value_variants().iter().copied().find(|scenario| scenario.word() == word)
    }

    /// What a pod of it that is so old does, in the sandbox's own annotations; none where it does nothing odd.
    pub(crate) fn behaviour(self, age: SignedDuration) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Good | Self::NoData => None,
            Self::BadErrors => Some(("sandbox.sluice.dev/error-rate", "0.2")),
            Self::Slow => Some(("sandbox.sluice.dev/latency", "p50=1500ms,p99=4s")),
            Self::Crash => Some(("sandbox.sluice.dev/crash-after", "4s")),
            Self::Flaky => {
                let is_bad = (age.as_secs() - FLAKY_FROM_S).rem_euclid(FLAKY_EVERY_S) < FLAKY_FOR_S;
                Some(("sandbox.sluice.dev/error-rate", if is_bad { "0.2" } else { "0" }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_or_an_annotation_says_what_a_version_does() {
        let image = |image: &str| json!({"spec": {"containers": [{"image": "proxy:1"}, {"image": image}]}});
        // (image → scenario)
        for (reference, expected) in [
            ("shop:bad-errors", Some(Scenario::BadErrors)),
            ("registry:5000/shop:flaky", Some(Scenario::Flaky)),
            ("shop:2.0", None),
            ("slow", None),
        ] {
            assert_eq!(Scenario::of(&image(reference)), expected, "{reference}");
        }
        let mut marked = image("shop:slow");
        marked["metadata"] = Scenario::Crash.next_version()["metadata"].clone();
        assert_eq!(Scenario::of(&marked), Some(Scenario::Crash));
    }

    #[test]
    fn a_flaky_version_has_errors_for_a_while_and_then_none() {
        let rate = |age| Scenario::Flaky.behaviour(SignedDuration::from_secs(age)).map(|(_, value)| value);
        assert_eq!([0, 4, 5, 6, 16, 18].map(rate), ["0", "0.2", "0.2", "0", "0.2", "0"].map(Some));
    }
}
