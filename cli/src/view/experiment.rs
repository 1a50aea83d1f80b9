//! `get experiment`: its page and what it owns.

use jiff::Timestamp;
use serde_json::Value;

use super::text::{Cell, labelled};
use super::tree;
use crate::family::Family;

/// The page of an Experiment, which stands where the Rollout does in its family.
pub(crate) fn page(family: &Family, now: Timestamp, width: Option<usize>) -> Vec<Vec<Cell>> {
    let (object, status) = (&family.rollout, &family.rollout["status"]);
    let text = |value: &Value| Cell::from(value.as_str().unwrap_or_default());
    let mut lines = labelled("Name:", text(&object["metadata"]["name"]), width);
    lines.extend(labelled("Namespace:", text(&object["metadata"]["namespace"]), width));
    lines.extend(labelled("Status:", Cell::state(status["phase"].as_str().unwrap_or("Pending")), width));
    if let Some(message) = status["message"].as_str().filter(|message| !message.is_empty()) {
        lines.extend(labelled("Message:", message.into(), width));
    }
    let templates = object["spec"]["templates"].as_array().into_iter().flatten();
    let containers = templates.filter_map(|one| one.pointer("/template/spec/containers")?.as_array()).flatten();
    let mut images: Vec<&str> = containers.filter_map(|container| container["image"].as_str()).collect();
    images.sort_unstable();
    images.dedup();
    for (index, image) in images.into_iter().enumerate() {
        lines.extend(labelled(if index == 0 { "Images:" } else { "" }, image.into(), width));
    }
    lines.push(Vec::new());
    lines.extend(tree::of_experiment(family, now));
    lines
}
