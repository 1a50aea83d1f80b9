//! Selectors: whether they can be read, and whether they find the pods that they are meant for.

use std::collections::BTreeMap;

use super::fields::Found;
use crate::mistake::{FieldPath, Mistake, word};
use crate::template::PodTemplate;
use crate::values::{LabelSelector, SelectorMistake};

/// A selector that has to find the pods of `template`; without a template (it is kept elsewhere) only its own form
/// is looked at.
pub(super) fn check(
    path: &FieldPath,
    selector: Option<&LabelSelector>,
    template: Option<&PodTemplate>,
    found: &mut Found,
) {
    let Some(selector) = selector.filter(|selector| !selector.is_empty()) else {
        let mend = "write matchLabels with labels of the pod template, such as app: web";
        found.push(Mistake::missing(path.clone(), "is required and must not be empty", mend));
        return;
    };
    match selector.read() {
        Err(mistakes) => found.extend(mistakes.iter().map(|mistake| told(path, mistake))),
        Ok(_) => {
            if let Some(template) = template.filter(|template| template.as_json().is_object()) {
                check_match(path, selector, template, found);
            }
        }
    }
}

/// A selector that may be left out.
pub(super) fn check_form(path: &FieldPath, selector: Option<&LabelSelector>, found: &mut Found) {
    if let Some(Err(mistakes)) = selector.map(LabelSelector::read) {
        found.extend(mistakes.iter().map(|mistake| told(path, mistake)));
    }
}

/// Each demand that the labels of the pods don't meet.
fn check_match(path: &FieldPath, selector: &LabelSelector, template: &PodTemplate, found: &mut Found) {
    let labels: BTreeMap<String, String> = template.labels();
    let written = template.as_json().pointer("/metadata/labels");
    for (key, value) in selector.match_labels.iter().flatten() {
        let path = path.field("matchLabels").key(key);
        match labels.get(key) {
            Some(label) if label == value => {}
            Some(label) => {
                let mend = format!("write {}, or change the label of the pod template", word(label));
                found.push(Mistake::wrong(path, value, "is not what the pod template has", mend));
            }
            // It is there, but is not text; that is said where it stands.
            None if written.is_some_and(|labels| labels.get(key).is_some()) => {}
            None => {
                let mend =
                    format!("add the label {}: {} to the pod template, or remove it here", word(key), word(value));
                found.push(Mistake::wrong(path, value, "is a label that the pod template does not have", mend));
            }
        }
    }
    for (index, expression) in selector.match_expressions.iter().flatten().enumerate() {
        let alone = LabelSelector { match_labels: None, match_expressions: Some(vec![expression.clone()]) };
        if alone.read().is_ok_and(|demand| !demand.matches(&labels)) {
            let path = path.field("matchExpressions").index(index);
            let mend = "change it, or the labels of the pod template";
            found.push(Mistake::about(path, "does not match the labels of the pod template", mend));
        }
    }
}

fn told(path: &FieldPath, mistake: &SelectorMistake) -> Mistake {
    let field = &mistake.field;
    let inner = match field.strip_prefix("matchLabels[").and_then(|rest| rest.strip_suffix(']')) {
        Some(key) => path.field("matchLabels").key(key),
        None => field.split('.').fold(path.clone(), |path, part| match part.split_once('[') {
            None => path.key(part),
            Some((name, index)) => {
                let index = index.trim_end_matches(']').parse().unwrap_or_default();
                path.key(name).index(index)
            }
        }),
    };
    Mistake::told(inner, &mistake.message)
}
