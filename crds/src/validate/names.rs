//! The names that Kubernetes accepts: labels, annotation keys, objects, ports.

use crate::mistake::{FieldPath, Mistake};
use crate::values::{label_key_mistake, label_value_mistake};

/// A rule for names: what they are called, how to write one, and whether one is good.
pub(crate) struct Rule {
    article_and_name: &'static str,
    mend: &'static str,
    accepts: fn(&str) -> bool,
}

/// The name of a Service, a container, a volume: one part of a DNS name.
pub(crate) const DNS_LABEL: Rule = Rule {
    article_and_name: "a DNS label",
    mend: "use up to 63 of a-z, 0-9 and \"-\", with a letter or digit at both ends",
    accepts: is_dns_label,
};

/// The name of most objects: parts of a DNS name, joined by dots.
pub(crate) const OBJECT_NAME: Rule = Rule {
    article_and_name: "an object name",
    mend: "use up to 253 of a-z, 0-9, \"-\" and \".\", with a letter or digit at both ends of each part",
    accepts: is_dns_subdomain,
};

/// The name of a port.
pub(crate) const PORT_NAME: Rule = Rule {
    article_and_name: "a port name",
    mend: "use up to 15 of a-z, 0-9 and single \"-\", at least one of them a letter, with a letter or digit at both ends",
    accepts: is_port_name,
};

/// The name of an environment variable.
pub(crate) const VARIABLE_NAME: Rule = Rule {
    article_and_name: "a variable name",
    mend: "use letters, digits, \"_\", \"-\" and \".\"",
    accepts: is_variable_name,
};

impl Rule {
    /// The mistake of writing `name` at `path`, if it is one.
    pub(crate) fn broken_by(&self, path: &FieldPath, name: &str) -> Option<Mistake> {
        let problem = format!("is not {}", self.article_and_name);
        (!(self.accepts)(name)).then(|| Mistake::wrong(path.clone(), name, problem, self.mend))
    }
}

/// The mistakes in a map of labels: its keys and its values.
pub(crate) fn labels<'l>(
    path: &FieldPath,
    labels: impl IntoIterator<Item = (&'l str, &'l str)>,
    found: &mut Vec<Mistake>,
) {
    for (key, value) in labels {
        let path = path.key(key);
        found.extend(label_key(&path, key));
        found.extend(label_value_mistake(value).map(|sentence| Mistake::told(path, &sentence)));
    }
}

/// The mistake in the key of a label or an annotation, if there is one.
pub(crate) fn label_key(path: &FieldPath, key: &str) -> Option<Mistake> {
    label_key_mistake(key).map(|sentence| Mistake::told(path.clone(), &sentence))
}

/// The mistakes in a map of annotations: its keys, and its size, which API servers limit.
pub(crate) fn annotations<'l>(
    path: &FieldPath,
    annotations: impl IntoIterator<Item = (&'l str, &'l str)>,
    found: &mut Vec<Mistake>,
) {
    const LARGEST: usize = 256 * 1024;
    let mut size = 0;
    for (key, value) in annotations {
        size += key.len() + value.len();
        // Annotation keys may be written in capitals where label keys may not.
        let lower = key.to_ascii_lowercase();
        found.extend(label_key_mistake(&lower).and_then(|_| label_key(&path.key(key), key)));
    }
    if size > LARGEST {
        let problem = format!("hold {size} bytes in all, and an API server takes {LARGEST}");
        found.push(Mistake::about(path.clone(), problem, "move the largest into a ConfigMap"));
    }
}

fn is_dns_label(name: &str) -> bool {
    const LONGEST: usize = 63;
    name.len() <= LONGEST && is_bounded(name, is_lower_alphanumeric, |b| is_lower_alphanumeric(b) || b == b'-')
}

fn is_dns_subdomain(name: &str) -> bool {
    const LONGEST: usize = 253;
    name.len() <= LONGEST
        && name
            .split('.')
            .all(|part| is_bounded(part, is_lower_alphanumeric, |b| is_lower_alphanumeric(b) || b == b'-'))
}

fn is_port_name(name: &str) -> bool {
    const LONGEST: usize = 15;
    name.len() <= LONGEST
        && is_bounded(name, is_lower_alphanumeric, |b| is_lower_alphanumeric(b) || b == b'-')
        && name.bytes().any(|b| b.is_ascii_lowercase())
        && !name.contains("--")
}

/// Newer API servers take nearly anything; only what none of them takes is a mistake.
fn is_variable_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'=')
}

fn is_bounded(text: &str, at_the_ends: fn(u8) -> bool, inside: impl Fn(u8) -> bool) -> bool {
    match text.as_bytes() {
        [] => false,
        [only] => at_the_ends(*only),
        [first, middle @ .., last] => {
            at_the_ends(*first) && at_the_ends(*last) && middle.iter().all(|byte| inside(*byte))
        }
    }
}

fn is_lower_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_as_the_api_server_judges_them() {
        let long = "a".repeat(63);
        let too_long = "a".repeat(64);
        let rows: &[(&Rule, &str, bool)] = &[
            (&DNS_LABEL, "web-1", true),
            (&DNS_LABEL, "1web", true),
            (&DNS_LABEL, &long, true),
            (&DNS_LABEL, &too_long, false),
            (&DNS_LABEL, "Web", false),
            (&DNS_LABEL, "web-", false),
            (&DNS_LABEL, "web.one", false),
            (&DNS_LABEL, "", false),
            (&OBJECT_NAME, "web.one", true),
            (&OBJECT_NAME, "web..one", false),
            (&OBJECT_NAME, "web_one", false),
            (&PORT_NAME, "http-1", true),
            (&PORT_NAME, "8080", false),
            (&PORT_NAME, "a--b", false),
            (&PORT_NAME, "sixteen-letters-", false),
            (&VARIABLE_NAME, "MY_VAR.x-1", true),
            (&VARIABLE_NAME, "A=B", false),
            (&VARIABLE_NAME, "", false),
        ];
        for (rule, name, accepted) in rows {
            let mistake = rule.broken_by(&FieldPath::of("name"), name);
            assert_eq!(mistake.is_none(), *accepted, "{name:?} as {}", rule.article_and_name);
        }
    }
}
