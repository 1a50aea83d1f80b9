//! Images that can't be pulled.

use anyhow::{Result, ensure};
use sluice_e2e::{History, Kind, in_namespace, sight};

use crate::{POD, create_pod};

#[tokio::test]
async fn a_missing_image_is_tried_again_with_growing_delay() -> Result<()> {
    in_namespace("image-missing", async |namespace| {
        let history = History::of(namespace, Kind::POD).await?;
        create_pod(namespace, "image: 'shop/web:does-not-exist'").await?;
        let rounds = ["ErrImagePull", "ImagePullBackOff", "ErrImagePull", "ImagePullBackOff"];
        history.shows(&rounds, sight::status).await?;
        let pod = namespace.get(Kind::POD, "web").await?;
        ensure!(pod["status"]["phase"] == "Pending", "{}", pod["status"]);
        ensure!(!sight::is_ready(&pod), "{}", pod["status"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_invalid_image_name_is_told_as_such() -> Result<()> {
    in_namespace("image-invalid", async |namespace| {
        create_pod(namespace, "image: 'Shop/Web:1'").await?;
        let invalid = |pod: &serde_json::Value| {
            ensure!(sight::status(pod) == "InvalidImageName", "{}", sight::status(pod));
            Ok(())
        };
        namespace.wait_for(POD, "the image name is invalid", invalid).await?;
        Ok(())
    })
    .await
}
