//! Rules that many fields share.

use std::collections::BTreeMap;

use super::form::either;
use super::names::Rule;
use crate::mistake::{FieldPath, Mistake};
use crate::unit::{ExtraMetadata, IntOrString};
use crate::values::{DurationString, IntOrPercent, Rounding};

/// Everything that is found wrong, in the order of the fields.
pub(super) type Found = Vec<Mistake>;

/// A count can't be less than nothing.
pub(super) fn not_negative(path: FieldPath, number: Option<i32>, found: &mut Found) {
    if let Some(number) = number.filter(|number| *number < 0) {
        found.push(Mistake::wrong(path, number, "is less than 0", "write 0 or more"));
    }
}

/// A name that has to be there and be a good one.
pub(super) fn required_name(path: FieldPath, name: Option<&str>, rule: &Rule, mend: &str, found: &mut Found) {
    match name.unwrap_or_default() {
        "" => found.push(Mistake::missing(path, "is required", mend)),
        name => found.extend(rule.broken_by(&path, name)),
    }
}

/// A name that may be left out. An empty one is the same as none.
pub(super) fn optional_name(path: &FieldPath, name: Option<&str>, rule: &Rule, found: &mut Found) {
    found.extend(name.filter(|name| !name.is_empty()).and_then(|name| rule.broken_by(path, name)));
}

/// A text that has to be there.
pub(super) fn required_text(path: FieldPath, text: Option<&str>, mend: &str, found: &mut Found) {
    if text.unwrap_or_default().trim().is_empty() {
        found.push(Mistake::missing(path, "is required", mend));
    }
}

/// A word out of the few that are known.
pub(super) fn known_word(path: FieldPath, word: &str, known: &[&str], found: &mut Found) {
    if !known.contains(&word) {
        let mend = format!("write {}", either(known));
        found.push(Mistake::wrong(path, word, "is not known here", mend));
    }
}

/// A duration, unless it has arguments that are filled in later.
pub(super) fn duration(path: FieldPath, duration: Option<&DurationString>, found: &mut Found) {
    let Some(duration) = duration.filter(|duration| !has_arguments(&duration.0)) else {
        return;
    };
    if let Err(error) = duration.parse() {
        found.push(Mistake::told(path, &error.to_string()));
    }
}

/// A number of pods or a percentage of them.
pub(super) fn share_of_pods(path: FieldPath, share: Option<&IntOrPercent>, found: &mut Found) {
    const SOME_TOTAL: i32 = 100;
    let Some(share) = share else {
        return;
    };
    match share.resolve_bare_as_percent(SOME_TOTAL, Rounding::Up) {
        Err(error) => found.push(Mistake::told(path, &error.to_string())),
        Ok(pods) if pods < 0 => {
            let written = share.to_string();
            found.push(Mistake::wrong(
                path,
                &written,
                "is less than nothing",
                "write a number of pods or a percentage",
            ));
        }
        Ok(_) => {}
    }
}

/// Labels and annotations that are put onto pods or runs.
pub(super) fn extra_metadata(path: &FieldPath, metadata: Option<&ExtraMetadata>, found: &mut Found) {
    let Some(metadata) = metadata else {
        return;
    };
    if let Some(labels) = &metadata.labels {
        let settled = borrowed(labels).filter(|(_, value)| !has_arguments(value));
        super::names::labels(&path.field("labels"), settled, found);
    }
    if let Some(annotations) = &metadata.annotations {
        super::names::annotations(&path.field("annotations"), borrowed(annotations), found);
    }
}

/// The keys and values of a map.
pub(super) fn borrowed(map: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    map.iter().map(|(key, value)| (key.as_str(), value.as_str()))
}

/// The whole number that a number or a text is; `None` where it has arguments that are filled in later.
pub(super) fn whole_number(path: FieldPath, written: Option<&IntOrString>, found: &mut Found) -> Option<i64> {
    match written? {
        IntOrString::Int(number) => Some(*number),
        IntOrString::String(text) if has_arguments(text) => None,
        IntOrString::String(text) => match text.parse() {
            Ok(number) => Some(number),
            Err(_) => {
                let mend = "write one such as 5, or an argument such as {{args.count}}";
                found.push(Mistake::wrong(path, text, "is not a whole number", mend));
                None
            }
        },
    }
}

/// Whether a text holds `{{args.name}}`, which only a run fills in.
pub(super) fn has_arguments(text: &str) -> bool {
    text.contains("{{")
}

/// Names that are written more than once, each with the index of the second.
pub(super) fn repeated<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<(usize, &'n str)> {
    let mut seen = std::collections::BTreeSet::new();
    let names = names.into_iter().enumerate();
    names.filter(|(_, name)| !name.is_empty() && !seen.insert(*name)).collect()
}

/// The mistake of a name that another item has already.
pub(super) fn taken(path: FieldPath, name: &str) -> Mistake {
    Mistake::wrong(path, name, "is written twice", "name each one otherwise")
}
