//! A control plane must not outlive the command that needs it, whatever ends that command.

use std::fs::File;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A cache of its own with one instance in it, as `control-plane up` leaves it.
struct Cache {
    folder: PathBuf,
}

impl Cache {
    fn new(test: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self { folder }
    }

    fn instance(&self, name: &str) -> PathBuf {
        self.folder.join("sluice/instances").join(name)
    }

    /// A process that would run for ever, in the place of the control plane.
    fn with_running_instance(&self, name: &str) -> Child {
        let instance = self.instance(name);
        std::fs::create_dir_all(instance.join("data")).unwrap();
        let log = File::create(instance.join("output.log")).unwrap();
        log.lock().unwrap();
        let process = Command::new("sh")
            .args(["-c", "exec sleep 86400"])
            .stdin(Stdio::null())
            .stdout(log)
            .process_group(0)
            .spawn()
            .unwrap();
        std::fs::write(instance.join("process-group"), process.id().to_string()).unwrap();
        process
    }

    fn xtask(&self, arguments: &[&str]) -> Command {
        let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
        xtask.args(arguments).env("XDG_CACHE_HOME", &self.folder);
        xtask
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_control_plane_goes_with_the_command_that_needs_it() {
    let cache = Cache::new("watchdog");
    let mut control_plane = cache.with_running_instance("e2e-1");
    let bystander_folder = cache.instance("other");
    std::fs::create_dir_all(&bystander_folder).unwrap();
    let mut watchdog = cache
        .xtask(&["control-plane", "down", "--when-stdin-closes", "--name", "e2e-1"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();

    // This is what the kernel does to the pipe of a command that is killed.
    drop(watchdog.stdin.take());

    assert!(watchdog.wait().unwrap().success());
    assert!(control_plane.wait().unwrap().signal().is_some());
    assert!(!cache.instance("e2e-1").exists());
    assert!(bystander_folder.exists());
}

#[test]
fn down_stops_the_processes_and_says_what_it_found() {
    let cache = Cache::new("down");
    let mut control_plane = cache.with_running_instance("mine");
    let status = cache.xtask(&["control-plane", "status"]).output().unwrap();
    assert!(String::from_utf8_lossy(&status.stdout).starts_with("mine\tstarting\t"), "{status:?}");

    let down = cache.xtask(&["control-plane", "down", "--name", "mine"]).output().unwrap();

    assert!(down.status.success(), "{down:?}");
    assert!(control_plane.wait().unwrap().signal().is_some());
    let again = cache.xtask(&["control-plane", "down", "--name", "mine"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&again.stderr), "control plane \"mine\" was not up\n");
}

#[test]
fn the_kubeconfig_of_a_control_plane_that_is_not_up_is_refused_with_the_mend() {
    let cache = Cache::new("kubeconfig");
    let answer = cache.xtask(&["control-plane", "kubeconfig"]).output().unwrap();
    assert!(!answer.status.success());
    assert_eq!(
        String::from_utf8_lossy(&answer.stderr),
        "error: control plane \"default\" is not up; start it with: cargo xtask control-plane up --name default\n"
    );
}
