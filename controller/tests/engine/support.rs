//! A whole cluster in memory, on the runtime's paused time, and real controllers that talk to it through kube's client.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use http_body_util::{BodyExt, BodyStream, Full, StreamBody};
use jiff::Timestamp;
use kube::Client;
use serde_json::{Value, json};
use sluice_controller::{Clock, Controller, Decide, ElectionSettings, RunError, Settings, Shutdown, ShutdownHandle};
use sluice_planner::engine::Times;
use sluice_sandbox::Cluster;
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::{Request, Response};
use sluice_sandbox::doors::{Clock as DoorClock, Door, DoorBody};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) const ROLLOUTS: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/rollouts";
pub(crate) const REPLICA_SETS: &str = "/apis/apps/v1/namespaces/default/replicasets";
const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases/argo-rollouts-controller-lock";

/// The cluster that a test plays in.
pub(crate) struct Shop {
    door: Door,
    clock: Clock,
}

/// The network between a controller and the API server.
#[derive(Clone)]
struct Line {
    door: Door,
    down: Arc<AtomicBool>,
    cut: watch::Sender<u64>,
    /// How late the events of watches arrive.
    lag: Arc<Mutex<Duration>>,
    sent: Arc<Mutex<Vec<Sent>>>,
    user: User,
}

/// A request that a controller sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) status: u16,
}

/// A controller that runs.
pub(crate) struct Running {
    line: Line,
    handle: ShutdownHandle,
    task: JoinHandle<Result<(), RunError>>,
}

impl Shop {
    pub(crate) fn open() -> Self {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        let mut cluster = Cluster::new(7, 2, start);
        for crd in sluice_crds::schema::crds() {
            let request = Request::post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &crd);
            assert_eq!(cluster.handle(&request.as_user(User::admin())).status, 201);
        }
        let door = Door::to_cluster(cluster, DoorClock::following_runtime(start));
        let life = door.clone();
        tokio::spawn(async move { life.keep_going().await });
        Self { door, clock: Clock::following_runtime(start) }
    }

    /// Starts a controller that decides as the product does.
    pub(crate) fn controller(&self, identity: &str) -> Running {
        self.controller_that(identity, sluice_planner::plan)
    }

    pub(crate) fn controller_that(&self, identity: &str, decide: Decide) -> Running {
        self.start(identity, decide, User::admin())
    }

    /// The product, with the rights of this user.
    pub(crate) fn controller_as(&self, identity: &str, user: User) -> Running {
        self.start(identity, sluice_planner::plan, user)
    }

    fn start(&self, identity: &str, decide: Decide, user: User) -> Running {
        let election =
            ElectionSettings { namespace: "default".to_owned(), identity: identity.to_owned(), times: Times::DEFAULT };
        let settings = Settings {
            namespace: String::new(),
            instance_id: String::new(),
            election: Some(election),
            qps: 40.0,
            burst: 80,
            passes_at_once: 4,
            resync: Duration::from_secs(900),
            seed: 1,
        };
        let cut = watch::Sender::new(0);
        let line = Line {
            door: self.door.clone(),
            down: Arc::default(),
            cut,
            lag: Arc::default(),
            sent: Arc::default(),
            user,
        };
        let client = Client::new(line.clone(), "default");
        let (handle, shutdown) = ShutdownHandle::new();
        let controller = Controller::new(client, settings, self.clock).deciding_with(decide);
        let run = run(controller, handle.clone(), shutdown);
        Running { line, handle, task: tokio::spawn(run) }
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
        self.clock.now()
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

    pub(crate) fn set_image(&self, name: &str, image: &str) {
        let change = json!([{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": image}]);
        self.ask(Request::patch(&format!("{ROLLOUTS}/{name}"), "application/json-patch+json", &change));
    }

    /// Changes the status as existing tools do.
    pub(crate) fn wish(&self, name: &str, status: &Value) {
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
        self.line.down.store(true, Ordering::SeqCst);
        self.line.cut.send_modify(|cuts| *cuts += 1);
    }

    pub(crate) fn come_back(&self) {
        self.line.down.store(false, Ordering::SeqCst);
    }

    /// From now on its watches show everything so much later.
    pub(crate) fn lag(&self, late: Duration) {
        *self.line.lag.lock().expect("no panic") = late;
    }

    /// What it sent since it was last asked, without what is sent for the lease.
    pub(crate) fn take_sent(&self) -> Vec<Sent> {
        let mut sent = self.take_all_sent();
        sent.retain(|request| !request.path.contains("/leases/"));
        sent
    }

    /// The same with the lease.
    pub(crate) fn take_all_sent(&self) -> Vec<Sent> {
        std::mem::take(&mut *self.line.sent.lock().expect("no panic"))
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

impl<B> tower_service::Service<http::Request<B>> for Line
where
    Door:
        tower_service::Service<http::Request<B>, Response = http::Response<DoorBody>, Error = std::convert::Infallible>,
    <Door as tower_service::Service<http::Request<B>>>::Future: Send + 'static,
{
    type Response = http::Response<DoorBody>;
    type Error = std::convert::Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
        self.door.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<B>) -> Self::Future {
        if self.down.load(Ordering::SeqCst) {
            let mut answer = http::Response::new(Full::from("down").boxed_unsync());
            *answer.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
            return Box::pin(async move { Ok(answer) });
        }
        let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
        let query = request.uri().query().unwrap_or_default().to_owned();
        let watches = query.contains("watch=true");
        request.extensions_mut().insert(self.user.clone());
        let answer = self.door.call(request);
        let mut cut = self.cut.subscribe();
        let (sent, lag) = (Arc::clone(&self.sent), Arc::clone(&self.lag));
        Box::pin(async move {
            let (parts, body) = answer.await?.into_parts();
            sent.lock().expect("no panic").push(Sent { method, path, query, status: parts.status.as_u16() });
            let broken = Box::pin(async move { drop(cut.changed().await) });
            let frames = BodyStream::new(body).take_until(broken).then(move |frame| {
                let late = if watches { *lag.lock().expect("no panic") } else { Duration::ZERO };
                async move {
                    tokio::time::sleep(late).await;
                    frame
                }
            });
            Ok(http::Response::from_parts(parts, StreamBody::new(frames).boxed_unsync()))
        })
    }
}
