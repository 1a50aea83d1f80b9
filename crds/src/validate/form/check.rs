//! A document held against a [`Form`]: every wrong type, missing field and unknown field in one walk.
//!
//! What can't be read is taken out of the document and the place is remembered, so that the typed checks still
//! run over all the rest and say nothing about what this walk has already complained of.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::unknown::{self, Level};
use super::{Fields, Form, Holds, Others, Text, Whole};
use crate::mistake::{FieldPath, Mistake, Nature, Segment};

/// No manifest nests deeper; the walk recurses, and its stack is not the user's to exhaust.
const DEEPEST: usize = 120;

/// A search through the whole form for each of ten thousand unknown fields would take seconds.
const LOOKUPS: usize = 200;

/// The problem of a number or a yes or no where a text is meant.
pub(crate) const NOT_TEXT: &str = "is not text";

/// A newer Kubernetes may know the field, so the sentence says which one was asked.
const NOT_KUBERNETES: &str = "is not a field of Kubernetes 1.36";

/// What the walk found.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// The mistakes, in the order of the document's fields.
    pub(crate) mistakes: Vec<Mistake>,
    /// Where something was taken out or filled in because it could not be read.
    pub(crate) holes: BTreeSet<FieldPath>,
    /// Where `null` was written for a field that knows no null, and what to write instead. An API server drops it
    /// without a word.
    pub(crate) nulls: BTreeMap<FieldPath, String>,
    /// Whether the form is Kubernetes' own.
    pub(crate) of_kubernetes: bool,
}

/// Holds `value` against a form of ours and leaves in it only what fits, with blanks for what is required, so that it
/// can be read into the type behind the form.
pub(crate) fn check(form: &Form, value: &mut Value) -> Checked {
    walk(form, value, false)
}

/// Holds `value` against a form of Kubernetes' own. What its schemas call required an API server often reads as
/// empty, so a field that is missing is doubtful until a rule for that very field says more.
pub(crate) fn check_kubernetes(form: &Form, value: &mut Value) -> Checked {
    walk(form, value, true)
}

fn walk(form: &Form, value: &mut Value, of_kubernetes: bool) -> Checked {
    let mut walk = Walk {
        path: FieldPath::root(),
        levels: Vec::new(),
        lookups: LOOKUPS,
        found: Checked { of_kubernetes, ..Checked::default() },
    };
    if !walk.fits(form, value) {
        walk.found.holes.insert(FieldPath::root());
        *value = form.blank();
    }
    walk.found
}

struct Walk<'s> {
    path: FieldPath,
    /// The objects that enclose the current place, for "it belongs one level up".
    levels: Vec<Level<'s>>,
    /// How many more unknown fields are looked up elsewhere. Whoever has more of them has another problem.
    lookups: usize,
    found: Checked,
}

impl<'s> Walk<'s> {
    /// Whether the value can stay. If not, it has been complained of.
    fn fits(&mut self, form: &'s Form, value: &mut Value) -> bool {
        if value.is_null() {
            return form.nullable || matches!(form.holds, Holds::Any) || self.is_not(form, value);
        }
        if self.path.segments().len() > DEEPEST {
            return self.complain(value, "is nested too deeply", "flatten it; no manifest needs more than 120 levels");
        }
        match (&form.holds, &mut *value) {
            (Holds::Any, _)
            | (Holds::YesNo, Value::Bool(_))
            | (Holds::Number | Holds::Quantity, Value::Number(_))
            | (Holds::WholeOrText | Holds::Quantity, Value::String(_)) => true,
            (Holds::Text(text), Value::String(written)) => {
                let written = std::mem::take(written);
                let fits = self.text_fits(text, &written);
                *value = Value::String(written);
                fits
            }
            (Holds::Whole(whole), Value::Number(_)) => self.whole_fits(*whole, form, value),
            (Holds::WholeOrText, Value::Number(_)) => {
                let bounds = Whole { least: i64::from(i32::MIN), most: i64::from(i32::MAX) };
                self.whole_fits(bounds, form, value)
            }
            (Holds::List(item), Value::Array(items)) => {
                self.items_fit(item, items);
                true
            }
            (Holds::Fields(fields), Value::Object(entries)) => {
                self.fields_fit(fields, entries);
                true
            }
            _ => self.is_not(form, value),
        }
    }

    fn items_fit(&mut self, item: &'s Form, items: &mut [Value]) {
        for (index, value) in items.iter_mut().enumerate() {
            self.path.enter(Segment::Index(index));
            // An item that can't be read stays as a blank: taking it out would renumber those behind it.
            if !self.fits(item, value) {
                self.found.holes.insert(self.path.clone());
                *value = item.blank();
            }
            self.path.leave();
        }
    }

    fn fields_fit(&mut self, fields: &'s Fields, entries: &mut Map<String, Value>) {
        self.levels.push(Level { fields, path: self.path.clone() });
        entries.retain(|name, value| {
            self.path.enter(Segment::Field(name.clone().into()));
            let stays = self.field_fits(fields, name, value);
            self.path.leave();
            stays
        });
        self.levels.pop();
        for name in &fields.required {
            if !entries.contains_key(name) {
                self.fill_in(fields, name, entries);
            }
        }
    }

    fn field_fits(&mut self, fields: &'s Fields, name: &str, value: &mut Value) -> bool {
        let form = match (fields.known.get(name), &fields.others) {
            (Some(form), _) => form,
            (None, Others::Entries(form)) => &**form,
            (None, Others::Kept) => return true,
            (None, Others::Unknown) => {
                self.is_unknown(name);
                return true;
            }
        };
        if value.is_null() && !form.nullable {
            let mend = match form.holds {
                Holds::Fields(_) => "write {} or fields below it".to_owned(),
                _ => format!("write {}", expected(form)),
            };
            self.found.nulls.insert(self.path.clone(), mend);
            return false;
        }
        let fits = self.fits(form, value);
        if !fits {
            self.found.holes.insert(self.path.clone());
        }
        fits
    }

    /// A required field that is not there is complained of, unless it was and could not be read, and filled in.
    fn fill_in(&mut self, fields: &'s Fields, name: &str, entries: &mut Map<String, Value>) {
        let Some(form) = fields.known.get(name) else {
            return;
        };
        self.path.enter(Segment::Field(name.to_owned().into()));
        if !self.found.holes.contains(&self.path) {
            let mend = format!("write {}", expected(form));
            self.found.mistakes.push(Mistake::missing(self.path.clone(), "is required", mend));
            if !self.found.of_kubernetes {
                self.found.holes.insert(self.path.clone());
            }
        }
        if !self.found.of_kubernetes {
            entries.insert(name.to_owned(), form.blank());
        }
        self.path.leave();
    }

    fn text_fits(&mut self, text: &Text, written: &str) -> bool {
        if text.time && written.parse::<jiff::Timestamp>().is_err() {
            return self.complain(&Value::from(written), "is not a time", "write it as 2025-01-31T15:04:05Z");
        }
        if text.known.is_empty() || text.known.iter().any(|known| known == written) {
            return true;
        }
        let mend = format!("write {}", either(&text.known));
        self.complain(&Value::from(written), "is not known here", &mend)
    }

    fn whole_fits(&mut self, bounds: Whole, form: &Form, value: &mut Value) -> bool {
        let Some(number) = whole_number(value) else {
            return self.is_not(form, value);
        };
        if number < i128::from(bounds.least) {
            let mend = format!("write {} or more", bounds.least);
            return self.complain(value, &format!("is less than {}", bounds.least), &mend);
        }
        if number > i128::from(bounds.most) {
            let mend = format!("write {} or less", bounds.most);
            return self.complain(value, &format!("is more than {}", bounds.most), &mend);
        }
        // `3.0` is a whole number to a JSON reader in Go; to ours it is once it is written as one.
        if let Ok(number) = i64::try_from(number) {
            *value = Value::from(number);
        }
        true
    }

    fn is_not(&mut self, form: &Form, value: &Value) -> bool {
        let problem = match (&form.holds, value) {
            (Holds::Text(_), Value::Number(_) | Value::Bool(_)) => NOT_TEXT.to_owned(),
            _ => format!("is {}not {}", found(value), expected(form)),
        };
        let mend = if self.path.holds_a_secret() { format!("write {}", expected(form)) } else { mend(form, value) };
        self.complain(value, &problem, &mend)
    }

    fn complain(&mut self, value: &Value, problem: &str, mend: &str) -> bool {
        let mistake = Mistake::wrong(self.path.clone(), value, problem, mend);
        self.found.mistakes.push(mistake);
        false
    }

    fn is_unknown(&mut self, name: &str) {
        let mend = if self.lookups > 0 {
            self.lookups -= 1;
            unknown::mend(&self.levels, name)
        } else {
            "remove it".to_owned()
        };
        let problem = if self.found.of_kubernetes { NOT_KUBERNETES } else { "is not a field that anything reads" };
        self.found
            .mistakes
            .push(Mistake { nature: Nature::Unknown, ..Mistake::about(self.path.clone(), problem, mend) });
    }
}

/// What was found instead, where the value doesn't show it at a glance.
fn found(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text, ",
        Value::Array(_) => "a list, ",
        Value::Object(_) => "an object, ",
        Value::Number(_) | Value::Bool(_) | Value::Null => "",
    }
}

fn expected(form: &Form) -> &'static str {
    match &form.holds {
        Holds::Any => "a value",
        Holds::Text(_) => "text",
        Holds::Whole(_) => "a whole number",
        Holds::Number => "a number",
        Holds::YesNo => "true or false",
        Holds::WholeOrText => "a whole number or text",
        Holds::Quantity => "a quantity such as 500m or 1Gi",
        Holds::List(_) => "a list",
        Holds::Fields(fields) if fields.known.is_empty() => "a map of keys and values",
        Holds::Fields(_) => "an object",
    }
}

/// The very value to write where it can be guessed, otherwise what sort of value.
fn mend(form: &Form, value: &Value) -> String {
    match (&form.holds, value) {
        (Holds::Text(_), Value::Number(_) | Value::Bool(_)) => format!("write \"{value}\""),
        (Holds::Whole(_), Value::String(text)) if text.trim().parse::<i64>().is_ok() => {
            format!("write {} without quotes", text.trim())
        }
        (Holds::YesNo, Value::String(text)) if matches!(text.trim(), "true" | "false") => {
            format!("write {} without quotes", text.trim())
        }
        (Holds::List(_), _) => "begin each item with \"- \", or write [] for none".to_owned(),
        (Holds::Fields(fields), _) if !fields.known.is_empty() => {
            let names: Vec<&String> = fields.known.keys().take(4).collect();
            format!("write fields below it, such as {}", either(&names))
        }
        (Holds::Fields(_), _) => "write key: value lines below it, or {} for none".to_owned(),
        _ => format!("write {}", expected(form)),
    }
}

/// `a`, `a or b`, `a, b or c`.
pub(crate) fn either(choices: &[impl AsRef<str>]) -> String {
    match choices {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} or {}", first.join(", "), last.as_ref())
        }
    }
}

/// The whole number that a JSON number stands for, if it stands for one.
#[expect(clippy::cast_possible_truncation, reason = "only floats that i128 holds exactly get there")]
fn whole_number(value: &Value) -> Option<i128> {
    const EXACT: f64 = 1e30;
    let number = value.as_number()?;
    if let Some(number) = number.as_i64() {
        return Some(i128::from(number));
    }
    if let Some(number) = number.as_u64() {
        return Some(i128::from(number));
    }
    let float = number.as_f64()?;
    (float.fract() == 0.0 && float.abs() < EXACT).then_some(float as i128)
}
