//! What `-f` names: files, directories, standard input, addresses.

mod address;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Something to lint.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Source {
    StandardInput,
    File(PathBuf),
    /// `http://` or `https://`
    Address(String),
}

impl Source {
    /// What it is called in the output.
    pub(crate) fn name(&self) -> String {
        match self {
            Source::StandardInput => "<stdin>".to_owned(),
            Source::File(path) => path.display().to_string(),
            Source::Address(url) => url.clone(),
        }
    }

    pub(crate) fn read(&self) -> anyhow::Result<Vec<u8>> {
        match self {
            Source::StandardInput => {
                let mut bytes = Vec::new();
                std::io::stdin().lock().read_to_end(&mut bytes).context("can't read standard input")?;
                Ok(bytes)
            }
            Source::File(path) => fs::read(path).with_context(|| format!("can't read {}", path.display())),
            Source::Address(url) => address::read(url).with_context(|| format!("can't read {url}")),
        }
    }
}

/// The sources in the order in which they were named; those of a directory by name.
pub(crate) fn find(names: &[String]) -> anyhow::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for name in names {
        if name == "-" {
            sources.push(Source::StandardInput);
            continue;
        }
        if name.starts_with("http://") || name.starts_with("https://") {
            sources.push(Source::Address(name.clone()));
            continue;
        }
        let path = PathBuf::from(name);
        let kind = fs::metadata(&path).with_context(|| format!("can't read {name}"))?;
        if !kind.is_dir() {
            sources.push(Source::File(path));
            continue;
        }
        let before = sources.len();
        look_through(&path, &mut sources)?;
        if sources.len() == before {
            bail!("no .yaml, .yml or .json file in {name}");
        }
    }
    Ok(sources)
}

/// Hidden directories hold tools' own things, and a symbolic link to a directory may lead in a circle: both are
/// passed over.
fn look_through(directory: &Path, sources: &mut Vec<Source>) -> anyhow::Result<()> {
    let entries = fs::read_dir(directory).with_context(|| format!("can't read {}", directory.display()))?;
    let mut entries = entries.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                look_through(&path, sources)?;
            }
        } else if is_manifest(&path) && path.is_file() {
            sources.push(Source::File(path));
        }
    }
    Ok(())
}

fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("yaml" | "yml" | "json"))
}
