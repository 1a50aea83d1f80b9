//! Sending the requests of a case, to whatever a client is connected to.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use serde_json::Value;

use super::case::{Case, Step};

const PATIENCE: Duration = Duration::from_secs(10);

/// What came back for one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `Content-Type`, without which a client can't read the rest.
    pub content_type: String,
    /// `Warning` headers.
    pub warnings: Vec<String>,
    /// The body as JSON, or as text where it isn't.
    pub body: Value,
}

impl Answer {
    /// Something that isn't an answer of the server.
    fn of_ours(body: Value) -> Self {
        Self { status: 0, content_type: String::new(), warnings: Vec::new(), body }
    }
}

/// Runs one case in a namespace of its own and returns the answers, one per request. What can't be
/// sent or doesn't come back is told in place of the answer.
pub async fn run(client: &Client, case: &Case, namespace: &str) -> Vec<Answer> {
    let mut kept: BTreeMap<String, Value> = BTreeMap::new();
    let mut answers = Vec::new();
    for step in &case.steps {
        let answer = match one_step(client, step, namespace, &kept).await {
            Ok(answer) => answer,
            Err(error) => Answer::of_ours(Value::String(format!("no answer: {error:#}"))),
        };
        if let Some(name) = &step.keep {
            kept.insert(name.clone(), answer.body.clone());
        }
        answers.push(answer);
    }
    answers
}

async fn one_step(
    client: &Client,
    step: &Step,
    namespace: &str,
    kept: &BTreeMap<String, Value>,
) -> anyhow::Result<Answer> {
    if let Some([one, other]) = &step.same {
        let (one, other) = (fill(one, namespace, kept)?, fill(other, namespace, kept)?);
        return Ok(Answer::of_ours(Value::Bool(one == other)));
    }
    ask(client, step, namespace, kept).await
}

async fn ask(client: &Client, step: &Step, namespace: &str, kept: &BTreeMap<String, Value>) -> anyhow::Result<Answer> {
    let Some(until) = &step.until else { return once(client, step, namespace, kept).await };
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let answer = once(client, step, namespace, kept).await?;
        if answer.body.to_string().contains(until.as_str()) {
            return Ok(answer);
        }
        if tokio::time::Instant::now() > deadline {
            bail!("never answered with {until:?}; last: {}", answer.body);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn once(client: &Client, step: &Step, namespace: &str, kept: &BTreeMap<String, Value>) -> anyhow::Result<Answer> {
    let (method, path, content) = step.request().context("the step names no request")?;
    let path = fill(path, namespace, kept)?.replace(' ', "%20");
    let mut request = http::Request::builder().method(method).uri(path);
    if let Some(content) = content {
        request = request.header("content-type", content);
    }
    request = request.header("accept", step.accept.as_deref().unwrap_or("application/json"));
    request = request.header("user-agent", "conformance/1.0");
    if let Some(user) = &step.user {
        request = request.header("impersonate-user", user);
    }
    for group in &step.groups {
        request = request.header("impersonate-group", group);
    }
    let body = match (&step.raw, &step.body) {
        (Some(raw), _) => fill(raw, namespace, kept)?.into_bytes(),
        (None, Some(body)) => fill_value(body, namespace, kept)?.to_string().into_bytes(),
        (None, None) => Vec::new(),
    };
    let response = client.send(request.body(Body::from(body))?).await?;
    let (head, body) = response.into_parts();
    let header = |name: &str| {
        head.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).map(ToOwned::to_owned).collect()
    };
    let contents: Vec<String> = header("content-type");
    let body = if step.watch.is_some() && head.status.is_success() {
        watch_events(body, step.events).await?
    } else {
        let bytes = tokio::time::timeout(PATIENCE, body.collect()).await.context("the answer never ended")??.to_bytes();
        serde_json::from_slice(&bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()))
    };
    Ok(Answer {
        status: head.status.as_u16(),
        content_type: contents.into_iter().next().unwrap_or_default(),
        warnings: header("warning"),
        body,
    })
}

/// The first events of a watch; fewer where the server ends it.
async fn watch_events(mut body: Body, wanted: usize) -> anyhow::Result<Value> {
    let mut events = Vec::new();
    let mut buffer = Vec::new();
    while events.len() < wanted {
        let frame = match tokio::time::timeout(PATIENCE, body.frame()).await {
            Ok(Some(frame)) => frame,
            Ok(None) => break,
            Err(_) => {
                events.push(Value::String("no more events came".to_owned()));
                break;
            }
        };
        if let Ok(data) = frame?.into_data() {
            buffer.extend_from_slice(&data);
        }
        while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = buffer.drain(..=end).collect();
            events.push(serde_json::from_slice(&line).context("an event that is no JSON")?);
        }
    }
    if events.is_empty() && !buffer.is_empty() {
        // No stream, but one answer.
        events.push(serde_json::from_slice(&buffer).context("an answer that is no JSON")?);
    }
    events.truncate(wanted);
    Ok(Value::Array(events))
}

fn fill_value(value: &Value, namespace: &str, kept: &BTreeMap<String, Value>) -> anyhow::Result<Value> {
    Ok(match value {
        Value::String(text) => Value::String(fill(text, namespace, kept)?),
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| fill_value(item, namespace, kept)).collect::<anyhow::Result<_>>()?)
        }
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(key, value)| Ok((key.clone(), fill_value(value, namespace, kept)?)))
                .collect::<anyhow::Result<_>>()?,
        ),
        other => other.clone(),
    })
}

/// Puts in `{ns}` and `{kept.path.to.field}`; braces that name neither stay.
fn fill(text: &str, namespace: &str, kept: &BTreeMap<String, Value>) -> anyhow::Result<String> {
    let mut filled = text.replace("{ns}", namespace);
    while let Some(start) = filled.find("{times ") {
        let end = start + filled[start..].find('}').with_context(|| format!("{text:?} has an open brace"))?;
        let (count, repeated) = filled[start + "{times ".len()..end].split_once(' ').context("how often, and what")?;
        let repeated = repeated.repeat(count.parse()?);
        filled.replace_range(start..=end, &repeated);
    }
    for (name, answer) in kept {
        let opening = format!("{{{name}.");
        while let Some(start) = filled.find(&opening) {
            let rest = &filled[start + opening.len()..];
            let end = rest.find('}').with_context(|| format!("{text:?} has an open brace"))?;
            let pointer = format!("/{}", rest[..end].replace('.', "/"));
            let found = answer.pointer(&pointer).with_context(|| format!("{name} has no {pointer}: {answer}"))?;
            let found = found.as_str().map_or_else(|| found.to_string(), ToOwned::to_owned);
            filled.replace_range(start..start + opening.len() + end + 1, &found);
        }
    }
    Ok(filled)
}
