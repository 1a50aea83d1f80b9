//! A cluster behind HTTPS, and the real kubectl to talk to it.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use sluice_sandbox::World;
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::bootstrap;
use sluice_sandbox::api::request::{Request, Response};
use sluice_sandbox::doors::{Clock, Door, HttpsDoor};
use tokio::runtime::Runtime;

/// One cluster per test; it ends with it.
pub(crate) struct Cluster {
    door: Door,
    folder: PathBuf,
    https: Option<HttpsDoor>,
    runtime: Runtime,
}

/// What kubectl said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Cluster {
    /// Opens an API server behind which nothing acts by itself; the name keeps the files of tests apart.
    pub(crate) fn open(name: &str) -> Self {
        Self::behind(name, |clock| {
            let mut world = World::new(1);
            bootstrap(&mut world, clock.now()).expect("a fresh cluster takes its first objects");
            add_users(&mut world);
            Door::new(world, clock)
        })
    }

    /// Opens a whole cluster, with controllers and nodes.
    pub(crate) fn open_whole(name: &str) -> Self {
        let cluster = Self::behind(name, |clock| {
            let mut cluster = sluice_sandbox::Cluster::new(1, 2, clock.now());
            add_users(cluster.world_mut());
            Door::to_cluster(cluster, clock)
        });
        let door = cluster.door.clone();
        cluster.runtime.spawn(async move { door.keep_going().await });
        cluster
    }

    fn behind(name: &str, door: impl FnOnce(Clock) -> Door) -> Self {
        let runtime = Runtime::new().expect("a runtime starts");
        let door = {
            let _inside = runtime.enter();
            door(Clock::wall())
        };
        let https = runtime.block_on(HttpsDoor::open(door.clone(), 0)).expect("a port is free");
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("kubectl-{name}"));
        // What an earlier run left behind belongs to another cluster.
        let _left_behind = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("the folder can be made");
        for token in ["letmein", "visitor"] {
            fs::write(folder.join(token), https.kubeconfig(token)).expect("the kubeconfig can be written");
        }
        Self { door, folder, https: Some(https), runtime }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(arguments)
            .env("KUBECONFIG", self.folder.join("letmein"))
            .env("HOME", &self.folder)
            .env("KUBECTL_EXTERNAL_DIFF", "diff -u -N")
            .env_remove("KUBERNETES_SERVICE_HOST")
            .current_dir(&self.folder)
            .stdin(Stdio::null());
        command
    }

    /// Runs kubectl to its end, whatever comes of it.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        Said::from(self.command(arguments).output().expect("kubectl starts"))
    }

    /// Runs kubectl as a user without rights.
    pub(crate) fn run_as_visitor(&self, arguments: &[&str]) -> Said {
        let mut command = self.command(arguments);
        command.env("KUBECONFIG", self.folder.join("visitor"));
        Said::from(command.output().expect("kubectl starts"))
    }

    /// Runs kubectl and expects success; returns what it printed.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "kubectl {arguments:?}: {}{}", said.out, said.err);
        said.out
    }

    /// Starts kubectl and leaves it running.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("kubectl starts")
    }

    /// Writes a manifest for `-f`.
    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.join(name);
        fs::write(&path, content).expect("the manifest can be written");
        path.to_string_lossy().into_owned()
    }

    /// Asks the server directly, as a controller of the cluster would.
    pub(crate) fn send(&self, request: Request) -> Response {
        self.door.handle(&request.as_user(User::admin()))
    }

    /// Patches an object directly.
    pub(crate) fn patch(&self, path: &str, body: &Value) {
        let response = self.send(Request::patch(path, "application/merge-patch+json", body));
        assert_eq!(response.status, 200, "{}", response.json_body());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(https) = self.https.take() {
            self.runtime.block_on(https.close());
        }
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

fn add_users(world: &mut World) {
    world.add_token("letmein", User::admin());
    world.add_token("visitor", User::named("visitor", &[]));
}

#[expect(clippy::disallowed_methods, reason = "which kubectl to test with is a setting of whoever runs the tests")]
fn program() -> String {
    std::env::var("KUBECTL").unwrap_or_else(|_| "kubectl".to_owned())
}

/// Columns of a printed table, line by line.
pub(crate) fn rows(table: &str) -> Vec<Vec<&str>> {
    table.lines().map(|line| line.split_whitespace().collect()).collect()
}
