//! Functions that write labels.

use promql_parser::parser::Call;
use regex::Regex;

use super::error::QueryError;
use super::evaluate::Evaluation;
use super::value::{Sample, Value, distinct};

impl Evaluation<'_> {
    pub(super) fn label_replace(&self, call: &Call, at_ms: i64) -> Result<Vec<Sample>, QueryError> {
        let (samples, texts) = self.vector_and_texts(call, at_ms)?;
        let [target, replacement, source, pattern] = texts.as_slice() else {
            return Err(QueryError::BadData("label_replace takes a vector and four strings".to_owned()));
        };
        let pattern = Regex::new(&format!("^(?:{pattern})$"))
            .map_err(|_| QueryError::Execution(format!("invalid regular expression in label_replace(): {pattern}")))?;
        if !is_label_name(target) {
            return Err(QueryError::Execution(format!("invalid destination label name in label_replace(): {target}")));
        }
        let replaced = samples.into_iter().map(|Sample { mut labels, value }| {
            if let Some(found) = pattern.captures(labels.get(source)) {
                let mut text = String::new();
                found.expand(replacement, &mut text);
                labels.set(target, &text);
            }
            Sample { labels, value }
        });
        distinct(replaced.collect())
    }

    pub(super) fn label_join(&self, call: &Call, at_ms: i64) -> Result<Vec<Sample>, QueryError> {
        let (samples, texts) = self.vector_and_texts(call, at_ms)?;
        let [target, separator, sources @ ..] = texts.as_slice() else {
            return Err(QueryError::BadData("label_join takes a vector and at least two strings".to_owned()));
        };
        if !is_label_name(target) {
            return Err(QueryError::Execution(format!("invalid destination label name in label_join(): {target}")));
        }
        if let Some(wrong) = sources.iter().find(|source| !is_label_name(source)) {
            return Err(QueryError::Execution(format!("invalid source label name in label_join(): {wrong}")));
        }
        let joined = samples.into_iter().map(|Sample { mut labels, value }| {
            let text = sources.iter().map(|source| labels.get(source)).collect::<Vec<_>>().join(separator);
            labels.set(target, &text);
            Sample { labels, value }
        });
        distinct(joined.collect())
    }

    fn vector_and_texts(&self, call: &Call, at_ms: i64) -> Result<(Vec<Sample>, Vec<String>), QueryError> {
        let (mut samples, mut texts) = (Vec::new(), Vec::new());
        for argument in &call.args.args {
            match self.value(argument, at_ms)? {
                Value::Text(text) => texts.push(text),
                other => samples = other.vector()?,
            }
        }
        Ok((samples, texts))
    }
}

pub(crate) fn is_label_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}
