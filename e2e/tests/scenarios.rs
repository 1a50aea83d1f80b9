//! Every scenario that is short enough, told to the real control plane.

use std::path::Path;

use sluice_e2e::scenario::told_on_the_real_control_plane;

macro_rules! scenario {
    ($name:ident, $path:literal) => {
        #[tokio::test]
        async fn $name() -> anyhow::Result<()> {
            told_on_the_real_control_plane(Path::new($path)).await
        }
    };
}

include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));
