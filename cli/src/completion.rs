//! `sluice completion`: what a shell needs to complete verbs, flags and names.

use std::path::{Path, PathBuf};

use clap::{Args, Command, ValueEnum};
use clap_complete::generate;

use crate::cluster::Problem;
use crate::{exit, print};

#[derive(Args)]
#[command(
    after_help = "Examples:\n  source <(sluice completion bash)\n  sluice completion kubectl --install ~/.local/bin"
)]
pub(crate) struct Completion {
    /// Which shell, or kubectl for `kubectl sluice`
    #[arg(value_enum)]
    shell: Shell,
    /// Write what kubectl asks into this directory of $PATH
    #[arg(long, value_name = "DIR")]
    install: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    /// Verbs and flags only
    Powershell,
    /// Verbs and flags only
    Elvish,
    Kubectl,
}

/// `{}` is the program. All of them ask it what could come next, so that names of the cluster are among it.
const BASH: &str = r#"__sluice_complete() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        [[ $line == :* ]] || COMPREPLY+=("${line%%$'\t'*}")
    done < <({} __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F __sluice_complete {}
"#;
const ZSH: &str = r#"#compdef {}
__sluice_complete() {
    local line
    local -a found
    for line in ${(f)"$({} __complete "${(@)words[2,CURRENT]}" 2>/dev/null)"}; do
        [[ $line == :* ]] || found+=("${${line//:/\\:}/$'\t'/:}")
    done
    (( $#found )) && _describe '{}' found || _files
}
compdef __sluice_complete {}
"#;
const FISH: &str = r#"function __sluice_complete
    set -l words (commandline -opc) (commandline -ct)
    {} __complete $words[2..-1] 2>/dev/null | string match -v ':*'
end
complete -c {} -a '(__sluice_complete)'
"#;
/// kubectl runs it with the words that were typed, the last one perhaps empty.
const FOR_KUBECTL: &str = "#!/bin/sh\nexec {} __complete \"$@\"\n";

/// The script is for the name of the file, also where that is a plugin of kubectl.
pub(crate) fn run(completion: &Completion, command: Command, file: &str) -> Result<u8, Problem> {
    match (completion.shell, &completion.install) {
        (Shell::Kubectl, Some(folder)) => install(folder, file).map(|()| exit::DONE),
        (_, Some(_)) => Err(Problem::usage("--install is for kubectl; write: completion kubectl --install DIR")),
        (shell, None) => print::text(&script(shell, command, file)).map(|()| exit::DONE),
    }
}

fn script(shell: Shell, mut command: Command, file: &str) -> String {
    let mut by_clap = |shell: clap_complete::Shell| {
        let mut script = Vec::new();
        generate(shell, &mut command, file, &mut script);
        String::from_utf8_lossy(&script).into_owned()
    };
    match shell {
        Shell::Bash => BASH.replace("{}", file),
        Shell::Zsh => ZSH.replace("{}", file),
        Shell::Fish => FISH.replace("{}", file),
        Shell::Powershell => by_clap(clap_complete::Shell::PowerShell),
        Shell::Elvish => by_clap(clap_complete::Shell::Elvish),
        Shell::Kubectl => FOR_KUBECTL.replace("{}", plugin(file)),
    }
}

/// The plugin that kubectl would find.
fn plugin(file: &str) -> &str {
    if file.starts_with("kubectl-") { file } else { "kubectl-sluice" }
}

/// kubectl looks for a program of this name, beside the plugin's own.
fn install(folder: &Path, file: &str) -> Result<(), Problem> {
    let name = plugin(file).replace("kubectl-", "kubectl_complete-");
    let path = folder.join(name);
    let written = std::fs::write(&path, FOR_KUBECTL.replace("{}", plugin(file))).and_then(|()| executable(&path));
    written.map_err(|error| Problem::new(format!("can't write {}: {error}", path.display())))?;
    print::line(&format!("{} written", path.display()))
}

#[cfg(unix)]
fn executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn executable(_: &Path) -> std::io::Result<()> {
    Ok(())
}
