//! Whether a node can pull an image, read from its reference alone.

use super::absent::says_absent;
use super::digest;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pull {
    Works,
    /// The registry answers that there is no such image, again and again.
    Fails {
        why: String,
    },
    /// The reference can't be parsed; no retry mends that.
    BadName {
        why: String,
    },
}

pub(super) fn pull(reference: &str) -> Pull {
    if let Err(why) = well_formed(reference) {
        return Pull::BadName {
            why: format!(
                "Failed to apply default image tag \"{reference}\": couldn't parse image name \"{reference}\": {why}"
            ),
        };
    }
    if says_absent(reference) {
        return Pull::Fails { why: format!("failed to pull and unpack image \"{}\": not found", full_name(reference)) };
    }
    Pull::Works
}

/// `docker.io/library/nginx:latest` for `nginx`: what a runtime reports.
pub(super) fn full_name(reference: &str) -> String {
    let (registry, rest) = match reference.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => (host, rest),
        _ => ("docker.io", reference),
    };
    let library = if registry == "docker.io" && !rest.contains('/') { "library/" } else { "" };
    let tag = if tag_of(rest).is_some() || rest.contains('@') { "" } else { ":latest" };
    format!("{registry}/{library}{rest}{tag}")
}

/// The content address that a runtime reports once the image is there.
pub(super) fn image_id(reference: &str) -> String {
    let full = full_name(reference);
    if full.contains('@') {
        return full;
    }
    let repository = tag_of(&full).map_or(full.as_str(), |tag| &full[..full.len() - tag.len() - 1]);
    format!("{repository}@sha256:{}", digest::hex(&["image", &full], 64))
}

fn tag_of(reference: &str) -> Option<&str> {
    let last = reference.rsplit('/').next().unwrap_or(reference);
    last.split('@').next()?.split_once(':').map(|(_, tag)| tag)
}

/// The reference grammar as far as people get it wrong: lower-case repository, tag and digest by their alphabets.
fn well_formed(reference: &str) -> Result<(), &'static str> {
    const INVALID: &str = "invalid reference format";
    let (name, digest) = match reference.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (reference, None),
    };
    let tag = tag_of(name);
    let repository = tag.map_or(name, |tag| &name[..name.len() - tag.len() - 1]);
    if repository.is_empty() {
        return Err(INVALID);
    }
    let mut segments = repository.split('/').peekable();
    if let (Some(host), true) = (segments.peek().copied(), repository.contains('/'))
        && (host.contains(['.', ':']) || host == "localhost")
    {
        segments.next();
    }
    for segment in segments {
        if segment.chars().any(|c| c.is_ascii_uppercase()) {
            return Err("invalid reference format: repository name must be lowercase");
        }
        let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let edge = |c: Option<char>| c.is_some_and(inside);
        let all = segment.chars().all(|c| inside(c) || matches!(c, '.' | '_' | '-'));
        if !all || !edge(segment.chars().next()) || !edge(segment.chars().last()) {
            return Err(INVALID);
        }
    }
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if let Some(tag) = tag {
        let good = tag.chars().next().is_some_and(word)
            && tag.len() <= 128
            && tag.chars().all(|c| word(c) || matches!(c, '.' | '-'));
        if !good {
            return Err(INVALID);
        }
    }
    match digest {
        Some(digest) if digest.strip_prefix("sha256:").is_none_or(|hex| hex.len() != 64) => Err(INVALID),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_says_whether_it_can_be_pulled() {
        let digest = format!("nginx@sha256:{}", "a".repeat(64));
        for (reference, works) in [
            ("nginx", "works"),
            ("nginx:1.27-alpine", "works"),
            ("localhost:5000/team/app:v1", "works"),
            ("registry.k8s.io/pause", "works"),
            (digest.as_str(), "works"),
            ("nginx:does-not-exist", "fails"),
            ("no-such-registry.example/app:1", "fails"),
            ("", "bad name"),
            ("Nginx", "bad name"),
            ("nginx:tag:tag", "bad name"),
            ("nginx:", "bad name"),
            ("nginx latest", "bad name"),
            ("-nginx", "bad name"),
            ("https://nginx", "bad name"),
            ("nginx@sha256:abc", "bad name"),
        ] {
            let verdict = match pull(reference) {
                Pull::Works => "works",
                Pull::Fails { .. } => "fails",
                Pull::BadName { .. } => "bad name",
            };
            assert_eq!(verdict, works, "{reference:?}");
        }
    }

    #[test]
    fn short_names_are_reported_in_full() {
        for (reference, full) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("nginx:1.27", "docker.io/library/nginx:1.27"),
            ("argoproj/rollouts-demo:blue", "docker.io/argoproj/rollouts-demo:blue"),
            ("localhost:5000/app", "localhost:5000/app:latest"),
            ("quay.io/x/y:z", "quay.io/x/y:z"),
        ] {
            assert_eq!(full_name(reference), full);
        }
    }

    #[test]
    fn one_reference_has_one_content_address() {
        let id = image_id("nginx");
        assert!(id.starts_with("docker.io/library/nginx@sha256:"), "{id}");
        assert_eq!(id, image_id("docker.io/library/nginx:latest"));
        assert_ne!(id, image_id("nginx:1.27"));
    }
}
