//! Which names stand for something that does not exist. The model has no registry and no file system to look
//! into, so a manifest says it by the name; the words are those that people write into such manifests anyway.

const WORDS: [&str; 9] = [
    "does-not-exist",
    "doesnotexist",
    "doesnt-exist",
    "no-such",
    "nonexistent",
    "non-existent",
    "not-found",
    "notfound",
    "missing",
];

/// True for an image reference or a program whose name says that there is no such thing.
pub(super) fn says_absent(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    WORDS.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::says_absent;

    #[test]
    fn a_name_tells_whether_the_thing_exists() {
        for (name, absent) in [
            ("nginx:1.27", false),
            ("argoproj/rollouts-demo:bad-red", false),
            ("nginx:does-not-exist", true),
            ("no-such-registry.example/app:1", true),
            ("registry.example/app:missing", true),
            ("/bin/no_such_program", true),
            ("/bin/sh", false),
            ("", false),
        ] {
            assert_eq!(says_absent(name), absent, "{name}");
        }
    }
}
