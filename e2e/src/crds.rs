//! The kinds that Sluice serves, as users install them.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::eventually::eventually;
use crate::sight::condition;

/// Installs them, once in a process; what is there already stays as it is.
pub async fn install(client: &Client) -> Result<()> {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    INSTALLED.get_or_try_init(|| install_all(client, "../helm/sluice/crds")).await.copied()
}

/// Installs the kinds by which routers are told what to do.
pub async fn install_routers(client: &Client) -> Result<()> {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    INSTALLED.get_or_try_init(|| install_all(client, "router-crds")).await.copied()
}

async fn install_all(client: &Client, folder: &str) -> Result<()> {
    let kind = GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &ApiResource::from_gvk(&kind));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let crds: Vec<Value> = serde_saphyr::from_multiple(&std::fs::read_to_string(&path)?)?;
        for crd in crds {
            let name = crd["metadata"]["name"].as_str().with_context(|| format!("{} has no name", path.display()))?;
            api.patch(name, &PatchParams::apply("e2e").force(), &Patch::Apply(&crd)).await?;
            eventually(Duration::from_secs(60), &format!("{name} is served"), async || {
                let stored = serde_json::to_value(api.get(name).await?)?;
                ensure!(
                    condition(&stored, "Established").is_some_and(|found| found["status"] == "True"),
                    "not established"
                );
                // Its storage may still be on its way.
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let (group, plural) = (text(&stored["spec"]["group"]), text(&stored["spec"]["names"]["plural"]));
                let versions = stored["spec"]["versions"].as_array().into_iter().flatten();
                let served = versions.filter(|version| version["served"] == true).map(|version| text(&version["name"]));
                for version in served {
                    let list = http::Request::get(format!("/apis/{group}/{version}/{plural}")).body(Vec::new())?;
                    client.request::<Value>(list).await?;
                }
                Ok(())
            })
            .await?;
        }
    }
    Ok(())
}
