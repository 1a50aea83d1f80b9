//! Lifecycle hooks: how long one takes and whether it fails.

use jiff::SignedDuration;
use serde_json::Value;

use super::files::Files;
use super::program::cannot_start;
use super::read::{whole, words};
use super::shell::{Shell, Unknown};
use super::time::{NO_TIME, seconds};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hook {
    /// `None` never ends.
    pub(super) takes: Option<SignedDuration>,
    pub(super) fails: bool,
}

/// The handler at `lifecycle.postStart` or `lifecycle.preStop`. HTTP handlers are answered at once.
pub(super) fn at(container: &Value, pointer: &str) -> Option<Hook> {
    let handler = container.pointer(pointer)?;
    if let Some(span) = whole(handler, "/sleep/seconds") {
        return Some(Hook { takes: Some(seconds(span)), fails: false });
    }
    let argv = words(handler, "/exec/command");
    if cannot_start(&argv).is_some() {
        return Some(Hook { takes: Some(NO_TIME), fails: true });
    }
    let end = Shell::new(Files::default(), Unknown::SucceedsAtOnce).run(&argv);
    Some(Hook { takes: end.map(|(after, _)| after), fails: end.is_some_and(|(_, code)| code != 0) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_hook_takes_as_long_as_it_says() {
        for (handler, takes, fails) in [
            (json!({"sleep": {"seconds": 5}}), Some(5), false),
            (json!({"exec": {"command": ["sleep", "7"]}}), Some(7), false),
            (json!({"exec": {"command": ["sh", "-c", "sleep 2 && exit 1"]}}), Some(2), true),
            (json!({"exec": {"command": ["/app/drain"]}}), Some(0), false),
            (json!({"exec": {"command": ["no-such-program"]}}), Some(0), true),
            (json!({"exec": {"command": ["sleep", "infinity"]}}), None, false),
            (json!({"httpGet": {"path": "/drain", "port": 80}}), Some(0), false),
        ] {
            let container = json!({"lifecycle": {"preStop": handler}});
            let expected = Hook { takes: takes.map(SignedDuration::from_secs), fails };
            assert_eq!(at(&container, "/lifecycle/preStop"), Some(expected), "{container}");
        }
        assert_eq!(at(&json!({}), "/lifecycle/preStop"), None);
    }
}
