//! Entry points for feeding arbitrary bytes to everything that reads what a user wrote.
//!
//! They are plain functions, so that any fuzzer can call them and the tests can replay a corpus on the stable
//! toolchain. Each panics when a property is broken that has to hold for every input.

use serde_json::Value;

use crate::lint::lint;
use crate::mistake::Mistake;
use crate::template::{PodTemplate, TemplateHash, go_json};
use crate::validate::{self, Readable};
use crate::values::{GoDuration, IntOrPercent, PauseDuration, Quantity, Rounding, Selector};
use crate::{AnalysisRun, AnalysisTemplate, ClusterAnalysisTemplate, Experiment, Rollout};

/// The longest sentence that any input may earn. Paths are the user's own names and can't be bounded as tightly.
const LONGEST_SENTENCE: usize = 4_000;

/// Lints any bytes: the same twice, every line within the text, every sentence fit for a terminal.
pub fn text(bytes: &[u8]) {
    let report = lint(bytes);
    assert_eq!(report.findings, lint(bytes).findings, "lint says something else the second time");
    let lines = 1 + bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
    for finding in &report.findings {
        assert!((1..=lines).contains(&finding.place.line), "line {} of {lines}", finding.place.line);
        readable(&finding.mistake);
    }
}

/// Reads any JSON as each of the kinds; an object without mistakes is still the same when it is written and read
/// again, and has none then.
pub fn json(bytes: &[u8]) {
    let Ok(json) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    kind::<Rollout>(&json);
    kind::<AnalysisTemplate>(&json);
    kind::<ClusterAnalysisTemplate>(&json);
    kind::<AnalysisRun>(&json);
    kind::<Experiment>(&json);
}

fn kind<K: Readable + serde::Serialize + PartialEq + std::fmt::Debug>(json: &Value) {
    let read = validate::read::<K>(json.clone());
    for mistake in &read.mistakes {
        readable(mistake);
    }
    if !read.mistakes.is_empty() {
        return;
    }
    let written = serde_json::to_value(&read.object).unwrap_or_default();
    let again = validate::read::<K>(written);
    assert_eq!(again.mistakes, [], "what was read without mistakes has some when it is written");
    assert_eq!(again.object, read.object);
}

/// Reads any text as each of the small values; what was read prints as something that can be read again.
pub fn small_values(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(duration) = text.parse::<GoDuration>() {
        assert_eq!(duration.to_string().parse::<GoDuration>(), Ok(duration));
    }
    let _ = PauseDuration::Text(text.to_owned()).parse();
    if let Ok(quantity) = text.parse::<Quantity>() {
        // Not always the same one: beyond E the text loses its suffix, in Kubernetes as here.
        assert!(quantity.as_str().parse::<Quantity>().is_ok());
        let _ = quantity.rounded_to_milli();
    }
    if let Ok(selector) = text.parse::<Selector>() {
        assert_eq!(selector.to_string().parse::<Selector>(), Ok(selector));
    }
    let share = IntOrPercent::Text(text.to_owned());
    for total in [0, 1, 7, i32::MAX] {
        let _ = share.resolve(total, Rounding::Up);
        let _ = share.resolve_bare_as_percent(total, Rounding::Down);
    }
}

/// Hashes any JSON as a pod template: the same twice, and in a form that can be a label.
pub fn hash(bytes: &[u8]) {
    let Ok(json) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    let _ = go_json(&json);
    let template = PodTemplate::from(json);
    let hash = TemplateHash::of(&template, Some(3));
    assert_eq!(hash, TemplateHash::of(&template, Some(3)));
    assert!(!hash.as_str().is_empty() && hash.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric()));
}

/// A sentence goes into a terminal, a condition and a log: one line, of bounded length, without control characters.
fn readable(mistake: &Mistake) {
    let sentence = mistake.to_string();
    assert!(!sentence.chars().any(char::is_control), "{sentence:?}");
    let path = mistake.path.to_string().len();
    assert!(sentence.len() <= LONGEST_SENTENCE + path, "{sentence}");
    assert!(!mistake.problem.is_empty() && !mistake.mend.is_empty(), "{sentence}");
}
