//! Environment variables and where their values come from.

use crate::mistake::Mistake;
use crate::validate::form::either;
use crate::validate::names::VARIABLE_NAME;
use crate::validate::raw::Raw;

const VALUE_SOURCES: &[&str] = &["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];

pub(super) fn check(container: &Raw<'_>, found: &mut Vec<Mistake>) {
    for variable in container.items("env") {
        let path = variable.path.field("name");
        match variable.text("name") {
            None => found.push(Mistake::missing(path, "is required", "name the variable")),
            Some(name) if super::is_settled(name) => found.extend(VARIABLE_NAME.broken_by(&path, name)),
            Some(_) => {}
        }
        if let Some(source) = variable.field("valueFrom") {
            if variable.text("value").is_some() {
                let path = variable.path.clone();
                found.push(Mistake::about(path, "has both value and valueFrom", "keep one of the two"));
            }
            check_source(&source, found);
        }
    }
    for source in container.items("envFrom") {
        let set = source.set_among(&["configMapRef", "secretRef"]);
        match set.as_slice() {
            [only] => {
                let reference = source.field(only);
                if reference.as_ref().is_some_and(|reference| reference.text("name").is_none()) {
                    let path = source.path.field(*only).field("name");
                    found.push(Mistake::missing(path, "is required", "name the object"));
                }
            }
            [] => found.push(Mistake::missing(source.path, "names no source", "write configMapRef or secretRef")),
            _ => found.push(Mistake::about(
                source.path,
                "names two sources",
                "keep one, and write the other as an item of its own",
            )),
        }
    }
}

fn check_source(source: &Raw<'_>, found: &mut Vec<Mistake>) {
    let set = source.set_among(VALUE_SOURCES);
    match set.as_slice() {
        [] => {
            // A newer Kubernetes may know another source; its name is an unknown field already.
            if source.value.as_object().is_some_and(serde_json::Map::is_empty) {
                let mend = format!("write {}", either(VALUE_SOURCES));
                found.push(Mistake::missing(source.path.clone(), "names no source", mend));
            }
        }
        [only @ ("configMapKeyRef" | "secretKeyRef")] => {
            let Some(reference) = source.field(only) else {
                return;
            };
            for (field, mend) in [("name", "name the object"), ("key", "name the key in it")] {
                if reference.text(field).is_none() {
                    found.push(Mistake::missing(reference.path.field(field), "is required", mend));
                }
            }
        }
        [_] => {}
        _ => {
            let problem = format!("names {}", either(&set).replace(" or ", " and "));
            found.push(Mistake::about(source.path.clone(), problem, "keep one of them"));
        }
    }
}
