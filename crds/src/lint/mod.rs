//! Every mistake in a file of manifests, with the line that it is on.
//!
//! Lint reads what a user is about to apply, so it says more than the controller would: fields that nothing reads,
//! keys that are written twice, and references that don't hold between the objects of one file. Objects of other
//! kinds are passed over.

mod kinds;
mod neighbours;
mod object;
mod scalar;
mod yaml;

use crate::analysis::Metric;
use crate::mistake::{FieldPath, Mistake, Pictured};

pub use object::ObjectName;
pub use yaml::Place;

use object::Object;

/// What was found in one text.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many objects of Sluice's kinds were looked at.
    pub objects: usize,
    /// The mistakes, in the order of the text.
    pub findings: Vec<Finding>,
}

/// A mistake and where it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where the field is written, or the nearest one above it that is.
    pub place: Place,
    /// The object in which it is; `None` where the text could not be read that far.
    pub object: Option<ObjectName>,
    /// The mistake.
    pub mistake: Mistake,
    /// The text and a caret below the place in it, where that says more than words.
    pub picture: Option<String>,
}

/// What else is wrong with the metrics of a template or a run, with paths from the object: the door for whoever
/// understands conditions and queries.
pub type CheckMetrics<'c> = &'c dyn Fn(&[Metric]) -> Vec<Pictured>;

/// The largest text that is looked at, in bytes. A file of manifests has kilobytes.
const LARGEST: usize = 64 * 1024 * 1024;

/// Looks through a text of YAML or JSON documents.
///
/// ```
/// let report = sluice_crds::lint::lint(b"apiVersion: argoproj.io/v1alpha1\nkind: Rolout\n");
/// let finding = &report.findings[0];
/// assert_eq!(finding.place.line, 2);
/// assert_eq!(finding.mistake.to_string(), r#"kind: "Rolout" is not a kind of argoproj.io/v1alpha1; did you mean Rollout?"#);
/// ```
pub fn lint(bytes: &[u8]) -> Report {
    lint_with(bytes, &|_| Vec::new())
}

/// As [`lint`], with what `check_metrics` finds besides. What it says about a field counts more than what is said here.
pub fn lint_with(bytes: &[u8], check_metrics: CheckMetrics<'_>) -> Report {
    if bytes.len() > LARGEST {
        let problem = format!("has {} bytes, and {LARGEST} are read", bytes.len());
        return Report::of_unreadable(Place { line: 1, column: 1 }, problem, "lint the manifests alone");
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
            let place = Place { line, column: 1 };
            return Report::of_unreadable(place, "is not UTF-8".to_owned(), "save the file as UTF-8");
        }
    };
    let mut report = Report::default();
    let mut objects = Vec::new();
    for document in yaml::read(text) {
        look_at(document, check_metrics, &mut objects, &mut report);
    }
    report.findings.extend(neighbours::check(&objects));
    report.findings.sort();
    report.findings.dedup();
    report
}

impl Report {
    fn of_unreadable(place: Place, problem: String, mend: &str) -> Report {
        let mistake = Mistake::about(FieldPath::root(), problem, mend);
        Report { objects: 0, findings: vec![Finding { place, object: None, mistake, picture: None }] }
    }
}

/// One document: its objects are kept for their neighbours' sake, what is wrong with them goes into the report.
fn look_at(document: yaml::Document, check_metrics: CheckMetrics<'_>, objects: &mut Vec<Object>, report: &mut Report) {
    let yaml::Document { start, root, mistakes } = document;
    let Some(root) = root else {
        let unread =
            mistakes.into_iter().map(|(place, mistake)| Finding { place, object: None, mistake, picture: None });
        report.findings.extend(unread);
        return;
    };
    let first = objects.len();
    for mut object in object::objects_of(&root, start) {
        let found = kinds::check(&mut object, check_metrics);
        report.findings.extend(
            found.into_iter().map(|Pictured { mistake, picture }| Finding { picture, ..object.finding(mistake) }),
        );
        objects.push(object);
    }
    let objects = &objects[first..];
    report.objects += objects.iter().filter(|object| object.is_ours).count();
    // What is written twice in other people's objects is not ours to judge.
    for (place, mistake) in mistakes {
        let object = objects.iter().find(|object| object.holds(&mistake.path));
        if let Some(object) = object.filter(|object| object.is_ours) {
            report.findings.push(Finding { place, object: Some(object.name.clone()), mistake, picture: None });
        }
    }
}
