//! What is told of a change: a line as kubectl prints it, or the object.

use serde_json::{Value, json};

use super::flags::{Output, Writing};
use crate::cluster::{Kind, Problem};
use crate::print;

/// What was done to one object.
pub(super) struct Done {
    pub(super) name: String,
    pub(super) line: String,
    pub(super) note: Option<String>,
    pub(super) object: Value,
}

/// Data to stdout; notes and failures, each a line, to stderr. One failure doesn't keep the others from being done.
pub(super) fn report(kind: Kind, writing: &Writing, outcomes: Vec<Result<Done, Problem>>) -> Result<u8, Problem> {
    let (mut code, mut objects) = (0, Vec::new());
    let several = outcomes.len() > 1;
    for outcome in outcomes {
        match outcome {
            Ok(Done { name, line, note, object }) => {
                let named = kind.named(&name);
                if let Some(note) = note {
                    print::note(&format!("{named}: {note}"));
                }
                match writing.output {
                    None => print::line(&format!("{named} {line}"))?,
                    Some(Output::Name) => print::line(&named)?,
                    Some(Output::Json | Output::Yaml) => objects.push(object),
                }
            }
            Err(problem) if several => {
                print::problem(&problem);
                code = problem.code;
            }
            Err(problem) => return Err(problem),
        }
    }
    let all = match objects.pop() {
        Some(only) if objects.is_empty() => Some(only),
        Some(last) => {
            objects.push(last);
            Some(json!({"apiVersion": "v1", "kind": "List", "items": objects}))
        }
        None => None,
    };
    match (writing.output, all) {
        (Some(Output::Json), Some(object)) => print::json(&object)?,
        (Some(Output::Yaml), Some(object)) => print::yaml(&object)?,
        _ => {}
    }
    Ok(code)
}
