//! In which version the cluster serves a kind, if it does.

use kube::Client;
use serde_json::Value;

use crate::cache::Watched;

/// The best version that can be read; `None` where the cluster doesn't know the kind.
///
/// # Errors
/// The API server has no answer to that.
pub(crate) async fn served_version(client: &Client, kind: Watched) -> Result<Option<&'static str>, kube::Error> {
    if kind.is_built_in() {
        return Ok(kind.versions().first().copied());
    }
    let group = format!("/apis/{}", kind.group());
    let Some(known) = get(client, &group).await? else { return Ok(None) };
    for version in kind.versions() {
        if !names(&known["versions"], "version").any(|known| known == *version) {
            continue;
        }
        let Some(resources) = get(client, &format!("{group}/{version}")).await? else { continue };
        if names(&resources["resources"], "name").any(|plural| plural == kind.plural()) {
            return Ok(Some(version));
        }
    }
    Ok(None)
}

async fn get(client: &Client, path: &str) -> Result<Option<Value>, kube::Error> {
    let request = http::Request::get(path).body(Vec::new()).map_err(kube::Error::HttpError)?;
    match client.request(request).await {
        Ok(answer) => Ok(Some(answer)),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
        Err(problem) => Err(problem),
    }
}

fn names<'v>(list: &'v Value, field: &'static str) -> impl Iterator<Item = &'v str> {
    list.as_array().into_iter().flatten().filter_map(move |entry| entry[field].as_str())
}
