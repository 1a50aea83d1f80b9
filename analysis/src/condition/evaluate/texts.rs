//! Functions of texts.

use super::super::names::Builtin;
use super::super::value::Value;
use super::calls::Call;
use super::{Evaluated, Evaluation, failed};

impl Evaluation<'_> {
    pub(super) fn join(&mut self, call: &Call<'_>) -> Evaluated {
        let between = if call.values.len() > 1 { call.text(1)? } else { "" };
        let mut joined = String::new();
        for (nth, item) in call.array(0)?.items().iter().enumerate() {
            let Value::Text(text) = item else {
                return call.mismatch("an array of texts", item);
            };
            self.memory(call.at, between.len() + text.len() + 1)?;
            if nth > 0 {
                joined.push_str(between);
            }
            joined.push_str(text);
        }
        Ok(Value::from(joined))
    }

    pub(super) fn split(&mut self, builtin: Builtin, call: &Call<'_>) -> Evaluated {
        let (text, separator) = (call.text(0)?, call.text(1)?);
        let most = if call.values.len() > 2 { call.whole(2)? } else { -1 };
        // Every part is a text of its own.
        self.memory(call.at, text.len().saturating_mul(8))?;
        let Ok(most) = usize::try_from(most) else {
            return self.parts(builtin, call, usize::MAX, text, separator);
        };
        if most == 0 { self.array(call.at, Vec::new()) } else { self.parts(builtin, call, most, text, separator) }
    }

    fn parts(&mut self, builtin: Builtin, call: &Call<'_>, most: usize, text: &str, separator: &str) -> Evaluated {
        let mut parts = Vec::new();
        let mut rest = text;
        while parts.len() + 1 < most {
            // An empty separator parts every letter from the next.
            let cut = match separator {
                "" => rest.chars().next().map(char::len_utf8).filter(|length| *length < rest.len()),
                _ => rest.find(separator),
            };
            let Some(cut) = cut else {
                break;
            };
            let behind = cut + separator.len();
            let kept = if builtin == Builtin::SplitAfter { behind } else { cut };
            self.memory(call.at, size_of::<Value>() + kept)?;
            parts.push(Value::from(&rest[..kept]));
            rest = &rest[behind..];
        }
        if !(separator.is_empty() && text.is_empty()) {
            parts.push(Value::from(rest));
        }
        self.array(call.at, parts)
    }

    pub(super) fn repeat(&mut self, call: &Call<'_>) -> Evaluated {
        let Ok(times) = usize::try_from(call.whole(1)?) else {
            return failed(call.at, "repeat can't repeat less than never");
        };
        let text = call.text(0)?;
        self.memory(call.at, text.len().saturating_mul(times))?;
        Ok(Value::from(text.repeat(if text.is_empty() { 0 } else { times })))
    }

    pub(super) fn replace(&mut self, call: &Call<'_>) -> Evaluated {
        let (text, old, new) = (call.text(0)?, call.text(1)?, call.text(2)?);
        let most =
            if call.values.len() > 3 { usize::try_from(call.whole(3)?).unwrap_or(usize::MAX) } else { usize::MAX };
        self.work(call.at, text.len() / 16)?;
        let found = if old.is_empty() { text.chars().count() + 1 } else { text.matches(&**old).take(most).count() };
        self.memory(call.at, found.min(most).saturating_mul(new.len()).saturating_add(text.len()))?;
        Ok(Value::from(text.replacen(&**old, new, most)))
    }

    pub(super) fn sought(&mut self, builtin: Builtin, call: &Call<'_>) -> Evaluated {
        let (text, part) = (call.text(0)?, call.text(1)?);
        self.work(call.at, text.len() / 64)?;
        let place = |found: Option<usize>| Value::Int(found.map_or(-1, |at| at as i64));
        Ok(match builtin {
            Builtin::HasPrefix => Value::Bool(text.starts_with(&**part)),
            Builtin::HasSuffix => Value::Bool(text.ends_with(&**part)),
            Builtin::IndexOf => place(text.find(&**part)),
            _ => place(text.rfind(&**part)),
        })
    }

    pub(super) fn cased(&mut self, builtin: Builtin, call: &Call<'_>) -> Evaluated {
        let text = call.text(0)?;
        // A letter may become up to three others.
        self.memory(call.at, text.len().saturating_mul(3))?;
        Ok(Value::from(if builtin == Builtin::Lower { text.to_lowercase() } else { text.to_uppercase() }))
    }

    pub(super) fn trimmed(&mut self, builtin: Builtin, call: &Call<'_>) -> Evaluated {
        let text = call.text(0)?;
        let taken = if call.values.len() > 1 { Some(call.text(1)?) } else { None };
        let trimmed = match (builtin, taken) {
            (Builtin::Trim, None) => text.trim(),
            (Builtin::Trim, Some(letters)) => text.trim_matches(|letter| letters.contains(letter)),
            (Builtin::TrimPrefix, _) => {
                let prefix = taken.map_or(" ", |taken| taken);
                text.strip_prefix(prefix).unwrap_or(text)
            }
            _ => {
                let suffix = taken.map_or(" ", |taken| taken);
                text.strip_suffix(suffix).unwrap_or(text)
            }
        };
        self.work(call.at, text.len() / 16)?;
        self.text(call.at, trimmed.to_owned())
    }
}
