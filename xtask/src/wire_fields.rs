//! The sandbox's table of protobuf field numbers, taken from the Kubernetes Go modules.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::control_plane_tools::Module;
use crate::process;

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

/// The table as it is checked in.
pub(crate) fn table(module: &Module) -> Result<String> {
    let mut messages = BTreeMap::new();
    for (name, folders) in SOURCES {
        let sources = sources_of(name, module)?;
        for folder in *folders {
            read(&sources.join(folder).join("generated.proto"), &mut messages)?;
        }
    }
    // One message a line, so that a change of version shows what changed.
    let lines: Vec<String> =
        messages.iter().map(|(name, fields)| format!("{}: {fields}", Value::from(name.as_str()))).collect();
    Ok(format!("{{\n{}\n}}\n", lines.join(",\n")))
}

/// Where Go keeps a module that the control plane is built from.
fn sources_of(name: &str, module: &Module) -> Result<PathBuf> {
    process::answer_of(module.go(["mod", "download", name]))?;
    Ok(process::answer_of(module.go(["list", "-m", "-f", "{{.Dir}}", name]))?.into())
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
