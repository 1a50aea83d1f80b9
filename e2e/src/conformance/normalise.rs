//! Giving one name to everything that differs between any two clusters.

use std::collections::BTreeMap;

use serde_json::Value;

use super::send::Answer;

/// Names for what was met so far in one case, so that the same uid has the same name throughout.
#[derive(Debug, Default)]
pub(super) struct Names {
    uids: BTreeMap<String, String>,
}

impl Names {
    pub(super) fn normalise(&mut self, answer: &Answer, namespace: &str) -> Answer {
        Answer { body: self.value("", &answer.body, namespace), ..answer.clone() }
    }

    fn value(&mut self, field: &str, value: &Value, namespace: &str) -> Value {
        match value {
            Value::Object(fields) => Value::Object(
                fields.iter().map(|(key, value)| (key.clone(), self.value(key, value, namespace))).collect(),
            ),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.value(field, item, namespace)).collect()),
            Value::String(text) => Value::String(self.text(field, text, namespace)),
            other => other.clone(),
        }
    }

    fn text(&mut self, field: &str, text: &str, namespace: &str) -> String {
        match field {
            "resourceVersion" | "resourceVersionMatch" if text.parse::<u64>().is_ok() => return "REVISION".to_owned(),
            "continue" if !text.is_empty() => return "CONTINUE".to_owned(),
            "clusterIP" | "clusterIPs" if text.starts_with("10.") => return "ADDRESS".to_owned(),
            "ca.crt" => return "CERTIFICATE".to_owned(),
            _ => {}
        }
        if is_time(text) {
            return "TIME".to_owned();
        }
        let named = self.name_uids(&text.replace(namespace, "NAMESPACE"));
        name_generated(&named)
    }

    fn name_uids(&mut self, text: &str) -> String {
        let mut named = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = find_uid(rest) {
            let uid = &rest[at..at + UID_LENGTH];
            let next = format!("UID-{}", self.uids.len() + 1);
            let name = self.uids.entry(uid.to_owned()).or_insert(next);
            named.push_str(&rest[..at]);
            named.push_str(name);
            rest = &rest[at + UID_LENGTH..];
        }
        named.push_str(rest);
        named
    }
}

const UID_LENGTH: usize = 36;

fn find_uid(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (0..bytes.len().saturating_sub(UID_LENGTH - 1)).find(|start| {
        bytes[*start..*start + UID_LENGTH].iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    })
}

fn is_time(text: &str) -> bool {
    text.len() >= 20 && text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok()
}

/// `gen-x7k2p` becomes `gen-GENERATED`: cases use no other base for generated names.
fn name_generated(text: &str) -> String {
    const BASE: &str = "gen-";
    let Some(at) = text.find(BASE) else { return text.to_owned() };
    let suffix: String = text[at + BASE.len()..].chars().take_while(char::is_ascii_alphanumeric).collect();
    if suffix.len() == 5 { text.replacen(&format!("{BASE}{suffix}"), "gen-GENERATED", 1) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_must_differ_gets_one_name() {
        let mut names = Names::default();
        let body = json!({
            "metadata": {"uid": "0a1b2c3d-0000-4000-8000-000000000001", "resourceVersion": "42", "namespace": "case-7", "creationTimestamp": "2026-01-01T00:00:00Z", "name": "gen-x7k2p"},
            "message": "uid 0a1b2c3d-0000-4000-8000-000000000001 in case-7, not 0a1b2c3d-0000-4000-8000-000000000002",
        });
        let answer = Answer { status: 200, content_type: String::new(), warnings: vec![], body };
        assert_eq!(
            names.normalise(&answer, "case-7").body,
            json!({
                "metadata": {"uid": "UID-1", "resourceVersion": "REVISION", "namespace": "NAMESPACE", "creationTimestamp": "TIME", "name": "gen-GENERATED"},
                "message": "uid UID-1 in NAMESPACE, not UID-2",
            })
        );
    }
}
