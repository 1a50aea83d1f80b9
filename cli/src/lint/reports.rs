//! The mistakes as code hosts show them beside the lines.

use serde_json::{Value, json};
use sluice_crds::lint::Finding;

/// <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>
pub(super) fn sarif(findings: &[(String, Finding)]) -> String {
    let result = |(file, finding): &(String, Finding)| {
        json!({
            "ruleId": "manifest",
            "level": "error",
            "message": {"text": sentence(finding)},
            "locations": [{"physicalLocation": {
                "artifactLocation": {"uri": file},
                "region": {"startLine": finding.place.line, "startColumn": finding.place.column},
            }}],
        })
    };
    let results: Vec<Value> = findings.iter().map(result).collect();
    let rule = json!({"id": "manifest", "shortDescription": {"text": "A mistake in a manifest"}});
    let driver = json!({"name": "sluice", "version": env!("CARGO_PKG_VERSION"), "rules": [rule]});
    let all = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    });
    format!("{all:#}\n")
}

/// <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>
pub(super) fn github(findings: &[(String, Finding)]) -> String {
    let line = |(file, finding): &(String, Finding)| {
        let (line, column) = (finding.place.line, finding.place.column);
        let file = escaped(file).replace(':', "%3A").replace(',', "%2C");
        format!("::error file={file},line={line},col={column},title=sluice lint::{}\n", escaped(&sentence(finding)))
    };
    findings.iter().map(line).collect()
}

fn sentence(Finding { object, mistake, picture, .. }: &Finding) -> String {
    let object = object.as_ref().map(|object| format!("{object}: ")).unwrap_or_default();
    let picture = picture.as_ref().map(|picture| format!("\n{picture}")).unwrap_or_default();
    format!("{object}{mistake}{picture}")
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}
