//! `cargo xtask wire-fields`: the sandbox's table of protobuf field numbers, taken from the Kubernetes Go modules.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Value, json};

/// Messages that are read in a way of their own, so that their fields don't matter.
const SPECIAL: &[&str] = &["Quantity", "IntOrString", "Time", "MicroTime", "Duration", "RawExtension", "FieldsV1"];

/// Modules and the folders in them that define the messages of built-in kinds.
const SOURCES: &[(&str, &[&str])] = &[
    (
        "k8s.io/api",
        &[
            "apps/v1",
            "authentication/v1",
            "authorization/v1",
            "autoscaling/v1",
            "autoscaling/v2",
            "batch/v1",
            "coordination/v1",
            "core/v1",
            "discovery/v1",
            "events/v1",
            "networking/v1",
            "policy/v1",
            "rbac/v1",
        ],
    ),
    ("k8s.io/apimachinery", &["pkg/apis/meta/v1"]),
];

/// Regenerate sandbox/src/api/wire_fields.json from the protobuf definitions of the Kubernetes Go modules (1 s).
///
/// The modules must be in Go's module cache; `cargo xtask control-plane build` puts them there.
#[derive(Args)]
pub(crate) struct WireFields {
    /// The version of the Go modules.
    #[arg(long, default_value = "v0.36.2")]
    version: String,
    /// Where to write.
    #[arg(long, default_value = "sandbox/src/api/wire_fields.json")]
    out: PathBuf,
}

impl WireFields {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let cache = module_cache()?;
        let mut messages = BTreeMap::new();
        for (module, folders) in SOURCES {
            for folder in *folders {
                let path = cache.join(format!("{module}@{}", self.version)).join(folder).join("generated.proto");
                read(&path, &mut messages)?;
            }
        }
        // One message a line, so that a change of version shows what changed.
        let lines: Vec<String> =
            messages.iter().map(|(name, fields)| format!("{}: {fields}", Value::from(name.as_str()))).collect();
        let table = format!("{{\n{}\n}}\n", lines.join(",\n"));
        std::fs::write(&self.out, table).with_context(|| format!("writing {}", self.out.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn module_cache() -> Result<PathBuf> {
    let output = Command::new("go").args(["env", "GOMODCACHE"]).output().context("running go")?;
    let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() || path.is_empty() {
        bail!("go env GOMODCACHE says nothing");
    }
    Ok(PathBuf::from(path))
}

/// Reads the messages of one file: `core.v1.Pod` → `{"1": "metadata meta.v1.ObjectMeta", …}`.
fn read(path: &Path, messages: &mut BTreeMap<String, Value>) -> Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let mut package = String::new();
    let mut message: Option<(String, BTreeMap<u32, String>)> = None;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("package ") {
            package = short(name.trim_end_matches(';'));
        } else if let Some(name) = line.strip_prefix("message ").and_then(|rest| rest.strip_suffix(" {")) {
            message = Some((name.to_owned(), BTreeMap::new()));
        } else if line == "}" {
            if let Some((name, fields)) = message.take()
                && !SPECIAL.contains(&name.as_str())
            {
                let fields: BTreeMap<String, String> =
                    fields.into_iter().map(|(number, field)| (number.to_string(), field)).collect();
                messages.insert(format!("{package}.{name}"), json!(fields));
            }
        } else if let (Some((_, fields)), Some((number, field))) = (&mut message, field(line, &package)) {
            fields.insert(number, field);
        }
    }
    Ok(())
}

/// One field: `repeated Container containers = 2;` → `(2, "containers []core.v1.Container")`.
fn field(line: &str, package: &str) -> Option<(u32, String)> {
    let (declared, rest) = line.strip_suffix(';')?.split_once(" = ")?;
    let number = rest.split_whitespace().next()?.parse().ok()?;
    let (declared, name) = declared.rsplit_once(' ')?;
    let kind = if let Some(entry) = declared.strip_prefix("map<string, ").and_then(|rest| rest.strip_suffix('>')) {
        format!("{{}}{}", message_type(entry, package))
    } else if let Some(item) = declared.strip_prefix("repeated ") {
        format!("[]{}", message_type(item, package))
    } else {
        message_type(declared.strip_prefix("optional ")?, package)
    };
    Some((number, format!("{name} {kind}")))
}

fn message_type(written: &str, package: &str) -> String {
    match written {
        "string" | "bytes" | "int32" | "int64" | "uint32" | "bool" | "double" => written.to_owned(),
        full if full.starts_with('.') => {
            let (package, name) = full.trim_start_matches('.').rsplit_once('.').unwrap_or(("", full));
            format!("{}.{name}", short(package))
        }
        local => format!("{package}.{local}"),
    }
}

/// `k8s.io.api.core.v1` → `core.v1`.
fn short(package: &str) -> String {
    let parts: Vec<&str> = package.split('.').collect();
    parts[parts.len().saturating_sub(2)..].join(".")
}
