//! The form that a schema asks of a document: which fields there are, what each holds, which must be there.
//!
//! The schemas that we publish are the source, so that lint, the controller and an API server that has our CRDs
//! installed ask for the same. What the published schemas leave open because they must accept every Kubernetes
//! version (pod templates, Job specs, metadata) is filled in from the Kubernetes types that this build knows.

mod check;
mod compile;
mod kinds;
mod quiet;
mod unknown;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub(crate) use check::{NOT_TEXT, either};
pub(super) use check::{check, check_kubernetes};
pub(super) use kinds::{
    analysis_run, analysis_template, cluster_analysis_template, experiment, gateway_api, job_spec, pod_template,
    rollout,
};
pub(super) use quiet::quieted;
pub use unknown::distance;

/// What a value has to look like.
#[derive(Clone, Debug)]
pub struct Form {
    holds: Holds,
    /// Whether `null` may be written for it and means something.
    nullable: bool,
}

#[derive(Clone, Debug)]
enum Holds {
    /// Whatever is written is kept.
    Any,
    Text(Text),
    Whole(Whole),
    Number,
    YesNo,
    /// A whole number or a text, as in `maxSurge: 1` and `maxSurge: 25%`.
    WholeOrText,
    /// Any number or a text, as in `cpu: 0.5` and `cpu: 500m`.
    Quantity,
    List(Box<Form>),
    Fields(Fields),
}

#[derive(Clone, Debug, Default)]
struct Text {
    /// The only values that are known, if they are counted.
    known: Vec<String>,
    /// Whether it has to be a point in time.
    time: bool,
}

/// The bounds of a whole number, both included.
#[derive(Clone, Copy, Debug)]
struct Whole {
    least: i64,
    most: i64,
}

#[derive(Clone, Debug, Default)]
struct Fields {
    known: BTreeMap<String, Form>,
    required: Vec<String>,
    others: Others,
}

/// What to make of a field that is not in the list.
#[derive(Clone, Debug, Default)]
enum Others {
    /// Nobody reads it.
    #[default]
    Unknown,
    /// It is kept as it is.
    Kept,
    /// It is an entry of a map, and all entries look alike.
    Entries(Box<Form>),
}

impl Form {
    fn any() -> Form {
        Form { holds: Holds::Any, nullable: true }
    }

    /// The form of a field; of a list, that of its items' field.
    fn field(&mut self, name: &str) -> Option<&mut Form> {
        match &mut self.holds {
            Holds::Fields(fields) => fields.known.get_mut(name),
            Holds::List(item) => item.field(name),
            _ => None,
        }
    }

    /// The least that satisfies the form. It stands in for what could not be read, so that the rest of the
    /// document still can.
    fn blank(&self) -> Value {
        match &self.holds {
            Holds::Any => Value::Null,
            Holds::Text(Text { time: true, .. }) => Value::from("1970-01-01T00:00:00Z"),
            Holds::Text(text) => Value::from(text.known.first().map_or("", String::as_str)),
            Holds::Whole(whole) => Value::from(0.clamp(whole.least, whole.most)),
            Holds::Number | Holds::WholeOrText | Holds::Quantity => Value::from(0),
            Holds::YesNo => Value::from(false),
            Holds::List(_) => Value::Array(Vec::new()),
            Holds::Fields(fields) => {
                let blanks = fields.required.iter().filter_map(|name| {
                    let form = fields.known.get(name)?;
                    Some((name.clone(), form.blank()))
                });
                Value::Object(blanks.collect::<Map<String, Value>>())
            }
        }
    }
}
