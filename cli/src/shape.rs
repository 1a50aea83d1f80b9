//! `-o`: objects as JSON, YAML, names, or the parts that a path names.

use serde_json::{Value, json};
use sluice_analysis::provider::json_path::JsonPath;

use crate::cluster::{Kind, Problem};
use crate::print;
use crate::view::text::{Cell, Style, joined, table};

/// How objects are printed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// The page or the rows, with all columns.
    Wide,
    Json,
    Yaml,
    Name,
    JsonPath(Vec<Part>),
    Columns(Vec<(String, JsonPath)>),
}

/// A part of a JSONPath template.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    Text(String),
    Path(JsonPath),
    Range(JsonPath, Vec<Part>),
}

/// Reads the value of `-o`.
pub(crate) fn shape(text: &str) -> Result<Shape, String> {
    match text.split_once('=') {
        None if matches!(text, "wide" | "tree") => Ok(Shape::Wide),
        None if text == "json" => Ok(Shape::Json),
        None if text == "yaml" => Ok(Shape::Yaml),
        None if text == "name" => Ok(Shape::Name),
        Some(("jsonpath", template)) => Ok(Shape::JsonPath(template_of(template)?)),
        Some(("custom-columns", columns)) => {
            columns.split(',').map(column).collect::<Result<_, _>>().map(Shape::Columns)
        }
        _ => {
            Err("write wide, json, yaml, name, jsonpath={.status.phase} or custom-columns=NAME:.metadata.name"
                .to_owned())
        }
    }
}

fn column(text: &str) -> Result<(String, JsonPath), String> {
    let (header, path) =
        text.split_once(':').ok_or_else(|| format!("{text:?} is no column; write NAME:.metadata.name"))?;
    Ok((header.to_owned(), read(path)?))
}

fn read(path: &str) -> Result<JsonPath, String> {
    JsonPath::read(path).map_err(|problem| format!("{path:?} {problem}"))
}

fn template_of(template: &str) -> Result<Vec<Part>, String> {
    let mut open: Vec<(JsonPath, Vec<Part>)> = Vec::new();
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        let (text, behind) = rest.split_at(start);
        let end = behind.find('}').ok_or_else(|| format!("{behind:?} is never closed; write a }}"))?;
        let inside = behind[1..end].trim();
        if !text.is_empty() {
            parts.push(Part::Text(text.to_owned()));
        }
        if let Some(path) = inside.strip_prefix("range ") {
            open.push((read(path.trim())?, std::mem::take(&mut parts)));
        } else if inside == "end" {
            let (path, before) = open.pop().ok_or("{end} has no {range}; take one of them out or put the other in")?;
            let within = std::mem::replace(&mut parts, before);
            parts.push(Part::Range(path, within));
        } else if let Some(quoted) = inside.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
            parts.push(Part::Text(quoted.replace("\\n", "\n").replace("\\t", "\t")));
        } else {
            parts.push(Part::Path(read(inside)?));
        }
        rest = &behind[end + 1..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    if open.is_empty() { Ok(parts) } else { Err("{range} is never ended; write {end}".to_owned()) }
}

fn filled(parts: &[Part], object: &Value) -> Result<String, String> {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(words) => text.push_str(words),
            Part::Path(path) => text.push_str(&words(&path.all(object)?, " ")),
            Part::Range(path, within) => {
                for one in path.all(object)? {
                    text.push_str(&filled(within, one)?);
                }
            }
        }
    }
    Ok(text)
}

fn words(values: &[&Value], between: &str) -> String {
    let word = |value: &&Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    values.iter().map(word).collect::<Vec<_>>().join(between)
}

impl Shape {
    /// Prints one object; nothing where a page is wanted.
    pub(crate) fn print_one(&self, kind: Kind, object: &Value) -> Option<Result<(), Problem>> {
        self.print(kind, object, std::slice::from_ref(object))
    }

    /// Prints a list; nothing where rows are wanted.
    pub(crate) fn print_list(&self, kind: Kind, objects: &[Value]) -> Option<Result<(), Problem>> {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        self.print(kind, &list, objects)
    }

    fn print(&self, kind: Kind, whole: &Value, objects: &[Value]) -> Option<Result<(), Problem>> {
        let name = |object: &Value| kind.named(object["metadata"]["name"].as_str().unwrap_or_default()) + "\n";
        Some(match self {
            Self::Wide => return None,
            Self::Json => print::json(whole),
            Self::Yaml => print::yaml(whole),
            Self::Name => print::text(&objects.iter().map(name).collect::<String>()),
            Self::JsonPath(parts) => filled(parts, whole).map_err(Problem::new).and_then(|text| print::text(&text)),
            Self::Columns(columns) => {
                in_columns(columns, objects).map_err(Problem::new).and_then(|text| print::text(&text))
            }
        })
    }
}

fn in_columns(columns: &[(String, JsonPath)], objects: &[Value]) -> Result<String, String> {
    let mut rows = vec![columns.iter().map(|(header, _)| Cell::from(header.as_str())).collect()];
    for object in objects {
        let mut row = Vec::new();
        for (_, path) in columns {
            let there = words(&path.all(object)?, ",");
            row.push(Cell::from(if there.is_empty() { "<none>" } else { &there }));
        }
        rows.push(row);
    }
    Ok(joined(&table(rows), Style::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_filled_as_kubectl_fills_them() {
        let list = json!({"items": [{"name": "a", "n": 1}, {"name": "b", "n": {"x": true}}]});
        // (template → what is printed)
        let rows = [
            ("{.items[0].name}", "a"),
            ("{.items[*].name}", "a b"),
            (r#"{range .items[*]}{.name}={.n}{"\n"}{end}"#, "a=1\nb={\"x\":true}\n"),
            ("first: {.items[0].name}!", "first: a!"),
            ("{.nothing}", ""),
        ];
        for (template, expected) in rows {
            let Ok(Shape::JsonPath(parts)) = shape(&format!("jsonpath={template}")) else { panic!("{template}") };
            assert_eq!(filled(&parts, &list), Ok(expected.to_owned()), "{template}");
        }
    }

    #[test]
    fn columns_are_those_that_were_asked_for() {
        let Ok(Shape::Columns(columns)) = shape("custom-columns=NAME:.metadata.name,PHASE:.status.phase") else {
            panic!("columns")
        };
        let objects =
            [json!({"metadata": {"name": "shop"}, "status": {"phase": "Healthy"}}), json!({"metadata": {"name": "b"}})];
        assert_eq!(in_columns(&columns, &objects), Ok("NAME  PHASE\nshop  Healthy\nb     <none>\n".to_owned()));
    }

    #[test]
    fn what_is_no_output_is_refused_with_the_mend() {
        for wrong in
            ["xml", "jsonpath={.a", "jsonpath={range .a}", "jsonpath={end}", "custom-columns=NAME", "jsonpath={.a[}"]
        {
            assert!(shape(wrong).is_err_and(|problem| !problem.is_empty()), "{wrong}");
        }
    }
}
