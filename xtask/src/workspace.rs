//! Where things are in the checkout, and how cargo is called in it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the checkout that `cargo xtask` was called in.
pub(crate) fn root() -> PathBuf {
    // Cargo says where the crate is now; a shared target folder may hold a binary built in another checkout.
    let crate_folder =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    crate_folder.parent().map(Path::to_path_buf).unwrap_or(crate_folder)
}

/// Whether nobody looks at the screen and nothing may be left out.
pub(crate) fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// Cargo, in the root of the checkout, and only for what is written on the following arguments.
pub(crate) fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(root());
    // They describe xtask, and would be inherited by whatever cargo runs.
    for variable in std::env::vars_os().map(|(name, _)| name) {
        if variable.to_string_lossy().starts_with("CARGO_PKG_") {
            command.env_remove(variable);
        }
    }
    command.env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_MANIFEST_PATH");
    command
}

/// Everything a command printed is kept here, under the command's own name.
pub(crate) fn log_file(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join("xtask").join(format!("{name}.log"))
}

/// The file's place as one would type it at the root of the checkout.
pub(crate) fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
