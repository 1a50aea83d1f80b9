//! Things that are costly to build are kept outside the checkout, on shelves, under the key of what they
//! were built from. Two commands that need the same thing at the same time build it once.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};

/// How many keys of a shelf are kept: enough to go back and forth between two branches.
const KEPT_KEYS: usize = 2;

const USED: &str = "last-used";

/// `$XDG_CACHE_HOME/sluice`, or `~/.cache/sluice`.
pub(crate) fn folder() -> Result<PathBuf> {
    let absolute = |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .context("neither XDG_CACHE_HOME nor HOME is an absolute path: no place for the cache")?;
    Ok(cache.join("sluice"))
}

/// A lock among processes. It ends with the value, or with the process.
pub(crate) struct Lock {
    _file: File,
}

/// Waits for the lock, and says so when it has to wait.
pub(crate) fn lock(file: &Path, reason: &str) -> Result<Lock> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let opened = File::create(file).with_context(|| format!("opening {}", file.display()))?;
    match opened.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            eprintln!("  waiting: another command is {reason}");
            opened.lock().with_context(|| format!("locking {}", file.display()))?;
        }
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("locking {}", file.display()));
        }
    }
    Ok(Lock { _file: opened })
}

/// The folder of the thing with this key; `build` fills it when it is not there yet.
pub(crate) fn keep(shelf: &Path, key: &str, doing: &str, build: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let _lock = lock(&shelf.join("lock"), doing)?;
    let kept = shelf.join(key);
    if !kept.is_dir() {
        let unfinished = shelf.join(format!("{key}.unfinished"));
        remove(&unfinished)?;
        std::fs::create_dir_all(&unfinished).with_context(|| format!("making {}", unfinished.display()))?;
        build(&unfinished)?;
        // The folder appears whole or not at all.
        std::fs::rename(&unfinished, &kept).with_context(|| format!("moving into {}", kept.display()))?;
    }
    std::fs::write(kept.join(USED), "")?;
    forget_old_keys(shelf)?;
    Ok(kept)
}

fn forget_old_keys(shelf: &Path) -> Result<()> {
    let mut keys: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(shelf)? {
        let path = entry?.path();
        if let Ok(used) = std::fs::metadata(path.join(USED)).and_then(|used| used.modified()) {
            keys.push((used, path));
        }
    }
    keys.sort();
    keys.reverse();
    for (_, old) in keys.into_iter().skip(KEPT_KEYS) {
        remove(&old)?;
    }
    Ok(())
}

/// Removes a folder that may not be there.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// A short name for these contents: FNV-1a, which is the same in every build and on every machine.
pub(crate) fn key_of(contents: &BTreeMap<String, Vec<u8>>) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut feed = |bytes: &[u8]| {
        for byte in (bytes.len() as u64).to_le_bytes().iter().chain(bytes) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    for (name, bytes) in contents {
        feed(name.as_bytes());
        feed(bytes);
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(test: &str) -> PathBuf {
        let shelf = std::env::temp_dir().join(format!("xtask-cache-{test}-{}", std::process::id()));
        remove(&shelf).unwrap();
        shelf
    }

    fn contents(files: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
        files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn a_key_changes_with_name_and_content_of_any_file() {
        let key = key_of(&contents(&[("a.go", "x"), ("go.mod", "y")]));
        assert_eq!(key, key_of(&contents(&[("go.mod", "y"), ("a.go", "x")])));
        for other in [
            contents(&[("a.go", "X"), ("go.mod", "y")]),
            contents(&[("b.go", "x"), ("go.mod", "y")]),
            contents(&[("a.go", "x")]),
            contents(&[("a.go", "xgo.mod"), ("", "y")]),
        ] {
            assert_ne!(key, key_of(&other));
        }
    }

    #[test]
    fn a_thing_is_built_once_and_a_failed_build_leaves_nothing_behind() {
        let shelf = shelf("once");
        let failed = keep(&shelf, "k1", "testing", |folder| {
            std::fs::write(folder.join("half"), "")?;
            anyhow::bail!("no compiler")
        });
        assert_eq!(failed.unwrap_err().to_string(), "no compiler");
        let built = keep(&shelf, "k1", "testing", |folder| Ok(std::fs::write(folder.join("binary"), "1")?)).unwrap();
        assert!(built.join("binary").is_file() && !built.join("half").exists());
        let again = keep(&shelf, "k1", "testing", |_| anyhow::bail!("must not build again")).unwrap();
        assert_eq!(built, again);
        remove(&shelf).unwrap();
    }

    #[test]
    fn only_the_two_keys_used_last_are_kept() {
        let shelf = shelf("prune");
        for (minute, key) in ["k1", "k2", "k3"].into_iter().enumerate() {
            let kept = keep(&shelf, key, "testing", |_| Ok(())).unwrap();
            let used = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(60 * minute as u64);
            File::options().write(true).open(kept.join(USED)).unwrap().set_modified(used).unwrap();
        }
        keep(&shelf, "k4", "testing", |_| Ok(())).unwrap();
        let kept: Vec<bool> = ["k1", "k2", "k3", "k4"].iter().map(|key| shelf.join(key).exists()).collect();
        assert_eq!(kept, [false, false, true, true]);
        remove(&shelf).unwrap();
    }
}
