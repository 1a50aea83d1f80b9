//! `sluice doctor`: what keeps Sluice, or the person who asks, from working in this cluster.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use kube::api::ListParams;
use kube::client::Body;
use serde_json::{Value, json};
use sluice_planner::ReadRollout;

use crate::cluster::{Cluster, Connection, Kind, Problem, Where};
use crate::get::now;
use crate::terminal::Look;
use crate::view::ages::{length, time};
use crate::view::text::{Cell, Hue, joined, labelled};
use crate::{exit, print, web};

/// Clocks that are further apart than this make ages and countdowns wrong, and leases doubtful.
const SKEW: SignedDuration = SignedDuration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(3);
/// A Lease whose name begins so is the one of a controller.
const LEASE: &str = "argo-rollouts-controller-lock";

/// Something is wrong.
const NOT_WELL: u8 = 1;

#[derive(Args)]
#[command(after_help = "Exit codes: 0 nothing is wrong, though something may be worth knowing; 1 something is wrong.")]
pub(crate) struct Doctor {
    /// Look at Rollouts and templates of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    #[command(flatten)]
    look: Look,
}

/// One thing that was looked at.
struct Finding {
    hue: Hue,
    what: &'static str,
    detail: String,
}

fn good(what: &'static str, detail: impl Into<String>) -> Finding {
    Finding { hue: Hue::Good, what, detail: detail.into() }
}

fn doubtful(what: &'static str, detail: impl Into<String>) -> Finding {
    Finding { hue: Hue::Waiting, what, detail: detail.into() }
}

fn bad(what: &'static str, detail: impl Into<String>) -> Finding {
    Finding { hue: Hue::Bad, what, detail: detail.into() }
}

pub(crate) async fn run(connection: &Connection, doctor: &Doctor) -> Result<u8, Problem> {
    let cluster = Cluster::connect(connection).await?;
    let version = cluster.version().await?;
    let mut findings = vec![good("API server", format!("Kubernetes {version}"))];
    findings.push(clocks(&cluster).await);
    let place = if doctor.all_namespaces { Where::Everywhere } else { Where::Namespace(&cluster.namespace) };
    let kinds = kinds(&cluster).await;
    let has_kinds = kinds.hue != Hue::Bad;
    findings.push(kinds);
    if has_kinds {
        findings.push(definitions(&cluster).await);
        findings.extend(rights(&cluster).await);
        findings.push(leader(&cluster).await);
        findings.extend(routers(&cluster, place).await);
        findings.extend(servers(&cluster, place).await);
    }
    let style = doctor.look.style();
    let lines = findings.iter().flat_map(|Finding { hue, what, detail }| {
        let icon = match hue {
            Hue::Good => "✔",
            Hue::Bad => "✖",
            Hue::Plain | Hue::Waiting | Hue::Moving => "⚠",
        };
        labelled(&format!("{icon} {what}"), Cell::new(detail.as_str(), *hue), style.width)
    });
    print::text(&joined(&lines.collect::<Vec<_>>(), style))?;
    let is_bad = findings.iter().any(|finding| finding.hue == Hue::Bad);
    Ok(if is_bad { NOT_WELL } else { exit::DONE })
}

async fn clocks(cluster: &Cluster) -> Finding {
    let what = "clock";
    let asked = http::Request::get("/version").body(Body::empty());
    let Ok(request) = asked else { return doubtful(what, "the server's time can't be asked for") };
    let answer = match cluster.client.send(request).await {
        Ok(answer) => answer,
        Err(error) => return doubtful(what, format!("the server's time can't be asked for: {error}")),
    };
    let date = answer.headers().get("date").and_then(|date| date.to_str().ok());
    let there = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()).map(|zoned| zoned.timestamp());
    match there {
        None => doubtful(what, "the server doesn't say what time it is"),
        Some(there) => apart(there, now()),
    }
}

fn apart(there: Timestamp, here: Timestamp) -> Finding {
    let apart = here.duration_since(there);
    let told = length(apart.abs().as_secs());
    match (apart.abs() > SKEW, apart.is_positive()) {
        (false, _) => good("clock", "as the server's"),
        (true, true) => doubtful("clock", format!("{told} ahead of the server's: ages and countdowns are wrong here")),
        (true, false) => doubtful("clock", format!("{told} behind the server's: ages and countdowns are wrong here")),
    }
}

async fn kinds(cluster: &Cluster) -> Finding {
    let first = ListParams::default().limit(1);
    let mut missing = Vec::new();
    for kind in Kind::OURS {
        match cluster.list_with(kind, Where::Namespace(&cluster.namespace), &first).await {
            Err(problem) if problem.status == Some(404) => missing.push(kind.plural),
            Err(problem) => return doubtful("kinds", format!("can't be looked for: {}", problem.sentence)),
            Ok(_) => {}
        }
    }
    if missing.is_empty() {
        return good("kinds", "the cluster knows all five");
    }
    bad(
        "kinds",
        format!("the cluster doesn't know {}; install them: kubectl apply -f helm/sluice/crds", missing.join(", ")),
    )
}

/// Whether the definitions are those of Sluice, which know fields beyond those of others.
async fn definitions(cluster: &Cluster) -> Finding {
    let what = "definitions";
    match cluster.get(Kind::CRD, "rollouts.argoproj.io").await {
        Err(problem) => doubtful(what, format!("can't be looked at: {}", problem.sentence)),
        Ok(crd) => {
            let versions = crd["spec"]["versions"].as_array().into_iter().flatten();
            let knows = |version: &Value| {
                !version
                    .pointer("/schema/openAPIV3Schema/properties/status/properties/why")
                    .unwrap_or(&Value::Null)
                    .is_null()
            };
            if versions.into_iter().any(knows) {
                good(what, "of Sluice")
            } else {
                doubtful(
                    what,
                    "of another program: fields such as status.why are dropped; kubectl apply -f helm/sluice/crds",
                )
            }
        }
    }
}

/// What the one who asks may do.
async fn rights(cluster: &Cluster) -> Vec<Finding> {
    // (verb, group, resource, subresource)
    let looking = [
        ("get", "argoproj.io", "rollouts", ""),
        ("list", "argoproj.io", "analysisruns", ""),
        ("list", "apps", "replicasets", ""),
        ("list", "", "pods", ""),
    ];
    let steering = [
        ("patch", "argoproj.io", "rollouts", ""),
        ("patch", "argoproj.io", "rollouts", "status"),
        ("create", "argoproj.io", "analysisruns", ""),
    ];
    let mut findings = Vec::new();
    for (what, rights) in [("may look", &looking[..]), ("may steer", &steering[..])] {
        let mut refused = Vec::new();
        for (verb, group, resource, part) in rights {
            match may(cluster, verb, group, resource, part).await {
                Ok(true) => {}
                Ok(false) => {
                    let part = if part.is_empty() { String::new() } else { format!("/{part}") };
                    refused.push(format!("{verb} {resource}{part}"));
                }
                Err(why) => refused.push(format!("{verb} {resource}: {why}")),
            }
        }
        findings.push(if refused.is_empty() {
            good(what, format!("in namespace {}", cluster.namespace))
        } else {
            doubtful(what, format!("in namespace {} you may not {}", cluster.namespace, refused.join(", ")))
        });
    }
    findings
}

async fn may(cluster: &Cluster, verb: &str, group: &str, resource: &str, part: &str) -> Result<bool, String> {
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"namespace": cluster.namespace, "verb": verb, "group": group, "resource": resource, "subresource": part}},
    });
    let request = http::Request::post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
        .header("content-type", "application/json")
        .body(review.to_string().into_bytes())
        .map_err(|error| error.to_string())?;
    let answer: Value = cluster.client.request(request).await.map_err(|error| error.to_string())?;
    Ok(answer["status"]["allowed"] == true)
}

async fn leader(cluster: &Cluster) -> Finding {
    let what = "leader";
    let mut listed = cluster.list(Kind::LEASE, Where::Everywhere, "").await;
    if listed.is_err() {
        listed = cluster.list(Kind::LEASE, Where::Namespace(&cluster.namespace), "").await;
    }
    let leases = match listed {
        Ok(listed) => listed.items,
        Err(problem) => return doubtful(what, format!("can't be looked for: {}", problem.sentence)),
    };
    let is_ours = |lease: &&Value| lease["metadata"]["name"].as_str().is_some_and(|name| name.starts_with(LEASE));
    let told: Vec<(bool, String)> = leases.iter().filter(is_ours).map(|lease| led(lease, now())).collect();
    if told.is_empty() {
        return doubtful(what, "no controller has a lease: none runs, or one alone that needs none");
    }
    let sentence = told.iter().map(|(_, sentence)| sentence.as_str()).collect::<Vec<_>>().join("; ");
    if told.iter().all(|(leads, _)| *leads) { good(what, sentence) } else { bad(what, sentence) }
}

/// Whether somebody leads by this lease, and who.
fn led(lease: &Value, now: Timestamp) -> (bool, String) {
    let spec = &lease["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let place = format!("{}/{}", text(&lease["metadata"]["namespace"]), text(&lease["metadata"]["name"]));
    let holder = text(&spec["holderIdentity"]);
    let (Some(renewed), false) = (time(&spec["renewTime"]), holder.is_empty()) else {
        return (false, format!("{place} is held by nobody: no controller leads"));
    };
    let since = now.duration_since(renewed).as_secs();
    let lasts = spec["leaseDurationSeconds"].as_i64().unwrap_or(0);
    if since > lasts {
        return (
            false,
            format!(
                "{holder} had {place} and renewed it {} ago, which lasts {lasts}s: no controller leads",
                length(since)
            ),
        );
    }
    (true, format!("{holder}, by {place}, renewed {} ago", length(since)))
}

/// Objects that Rollouts name and that routers are told by.
async fn routers(cluster: &Cluster, place: Where<'_>) -> Vec<Finding> {
    let what = "routers";
    let rollouts = match cluster.list(Kind::ROLLOUT, place, "").await {
        Ok(listed) => listed.items,
        Err(problem) => return vec![doubtful(what, problem.sentence)],
    };
    let (mut there, mut findings) = (0, Vec::new());
    for rollout in &rollouts {
        let name = rollout["metadata"]["name"].as_str().unwrap_or_default();
        let Ok(typed) = serde_json::from_value::<sluice_crds::Rollout>(rollout.clone()) else {
            findings.push(bad(what, format!("the Rollout {name} can't be read; \"lint\" says why")));
            continue;
        };
        let written = rollout["spec"]["strategy"].to_string();
        for object in ReadRollout::from(typed).routing_needs().objects {
            // What Sluice makes itself may well not be there.
            if !written.contains(&format!("{:?}", object.name)) {
                continue;
            }
            match is_there(
                cluster,
                &object.namespace,
                object.kind.group(),
                object.kind.versions(),
                object.kind.plural(),
                &object.name,
            )
            .await
            {
                Ok(()) => there += 1,
                Err(why) => {
                    let kind = object.kind.as_str();
                    findings.push(bad(
                        what,
                        format!("{name} routes by the {kind} {}/{}: {why}", object.namespace, object.name),
                    ));
                }
            }
        }
    }
    if findings.is_empty() {
        findings.push(good(what, format!("{there} objects that {} Rollouts route by are there", rollouts.len())));
    }
    findings
}

async fn is_there(
    cluster: &Cluster,
    namespace: &str,
    group: &str,
    versions: &[&str],
    plural: &str,
    name: &str,
) -> Result<(), String> {
    let mut why = "the cluster doesn't know this kind".to_owned();
    for version in versions {
        let path = format!("/apis/{group}/{version}/namespaces/{namespace}/{plural}/{name}");
        let request = http::Request::get(path).body(Vec::new()).map_err(|error| error.to_string())?;
        match cluster.client.request::<Value>(request).await {
            Ok(_) => return Ok(()),
            Err(kube::Error::Api(refused)) if refused.code == 404 => {
                if refused.message.contains(name) {
                    return Err("it is not there".to_owned());
                }
            }
            Err(error) => why = error.to_string(),
        }
    }
    Err(why)
}

/// Prometheus servers that templates name, as they are seen from here.
async fn servers(cluster: &Cluster, place: Where<'_>) -> Vec<Finding> {
    let what = "metric servers";
    let mut addresses = BTreeSet::new();
    for (kind, place) in [(Kind::ANALYSIS_TEMPLATE, place), (Kind::CLUSTER_ANALYSIS_TEMPLATE, Where::Everywhere)] {
        let Ok(listed) = cluster.list(kind, place, "").await else { continue };
        let metrics = listed.items.iter().filter_map(|one| one["spec"]["metrics"].as_array()).flatten();
        let named = metrics.filter_map(|metric| metric["provider"]["prometheus"]["address"].as_str());
        addresses.extend(named.filter(|address| !address.contains("{{")).map(str::to_owned));
    }
    let mut findings = Vec::new();
    for address in addresses {
        findings.push(
            match web::get(&format!("{}/api/v1/query?query=vector(1)", address.trim_end_matches('/')), PATIENCE).await {
                Ok(_) => good(what, format!("{address} answers")),
                Err(why) => doubtful(
                    what,
                    format!("{address} doesn't answer from here, though it may do so to the controller: {why}"),
                ),
            },
        );
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_says_who_leads_and_since_when_nobody_does() {
        let lease = |holder: &str, renewed: &str| {
            json!({
                "metadata": {"namespace": "sluice", "name": LEASE},
                "spec": {"holderIdentity": holder, "renewTime": renewed, "leaseDurationSeconds": 15},
            })
        };
        let now = "2026-01-01T00:01:00Z".parse().expect("a time");
        let told = |holder, renewed| led(&lease(holder, renewed), now);
        assert_eq!(told("a", "2026-01-01T00:00:55Z"), (true, format!("a, by sluice/{LEASE}, renewed 5s ago")));
        assert!(!told("a", "2026-01-01T00:00:00Z").0 && !told("", "2026-01-01T00:00:55Z").0 && !told("a", "?").0);
    }

    #[test]
    fn clocks_that_are_apart_are_named_with_how_far() {
        let at = |text: &str| text.parse().expect("a time");
        let (noon, later) = (at("2026-01-01T12:00:00Z"), at("2026-01-01T12:00:30Z"));
        assert!(apart(noon, noon).hue == Hue::Good);
        assert!(
            apart(noon, later).detail.starts_with("30s ahead") && apart(later, noon).detail.starts_with("30s behind")
        );
    }
}
