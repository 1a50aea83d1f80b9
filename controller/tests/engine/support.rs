//! A whole cluster in memory, on the runtime's paused time, and real controllers that talk to it through kube's client.

use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kube::Client;
use serde_json::{Value, json};
use sluice_controller::{
    Clock, Controller, Decide, ElectionSettings, GivenBack, Pages, ReleaseError, RunError, Settings, Shutdown,
    ShutdownHandle, release_all,
};
use sluice_planner::engine::Times;
use sluice_sandbox::Cluster;
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::{Request, Response};
use sluice_sandbox::doors::{Clock as DoorClock, Door};
use tokio::task::JoinHandle;

use crate::court::Court;
use crate::line::{LeaseTrouble, Line, Sent};
use crate::providers::Providers;

pub(crate) const ROLLOUTS: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/rollouts";
pub(crate) const REPLICA_SETS: &str = "/apis/apps/v1/namespaces/default/replicasets";
const INSTANCE: &str = "argo-rollouts.argoproj.io/controller-instance-id";
const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases/argo-rollouts-controller-lock";

/// The cluster that a test plays in.
pub(crate) struct Shop {
    door: Door,
    court: Court,
    providers: Providers,
}

/// What is particular to one of several controllers.
pub(crate) struct Replica {
    pub(crate) identity: &'static str,
    /// Without an election it takes itself for the only one.
    pub(crate) elects: bool,
    /// How far its clock on the wall is ahead of the API server's.
    pub(crate) clock_ahead: SignedDuration,
    pub(crate) decide: Decide,
    /// Whose rights it has.
    pub(crate) user: User,
}

impl Replica {
    pub(crate) fn named(identity: &'static str) -> Self {
        Self {
            identity,
            elects: true,
            clock_ahead: SignedDuration::ZERO,
            decide: sluice_planner::plan,
            user: User::admin(),
        }
    }
}

/// A controller that runs.
pub(crate) struct Running {
    line: Line,
    handle: ShutdownHandle,
    task: JoinHandle<Result<(), RunError>>,
}

impl Shop {
    pub(crate) fn open() -> Self {
        // Every shop is a fork of one cluster: to install the CRDs costs more than many a test.
        static FURNISHED: LazyLock<Mutex<Cluster>> = LazyLock::new(|| Mutex::new(with_crds()));
        let cluster = FURNISHED.lock().expect("no panic").clone();
        let door = Door::to_cluster(cluster, DoorClock::following_runtime(start()));
        let life = door.clone();
        tokio::spawn(async move { life.keep_going().await });
        let providers = Providers::of(door.clone());
        Self { door, court: Court::default(), providers }
    }

    /// Starts a controller that decides as the product does.
    pub(crate) fn controller(&self, identity: &'static str) -> Running {
        self.replica(&Replica::named(identity))
    }

    pub(crate) fn replica(&self, replica: &Replica) -> Running {
        self.start(replica, "", Pages::default())
    }

    /// Starts a controller for the Rollouts of an instance.
    pub(crate) fn instance(&self, identity: &'static str, id: &str) -> Running {
        self.start(&Replica::named(identity), id, Pages::default())
    }

    /// Starts a controller that can be asked how it is.
    pub(crate) fn serving(&self, identity: &'static str, pages: Pages) -> Running {
        self.start(&Replica::named(identity), "", pages)
    }

    /// The same of a particular one.
    pub(crate) fn replica_serving(&self, replica: &Replica, pages: Pages) -> Running {
        self.start(replica, "", pages)
    }

    fn start(&self, replica: &Replica, instance_id: &str, pages: Pages) -> Running {
        let settings = settings(replica, instance_id);
        let line = Line::new(
            self.door.clone(),
            self.court.clone(),
            replica.user.clone(),
            replica.elects.then_some(Times::DEFAULT),
        );
        let client = Client::new(line.clone(), "default");
        let (handle, shutdown) = ShutdownHandle::new();
        let clock = Clock::following_runtime(self.door.now() + replica.clock_ahead);
        let controller = Controller::new(client, settings, clock).deciding_with(replica.decide).serving(pages);
        let controller = controller.measuring(Providers::measuring()).asking_through(self.providers.transport());
        let controller = controller.with_step_plugins(Providers::step_plugins());
        let run = run(controller, handle.clone(), shutdown);
        Running { line, handle, task: tokio::spawn(run) }
    }

    /// Gives back, as another process, what the Rollouts have routed. Returns what became of each.
    pub(crate) async fn release_all(&self, identity: &'static str) -> Result<Vec<GivenBack>, ReleaseError> {
        self.release_all_as(identity, User::admin()).await
    }

    /// The same with the rights of a user.
    pub(crate) async fn release_all_as(
        &self,
        identity: &'static str,
        user: User,
    ) -> Result<Vec<GivenBack>, ReleaseError> {
        let replica = Replica { user, ..Replica::named(identity) };
        let line = Line::new(self.door.clone(), self.court.clone(), replica.user.clone(), Some(Times::DEFAULT));
        let (client, clock) = (Client::new(line, "default"), Clock::following_runtime(self.door.now()));
        let mut given = Vec::new();
        release_all(client, settings(&replica, ""), clock, |one| given.push(one)).await?;
        Ok(given)
    }

    /// What metric providers are asked and answer.
    pub(crate) fn providers(&self) -> &Providers {
        &self.providers
    }

    /// From now on every write of every controller is judged. For shops with one Rollout, `web`.
    pub(crate) fn call_the_judge(&self) {
        self.court.open();
    }

    /// # Panics
    /// A write broke a promise.
    pub(crate) fn verdict(&self) {
        self.court.verdict();
    }

    pub(crate) fn ask(&self, request: Request) -> Value {
        let answer = self.answer(&request.as_user(User::admin()));
        let body = answer.json_body();
        assert!(answer.status < 300, "{} {body}", answer.status);
        body
    }

    /// The answer, whatever it is, to whoever asks.
    pub(crate) fn answer(&self, request: &Request) -> Response {
        self.door.handle(request)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.door.now()
    }

    pub(crate) fn rollout(&self, name: &str) -> Value {
        self.ask(Request::get(&format!("{ROLLOUTS}/{name}")))
    }

    /// Names and wanted pods of the ReplicaSets that have any.
    pub(crate) fn scaled_up(&self) -> Vec<i64> {
        let all = self.ask(Request::get(REPLICA_SETS));
        let mut sizes: Vec<i64> =
            all["items"].as_array().into_iter().flatten().filter_map(|set| set["spec"]["replicas"].as_i64()).collect();
        sizes.retain(|size| *size > 0);
        sizes.sort_unstable();
        sizes
    }

    /// A canary with one pause without end at a quarter.
    pub(crate) fn deploy(&self, name: &str, replicas: u32) {
        self.deploy_with_steps(name, replicas, &json!([{"setWeight": 25}, {"pause": {}}]));
    }

    pub(crate) fn deploy_with_steps(&self, name: &str, replicas: u32, steps: &Value) {
        self.ask(Request::post(ROLLOUTS, &manifest(name, replicas, steps)));
    }

    /// One that is left to the controllers of an instance.
    pub(crate) fn deploy_for_instance(&self, name: &str, replicas: u32, id: &str) {
        let mut manifest = manifest(name, replicas, &json!([]));
        manifest["metadata"]["labels"] = json!({INSTANCE: id});
        self.ask(Request::post(ROLLOUTS, &manifest));
    }

    /// For each ReplicaSet the Rollout that owns it, and the instance id that it carries.
    pub(crate) fn instances_of_replica_sets(&self) -> Vec<(String, Value)> {
        let all = self.ask(Request::get(REPLICA_SETS));
        let sets = all["items"].as_array().into_iter().flatten().map(|set| &set["metadata"]);
        let owner = |set: &Value| set["ownerReferences"][0]["name"].as_str().unwrap_or_default().to_owned();
        let mut instances: Vec<_> = sets.map(|set| (owner(set), set["labels"][INSTANCE].clone())).collect();
        instances.sort_by(|a, b| a.0.cmp(&b.0));
        instances
    }

    pub(crate) fn set_image(&self, name: &str, image: &str) {
        self.court.new_epoch();
        let change = json!([{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": image}]);
        self.ask(Request::patch(&format!("{ROLLOUTS}/{name}"), "application/json-patch+json", &change));
    }

    /// Changes the status as existing tools do.
    pub(crate) fn wish(&self, name: &str, status: &Value) {
        self.court.new_epoch();
        let path = format!("{ROLLOUTS}/{name}/status");
        self.ask(Request::patch(&path, "application/merge-patch+json", &json!({"status": status})));
    }

    /// Lets virtual time go on until the phase is reached.
    pub(crate) async fn until_phase(&self, name: &str, phase: &str) -> Value {
        self.until(&format!("{name} is {phase}"), |shop| shop.rollout(name)["status"]["phase"] == phase).await;
        self.rollout(name)["status"].clone()
    }

    /// Lets virtual time go on, for ten minutes at the most, until something is true.
    pub(crate) async fn until(&self, what: &str, is_true: impl Fn(&Self) -> bool) {
        for _ in 0..6_000 {
            if is_true(self) {
                return;
            }
            self.pass(Duration::from_millis(100)).await;
        }
        let all = self.ask(Request::get(ROLLOUTS));
        panic!("never came true: {what}\n{all:#}");
    }

    /// Lets virtual time go on.
    pub(crate) async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    pub(crate) fn event_reasons(&self, rollout: &str) -> Vec<String> {
        let all = self.ask(Request::get("/api/v1/namespaces/default/events"));
        let mut told: Vec<&Value> = all["items"].as_array().into_iter().flatten().collect();
        told.retain(|event| event["involvedObject"]["name"] == rollout);
        told.sort_by_key(|event| event["metadata"]["resourceVersion"].as_str().and_then(|v| v.parse::<u64>().ok()));
        told.iter().filter_map(|event| event["reason"].as_str().map(str::to_owned)).collect()
    }

    /// Events about an object.
    pub(crate) fn events_about(&self, kind: &str, name: &str) -> Vec<Value> {
        let all = self.ask(Request::get("/api/v1/namespaces/default/events"));
        let about = |event: &&Value| {
            let object = &event["involvedObject"];
            object["kind"] == kind && object["name"] == name
        };
        all["items"].as_array().into_iter().flatten().filter(about).cloned().collect()
    }

    pub(crate) fn lease_holder(&self) -> String {
        let answer = self.door.handle(&Request::get(LEASE).as_user(User::admin()));
        answer.json_body()["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned()
    }

    /// The API server forgets what happened before: who comes back must ask for everything anew.
    pub(crate) fn forget_the_past(&self) {
        self.door.with_world(|world, _| world.compact(world.revision()));
    }
}

impl Running {
    /// Every connection breaks, and the controller doesn't get through any more.
    pub(crate) fn go_down(&self) {
        self.line.go_down();
    }

    pub(crate) fn come_back(&self) {
        self.line.come_back();
    }

    /// From now on its watches show everything so much later.
    pub(crate) fn lag(&self, late: Duration) {
        self.line.lag(late);
    }

    /// What it sent since it was last asked, without what is sent for the lease.
    pub(crate) fn take_sent(&self) -> Vec<Sent> {
        self.line.take_sent()
    }

    /// Its requests about the lease fare like this from now on.
    pub(crate) fn lease_trouble(&self, trouble: LeaseTrouble) {
        self.line.lease_trouble(trouble);
    }

    /// All that it sends after so many more writes is lost, and the last of these arrives so late.
    pub(crate) fn cut_off_after(&self, writes: usize, last_is_late_by: Duration) {
        self.line.cut_off_after(writes, last_is_late_by);
    }

    /// Whether that has come to pass.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.line.is_down()
    }

    /// Its watches break so often.
    pub(crate) fn flap(&self) {
        self.line.cut_watches();
    }

    /// The same with the lease.
    pub(crate) fn take_all_sent(&self) -> Vec<Sent> {
        self.line.take_all_sent()
    }

    /// Ends in good order.
    pub(crate) async fn stop(self) {
        self.handle.begin();
        self.task.await.expect("no panic").expect("no task ended early");
    }

    /// Ends as a process does that is killed.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.is_err_and(|ended| ended.is_cancelled()));
    }
}

fn settings(replica: &Replica, instance_id: &str) -> Settings {
    let election = ElectionSettings {
        namespace: "default".to_owned(),
        identity: replica.identity.to_owned(),
        times: Times::DEFAULT,
    };
    Settings {
        namespace: String::new(),
        instance_id: instance_id.to_owned(),
        election: replica.elects.then_some(election),
        qps: 40.0,
        burst: 80,
        passes_at_once: 4,
        resync: Duration::from_secs(900),
        seed: 1,
    }
}

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a time")
}

fn with_crds() -> Cluster {
    let mut cluster = Cluster::new(7, 2, start());
    for crd in sluice_crds::schema::crds() {
        let request = Request::post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &crd);
        assert_eq!(cluster.handle(&request.as_user(User::admin())).status, 201);
    }
    cluster
}

async fn run(controller: Controller, handle: ShutdownHandle, shutdown: Shutdown) -> Result<(), RunError> {
    controller.run(handle, shutdown).await
}

fn manifest(name: &str, replicas: u32, steps: &Value) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "app", "image": "app:1"}]},
            },
            "strategy": {"canary": {"steps": steps}},
        },
    })
}
