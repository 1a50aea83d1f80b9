//! Values that nobody may read: kept out of every message, value and note that is written down.

use std::collections::BTreeMap;
use std::fmt;

/// What stands where a secret stood.
const HIDDEN: &str = "*****";

/// Values of Secrets by the Secret's name and key. Printing it prints none of them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    values: BTreeMap<(String, String), String>,
}

impl Secrets {
    /// Adds the value of one key of a Secret.
    pub fn insert(&mut self, name: &str, key: &str, value: &str) {
        self.values.insert((name.to_owned(), key.to_owned()), value.to_owned());
    }

    pub(crate) fn get(&self, name: &str, key: &str) -> Option<&str> {
        self.values.get(&(name.to_owned(), key.to_owned())).map(String::as_str)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &str> {
        self.values.values().map(String::as_str)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secrets", self.values.len())
    }
}

/// Takes secrets out of texts, in each form in which a request or an answer may carry them.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Longest first, so that a secret that is part of another one leaves nothing of it behind.
    needles: Vec<String>,
}

impl Redactor {
    /// Hides these values.
    pub fn new<'v>(values: impl IntoIterator<Item = &'v str>) -> Self {
        let mut needles: Vec<String> = values.into_iter().flat_map(forms).filter(|form| !form.is_empty()).collect();
        needles.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        needles.dedup();
        Self { needles }
    }

    /// The text without any of the values.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for needle in &self.needles {
            if clean.contains(needle.as_str()) {
                clean = clean.replace(needle.as_str(), HIDDEN);
            }
        }
        clean
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} hidden texts", self.needles.len())
    }
}

/// A value as it is, without the line end that files have, and as URLs, forms and JSON carry it.
fn forms(value: &str) -> Vec<String> {
    let trimmed = value.trim();
    let json = serde_json::Value::from(trimmed).to_string();
    vec![
        value.to_owned(),
        trimmed.to_owned(),
        json.trim_matches('"').to_owned(),
        form_urlencoded::byte_serialize(trimmed.as_bytes()).collect(),
        percent_encoding::utf8_percent_encode(trimmed, percent_encoding::NON_ALPHANUMERIC).to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_in_every_form_that_a_message_may_carry() {
        let redactor = Redactor::new(["p&ss word\"1\n", "ess"]);
        let rows = [
            ("password p&ss word\"1 refused", "password ***** refused"),
            ("GET /?key=p%26ss+word%221", "GET /?key=*****"),
            ("GET /?key=p%26ss%20word%221", "GET /?key=*****"),
            (r#"{"key":"p&ss word\"1"}"#, r#"{"key":"*****"}"#),
            ("less", "l*****"),
            ("nothing", "nothing"),
        ];
        for (text, expected) in rows {
            assert_eq!(redactor.clean(text), expected);
        }
    }

    #[test]
    fn printing_secrets_prints_none() {
        let mut secrets = Secrets::default();
        secrets.insert("prometheus", "token", "hunter2");
        assert_eq!(format!("{secrets:?}"), "1 secrets");
        assert_eq!(Redactor::new(["", "\n"]).clean("as it was"), "as it was");
    }
}
