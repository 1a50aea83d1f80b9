//! What Go says about a template, and whether we say the same.
//!
//! The questions are what `template-oracle generate --seed 1 --count 200` printed, the answers what
//! `template-oracle hash` printed for them, without the texts that were hashed.

use serde::Deserialize;
use sluice_crds::template::{PodTemplate, TemplateHash};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Question {
    template: PodTemplate,
    collision_count: Option<i32>,
}

#[derive(Deserialize)]
struct Answer {
    /// Missing where Go could not read the template.
    hash: Option<TemplateHash>,
}

/// What came of one comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// We agree.
    Same,
    /// There was nothing to compare: Go could not read the template, or the template holds managed fields, whose
    /// order of keys is lost in reading. No template in a manifest has them.
    Skipped,
}

/// Compares one line of questions with its line of answers.
///
/// # Errors
/// The lines are not the oracle's, or we disagree; the sentence says in what.
pub(crate) fn compare(question: &str, answer: &str) -> Result<Outcome, String> {
    let asked: Question = serde_json::from_str(question).map_err(|error| format!("not a question: {error}"))?;
    let answered: Answer = serde_json::from_str(answer).map_err(|error| format!("not an answer: {error}"))?;
    let Some(theirs) = answered.hash else { return Ok(Outcome::Skipped) };
    let ours = TemplateHash::of(&asked.template, asked.collision_count);
    if ours == theirs {
        Ok(Outcome::Same)
    } else if question.contains("\"fieldsV1\"") {
        Ok(Outcome::Skipped)
    } else {
        Err(format!("our hash is {ours}, Go's {theirs}: {question} {answer}"))
    }
}
