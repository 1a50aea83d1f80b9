//! The files that matter to probes: those that a container's own script touches and removes.

use std::collections::BTreeSet;

use jiff::SignedDuration;

/// One file appears or vanishes at an offset from the start of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileChange {
    pub(super) offset: SignedDuration,
    pub(super) path: String,
    pub(super) exists: bool,
}

/// Which touched files are there at one moment. What nobody touched does not exist, except what every image has.
#[derive(Clone, Debug, Default)]
pub(super) struct Files(BTreeSet<String>);

impl Files {
    pub(super) fn after(changes: &[FileChange], offset: SignedDuration) -> Self {
        let mut files = Self::default();
        for change in changes.iter().filter(|change| change.offset <= offset) {
            files.set(&change.path, change.exists);
        }
        files
    }

    pub(super) fn set(&mut self, path: &str, exists: bool) {
        if exists {
            self.0.insert(path.to_owned());
        } else {
            self.0.remove(path);
        }
    }

    pub(super) fn exists(&self, path: &str) -> bool {
        const IN_EVERY_IMAGE: [&str; 7] = ["/bin/", "/dev/", "/etc/", "/lib/", "/proc/", "/sys/", "/usr/"];
        self.0.contains(path) || IN_EVERY_IMAGE.iter().any(|folder| path.starts_with(folder))
    }
}
