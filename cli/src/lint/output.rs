//! The mistakes as people and as tools read them.

use std::fmt::Write;

use serde_json::{Value, json};
use sluice_crds::lint::{Finding, Report};

use super::Source;

/// Everything that was linted.
#[derive(Default)]
pub(super) struct Linted {
    files: usize,
    objects: usize,
    findings: Vec<(String, Finding)>,
}

impl Linted {
    pub(super) fn add(&mut self, source: &Source, report: Report) {
        self.files += 1;
        self.objects += report.objects;
        self.findings.extend(report.findings.into_iter().map(|finding| (source.name(), finding)));
    }

    pub(super) fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// Each mistake, with the file that it is in.
    pub(super) fn findings(&self) -> &[(String, Finding)] {
        &self.findings
    }

    /// One line a mistake, with a picture below where there is one, in the form that editors and terminals turn into links, and the sum below.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (file, Finding { place, object, mistake, picture }) in &self.findings {
            let object = object.as_ref().map(|object| format!("{object}: ")).unwrap_or_default();
            let _ = writeln!(text, "{file}:{}:{}: {object}{mistake}", place.line, place.column);
            if let Some(picture) = picture {
                let _ = writeln!(text, "{picture}");
            }
        }
        let files = counted(self.files, "file");
        let objects = counted(self.objects, "object");
        let mistakes = match self.findings.len() {
            0 => "no mistakes".to_owned(),
            count => counted(count, "mistake"),
        };
        let _ = writeln!(text, "{files}, {objects}: {mistakes}");
        text
    }

    pub(super) fn json(&self) -> String {
        let mistakes: Vec<Value> = self.findings.iter().map(|(file, finding)| mistake(file, finding)).collect();
        let all = json!({ "files": self.files, "objects": self.objects, "mistakes": mistakes });
        format!("{all:#}\n")
    }
}

fn mistake(file: &str, Finding { place, object, mistake, picture }: &Finding) -> Value {
    let mut entry = json!({
        "file": file,
        "line": place.line,
        "column": place.column,
        "path": mistake.path.to_string(),
        "problem": mistake.problem,
        "mend": mistake.mend,
    });
    if let Some(picture) = picture {
        entry["picture"] = picture.as_str().into();
    }
    if let Some(object) = object {
        entry["kind"] = object.kind.as_str().into();
        entry["namespace"] = object.namespace.as_str().into();
        entry["name"] = object.name.as_str().into();
    }
    if let Some(value) = &mistake.value {
        entry["value"] = value.as_str().into();
    }
    entry
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
