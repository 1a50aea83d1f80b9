//! Comparing a request with what a route asks of it.

use regex::Regex;

/// How a text must look.
#[derive(Clone, Debug)]
pub(super) enum Pattern {
    Exact(String),
    Prefix(String),
    Whole(Regex),
    Anything,
    /// A pattern that can't be read matches nothing, as routers that refuse it would do.
    Nothing,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(a), Self::Exact(b)) | (Self::Prefix(a), Self::Prefix(b)) => a == b,
            (Self::Whole(a), Self::Whole(b)) => a.as_str() == b.as_str(),
            (Self::Anything, Self::Anything) | (Self::Nothing, Self::Nothing) => true,
            _ => false,
        }
    }
}

impl Pattern {
    /// A regular expression that must match the whole text.
    pub(super) fn whole(expression: &str) -> Self {
        Regex::new(&format!("^(?:{expression})$")).map_or(Self::Nothing, Self::Whole)
    }

    /// A regular expression that may match anywhere in the text.
    pub(super) fn anywhere(expression: &str) -> Self {
        Regex::new(expression).map_or(Self::Nothing, Self::Whole)
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(wanted) => text == wanted,
            Self::Prefix(wanted) => text.starts_with(wanted.as_str()),
            Self::Whole(expression) => expression.is_match(text),
            Self::Anything => true,
            Self::Nothing => false,
        }
    }
}

/// Path prefixes end at a slash: `/shop` covers `/shop` and `/shop/cart`, not `/shopping`.
pub(super) fn path_is_under(path: &str, prefix: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// How well a host name fits: exactly, by wildcard (longer is better), by having no condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum HostFit {
    Any,
    Wildcard(usize),
    Exact,
}

pub(super) fn host_fit(wanted: &str, host: &str) -> Option<HostFit> {
    if wanted.is_empty() || wanted == "*" {
        Some(HostFit::Any)
    } else if wanted == host {
        Some(HostFit::Exact)
    } else {
        let suffix = wanted.strip_prefix('*')?;
        (suffix.starts_with('.') && host.len() > suffix.len() && host.ends_with(suffix))
            .then_some(HostFit::Wildcard(suffix.len()))
    }
}
