//! In which form a client wants its answer.

use super::status::{Answer, Status};

/// The forms of objects and lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Plain,
    /// Rows and columns, for people.
    Table {
        v1: bool,
    },
    /// `metadata` only.
    PartialMetadata,
}

/// Whether an answer is JSON or YAML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Json,
    Yaml,
}

/// What discovery clients ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DiscoveryForm {
    Legacy,
    AggregatedV2,
    AggregatedV2Beta1,
}

/// One clause of an `Accept` header.
struct Clause<'a> {
    media_type: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

impl<'a> Clause<'a> {
    fn parameter(&self, name: &str) -> &'a str {
        self.parameters.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }
}

/// The clauses, best first: by `q`, then in the order in which they were sent.
fn clauses(accept: &str) -> Vec<Clause<'_>> {
    let mut clauses: Vec<(u32, Clause<'_>)> = accept
        .split(',')
        .filter_map(|clause| {
            let mut parts = clause.split(';').map(str::trim);
            let media_type = parts.next().filter(|media_type| !media_type.is_empty())?;
            let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
            let clause = Clause { media_type, parameters };
            let thousandths = thousandths(clause.parameter("q"));
            Some((thousandths, clause))
        })
        .collect();
    clauses.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
    clauses.into_iter().map(|(_, clause)| clause).collect()
}

/// `0.5` as 500; nothing said is 1.
fn thousandths(quality: &str) -> u32 {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    if quality.is_empty() || whole != "0" {
        return 1_000;
    }
    let padded: String = fraction.chars().chain("000".chars()).take(3).collect();
    padded.parse().unwrap_or(0)
}

fn encoding(media_type: &str) -> Option<Encoding> {
    match media_type {
        "application/json" | "application/*" | "*/*" => Some(Encoding::Json),
        "application/yaml" => Some(Encoding::Yaml),
        _ => None,
    }
}

const MEDIA_TYPES: &[&str] = &["application/json", "application/yaml"];

/// The form of an object or a list; an empty header accepts everything.
pub(crate) fn objects(accept: Option<&str>) -> Answer<(Form, Encoding)> {
    let accept = accept.unwrap_or("").trim();
    if accept.is_empty() {
        return Ok((Form::Plain, Encoding::Json));
    }
    for clause in clauses(accept) {
        let Some(encoding) = encoding(clause.media_type) else {
            continue;
        };
        let meta_group = matches!(clause.parameter("g"), "" | "meta.k8s.io");
        let form = match (clause.parameter("as"), clause.parameter("v")) {
            ("", _) => Form::Plain,
            ("Table", "v1") if meta_group => Form::Table { v1: true },
            ("Table", "v1beta1") if meta_group => Form::Table { v1: false },
            ("PartialObjectMetadata" | "PartialObjectMetadataList", "v1" | "v1beta1") if meta_group => {
                Form::PartialMetadata
            }
            _ => continue,
        };
        return Ok((form, encoding));
    }
    Err(Status::not_acceptable(MEDIA_TYPES))
}

/// The form of the answer at `/api` and `/apis`.
pub(crate) fn discovery(accept: Option<&str>) -> Answer<DiscoveryForm> {
    let accept = accept.unwrap_or("").trim();
    if accept.is_empty() {
        return Ok(DiscoveryForm::Legacy);
    }
    for clause in clauses(accept) {
        if encoding(clause.media_type).is_none() {
            continue;
        }
        let aggregated =
            clause.parameter("g") == "apidiscovery.k8s.io" && clause.parameter("as") == "APIGroupDiscoveryList";
        match (clause.parameter("as"), clause.parameter("v")) {
            ("", _) => return Ok(DiscoveryForm::Legacy),
            (_, "v2") if aggregated => return Ok(DiscoveryForm::AggregatedV2),
            (_, "v2beta1") if aggregated => return Ok(DiscoveryForm::AggregatedV2Beta1),
            _ => {}
        }
    }
    Err(Status::not_acceptable(MEDIA_TYPES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubectl_gets_a_table_and_everyone_else_plain_objects() {
        let kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        let table = [
            (None, Form::Plain),
            (Some("*/*"), Form::Plain),
            (Some("application/json"), Form::Plain),
            (Some(kubectl), Form::Table { v1: true }),
            (Some("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"), Form::PartialMetadata),
            (Some("application/json;as=Unheard;v=v1;g=meta.k8s.io,application/json"), Form::Plain),
            (Some("application/vnd.kubernetes.protobuf,application/json"), Form::Plain),
            (Some("application/json;q=0.5,application/json;as=Table;v=v1;g=meta.k8s.io"), Form::Table { v1: true }),
        ];
        for (accept, wanted) in table {
            assert_eq!(objects(accept).map(|(form, _)| form), Ok(wanted), "{accept:?}");
        }
        let refused = objects(Some("application/vnd.kubernetes.protobuf"));
        assert_eq!(refused.map_err(|status| status.code), Err(406));
    }

    #[test]
    fn discovery_is_aggregated_only_for_those_who_ask() {
        let kubectl = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
        assert_eq!(discovery(Some(kubectl)), Ok(DiscoveryForm::AggregatedV2));
        assert_eq!(discovery(Some("application/json")), Ok(DiscoveryForm::Legacy));
        assert_eq!(discovery(None), Ok(DiscoveryForm::Legacy));
    }
}
