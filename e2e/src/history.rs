//! What a watch saw of a namespace's pods, from the first moment on: states that last for milliseconds are in it.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use futures::{StreamExt, TryStreamExt};
use kube::api::{DynamicObject, WatchEvent, WatchParams};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::cluster::Kind;
use crate::eventually::eventually;
use crate::namespace::Namespace;

/// Every version of every object of one kind in a namespace, in the order in which the API server told them.
pub struct History {
    versions: watch::Receiver<Vec<Value>>,
    watching: JoinHandle<Result<()>>,
}

impl History {
    /// Begins with what is created from now on.
    pub async fn of(namespace: &Namespace, kind: Kind) -> Result<Self> {
        let api = namespace.api(kind);
        let params = WatchParams::default().disable_bookmarks().timeout(240);
        let now = api.list(&kube::api::ListParams::default().limit(1)).await?.metadata.resource_version;
        let stream = api.watch(&params, now.as_deref().unwrap_or("0")).await?;
        let (seen, versions) = watch::channel(Vec::new());
        let watching = tokio::spawn(async move {
            let mut stream = stream.boxed();
            while let Some(event) = stream.try_next().await? {
                let object: DynamicObject = match event {
                    WatchEvent::Added(object) | WatchEvent::Modified(object) => object,
                    WatchEvent::Deleted(_) | WatchEvent::Bookmark(_) => continue,
                    WatchEvent::Error(status) => bail!("the watch failed: {status:?}"),
                };
                let object = serde_json::to_value(object)?;
                seen.send_modify(|versions| versions.push(object));
            }
            Ok(())
        });
        Ok(Self { versions, watching })
    }

    /// How `look` saw the objects, without repetitions and without what it did not care about.
    pub fn told(&self, look: impl Fn(&Value) -> Option<String>) -> Vec<String> {
        let mut told: Vec<String> = self.versions.borrow().iter().filter_map(look).collect();
        told.dedup();
        told
    }

    /// The same with repetitions; `look` meets the versions in their order.
    pub fn all<T>(&self, look: impl FnMut(&Value) -> Option<T>) -> Vec<T> {
        self.versions.borrow().iter().filter_map(look).collect()
    }

    /// Waits until the history, seen through `look`, contains these words in this order.
    pub async fn shows(&self, expected: &[&str], look: impl Fn(&Value) -> String) -> Result<()> {
        let what = format!("{expected:?} in this order");
        eventually(Duration::from_secs(60), &what, async || {
            let told = self.told(|object| Some(look(object)));
            ensure!(!self.watching.is_finished(), "the watch has ended; it saw {told:?}");
            let mut rest = told.iter();
            let missing = expected.iter().find(|word| !rest.any(|seen| seen == *word));
            ensure!(missing.is_none(), "{} is missing in {told:?}", missing.unwrap_or(&""));
            Ok(())
        })
        .await
    }
}

impl Drop for History {
    fn drop(&mut self) {
        self.watching.abort();
    }
}
