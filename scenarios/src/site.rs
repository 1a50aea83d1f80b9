//! A controller without threads: plan, do the writes, let the cluster answer, plan again.

use std::sync::{Arc, OnceLock};

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sluice_crds::Rollout;
use sluice_planner::{Action, Kind, Plan, Pod, ReadRollout, ReplicaSet, Service, Snapshot, Template, Write, plan};
use sluice_sandbox::Cluster;
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::{Request, Response};

use crate::calls::collection;
use crate::gateways::{gateways_accept, unaccepted_routes};
use crate::judge::{Judge, Scene};
use crate::routing;

const ISTIO: &str = include_str!("../../e2e/router-crds/istio.yaml");
const GATEWAY_API: &str = include_str!("../../e2e/router-crds/gateway-api.yaml");
/// Where everything happens.
pub(crate) const NAMESPACE: &str = "default";
const ROLLOUTS: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/rollouts";
/// So long a gateway takes to accept what a route says.
pub const GATEWAY_LAG: SignedDuration = SignedDuration::from_millis(200);
/// More passes than this without the clock moving, and the planner answers itself for ever.
const MOST_PASSES: usize = 300;

/// When the controller dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crashes {
    /// It lives on.
    Never,
    /// After each write, so that the next pass sees it and nothing more.
    AfterEachWrite,
}

/// A cluster with one Rollout and its controller.
pub struct Site {
    /// The cluster.
    pub cluster: Cluster,
    rollout: String,
    pub(crate) crashes: Crashes,
    judge: Judge,
    /// Requests that run all the time, by their host.
    pub(crate) flows: Vec<String>,
    /// Reasons of the events told, in order.
    pub events: Vec<&'static str>,
    /// The last plan for the Rollout.
    pub last: Plan,
    /// When an Experiment is to be looked at again.
    pub(crate) trials_wake: Option<Timestamp>,
    /// How many requests were sent for plans.
    pub writes: usize,
    /// Evictions that a disruption budget did not allow.
    pub refused: usize,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    Refused,
    Stale,
}

impl Site {
    /// With a Rollout that is called `web`.
    pub fn new(crashes: Crashes) -> Self {
        Self::releasing(crashes, "web")
    }

    /// With a Rollout of this name.
    pub fn releasing(crashes: Crashes, rollout: &str) -> Self {
        Self {
            cluster: empty_cluster(),
            rollout: rollout.to_owned(),
            crashes,
            judge: Judge::default(),
            flows: Vec::new(),
            events: Vec::new(),
            last: Plan::default(),
            trials_wake: None,
            writes: 0,
            refused: 0,
        }
    }

    /// A user creates something.
    pub fn create(&mut self, path: &str, yaml: &str) {
        let object: Value = serde_saphyr::from_str(yaml).expect("YAML");
        self.ask(Request::post(path, &object));
    }

    /// A user creates a Rollout.
    pub fn create_rollout(&mut self, yaml: &str) {
        self.create(ROLLOUTS, yaml);
    }

    /// A user changes the spec.
    pub fn change(&mut self, change: &Value) {
        self.judge.new_epoch();
        self.ask(Request::patch(&format!("{ROLLOUTS}/{}", self.rollout), "application/merge-patch+json", change));
    }

    /// A user or tool changes the status, as the kubectl plugin does.
    pub fn wish(&mut self, status: &Value) {
        self.judge.new_epoch();
        let path = format!("{ROLLOUTS}/{}/status", self.rollout);
        self.ask(Request::patch(&path, "application/merge-patch+json", &json!({ "status": status })));
    }

    /// Another image for the container `web`.
    pub fn set_image(&mut self, image: &str) {
        self.change_containers(&json!([{"name": "web", "image": image}]));
    }

    /// Other containers.
    pub fn change_containers(&mut self, containers: &Value) {
        self.change(&json!({"spec": {"template": {"spec": {"containers": containers}}}}));
    }

    /// Whatever happens next was not decided by the planner alone.
    pub fn new_epoch(&mut self) {
        self.judge.new_epoch();
    }

    /// The Rollout as it is stored.
    pub fn rollout(&self) -> Value {
        self.found().expect("the Rollout")
    }

    /// The same, if it is there.
    pub fn found(&self) -> Option<Value> {
        let object = self.cluster.world().get("argoproj.io", "rollouts", NAMESPACE, &self.rollout);
        object.map(|object| object.value().clone())
    }

    /// A field of the status.
    pub fn status(&self, field: &str) -> Value {
        self.rollout()["status"][field].clone()
    }

    /// Phase and message.
    pub fn said(&self) -> (String, String) {
        let text = |field: &str| self.status(field).as_str().unwrap_or_default().to_owned();
        (text("phase"), text("message"))
    }

    /// Revision, pods wanted and pods available of each ReplicaSet that has any, by revision.
    pub fn sizes(&self) -> Vec<(i64, i64, i64)> {
        let mut sizes: Vec<_> = self
            .cluster
            .world()
            .list("apps", "replicasets", "default")
            .iter()
            .map(|set| {
                let set = set.value();
                let revision = set["metadata"]["annotations"]["rollout.argoproj.io/revision"].as_str();
                let revision = revision.and_then(|text| text.parse().ok()).unwrap_or(0);
                let count = |value: &Value| value.as_i64().unwrap_or(0);
                (revision, count(&set["spec"]["replicas"]), count(&set["status"]["availableReplicas"]))
            })
            .filter(|(_, wanted, _)| *wanted > 0)
            .collect();
        sizes.sort_unstable();
        sizes
    }

    /// All objects of a kind that routers are told by, or that templates are taken from.
    pub(crate) fn of_kind(&self, kind: &str) -> Vec<Value> {
        let path = collection(kind, NAMESPACE).expect("a kind");
        let (group, plural) = match path.trim_start_matches('/').split('/').collect::<Vec<_>>()[..] {
            ["apis", group, _, "namespaces", _, plural] => (group.to_owned(), plural.to_owned()),
            ["api", _, "namespaces", _, plural] => (String::new(), plural.to_owned()),
            _ => panic!("{path} is no path of a routing kind"),
        };
        let objects = self.cluster.world().list(&group, &plural, NAMESPACE);
        objects.iter().map(|object| object.value().clone()).collect()
    }

    /// The revision's hash that a Service selects.
    pub fn selected(&self, service: &str) -> Value {
        let object = self.cluster.world().get("", "services", "default", service).expect("the Service");
        object.value()["spec"]["selector"]["rollouts-pod-template-hash"].clone()
    }

    /// Everything that a plan is made from.
    pub fn snapshot(&self) -> Snapshot {
        let world = self.cluster.world();
        let rollout: Rollout = serde_json::from_value(self.rollout()).expect("a Rollout");
        let rollout = ReadRollout::from(rollout);
        let routing = routing::objects(world, &rollout.routing_needs());
        let workloads = routing::workloads(world, rollout.workload_needs());
        let list = |group: &str, plural: &str| world.list(group, plural, "default");
        Snapshot {
            rollout: Arc::new(rollout),
            replica_sets: list("apps", "replicasets")
                .iter()
                .map(|object| Arc::new(ReplicaSet::from_json(object.value()).expect("a ReplicaSet")))
                .collect(),
            pods: list("", "pods").iter().map(|pod| Arc::new(Pod::from_json(pod.value()).expect("a pod"))).collect(),
            runs: decoded(&list("argoproj.io", "analysisruns")),
            experiments: decoded(&list("argoproj.io", "experiments")),
            templates: templates(&list("argoproj.io", "analysistemplates")),
            cluster_templates: templates(&world.list("argoproj.io", "clusteranalysistemplates", "")),
            services: list("", "services")
                .iter()
                .map(|service| Arc::new(Service::from_json(service.value()).expect("a Service")))
                .collect(),
            routing,
            workloads,
            probed: None,
            plugins: Arc::default(),
            called: None,
        }
    }

    /// What the runs of a kind are called, oldest first.
    pub fn runs(&self, kind: &str) -> Vec<String> {
        let runs = self.cluster.world().list("argoproj.io", "analysisruns", "default");
        let named = runs.iter().filter(|run| run.value()["metadata"]["labels"]["rollout-type"] == kind);
        named.map(|run| run.name().to_owned()).collect()
    }

    /// The controller of runs says what came of one.
    pub fn judge_run(&mut self, name: &str, status: &Value) {
        self.judge.new_epoch();
        let path = format!("/apis/argoproj.io/v1alpha1/namespaces/default/analysisruns/{name}");
        self.ask(Request::patch(&path, "application/merge-patch+json", &json!({ "status": status })));
    }

    /// One pass over the Rollout, or where that has nothing to write, over the Experiments. Says whether anything was
    /// written.
    pub fn pass(&mut self) -> bool {
        self.pass_over_rollout() || self.pass_over_experiments()
    }

    fn pass_over_rollout(&mut self) -> bool {
        if self.found().is_none() {
            self.last = Plan::default();
            return false;
        }
        let snapshot = self.snapshot();
        let decided = plan(&snapshot, self.cluster.now());
        assert_eq!(decided, plan(&snapshot, self.cluster.now()), "the same snapshot and time, another plan");
        assert!(!decided.why.is_empty(), "a plan that does not say why");
        self.execute(decided)
    }

    /// Does what a plan says, as far as nothing fails or dies.
    pub fn execute(&mut self, decided: Plan) -> bool {
        self.last = decided.clone();
        let mut wrote = decided.status.is_some();
        for write in decided.writes {
            match self.write(&write) {
                Answer::Done => wrote = true,
                Answer::Refused => continue,
                Answer::Stale => return true,
            }
            self.tell(&write.events);
            if self.crashes == Crashes::AfterEachWrite {
                return true;
            }
        }
        if decided.status.is_none_or(|write| self.write(&write) == Answer::Done) {
            self.tell(&decided.events);
        }
        wrote
    }

    fn tell(&mut self, events: &[sluice_planner::Event]) {
        for event in events {
            self.events.push(event.reason);
            match event.reason {
                // Going back is another direction, and our own decision where a deadline asks for it.
                "RolloutAborted" => self.judge.new_epoch(),
                // The next step may ask for less than the one before.
                "RolloutStepCompleted" => self.judge.new_step(),
                _ => {}
            }
        }
    }

    fn write(&mut self, write: &Write) -> Answer {
        let rollout = self.rollout();
        self.judge.before(&Scene::of(self.cluster.world()), &rollout, write);
        let shares = Judge::shares(&Scene::of(self.cluster.world()), &rollout);
        let answer = self.request(write);
        if let Some(before) = shares.filter(|_| answer == Answer::Done) {
            Judge::after(&Scene::of(self.cluster.world()), &rollout, write, &before);
        }
        answer
    }

    /// Sends a write that was judged.
    pub(crate) fn request(&mut self, write: &Write) -> Answer {
        let manager = write.target.kind.field_manager();
        let path = format!("{}?fieldManager={manager}", write.target.path(&write.action));
        let request = Request::new(write.action.method(), &path)
            .with_json(&write.action.body())
            .with_header("content-type", write.action.content_type());
        let before = self.cluster.world().revision();
        let response = self.cluster.handle(&request.as_user(User::admin()));
        self.writes += 1;
        let changed = self.cluster.world().revision() != before;
        let done = response.status < 300;
        assert!(!done || changed, "a write that changed nothing: {write:?}");
        // A pod that is gone, or that a budget protects, holds nothing else up.
        if matches!(response.status, 404 | 429) && !write.must_succeed() {
            self.refused += usize::from(response.status == 429);
            return Answer::Refused;
        }
        if !done {
            let stale = response.status == 409 || is_failed_test(&response);
            assert!(stale, "{} {path}: {} {}", write.action.method(), response.status, response.json_body());
        }
        if write.target.kind == Kind::RolloutStatus {
            let Action::Patch(_) = &write.action else { panic!("a status is patched") };
        }
        if done { Answer::Done } else { Answer::Stale }
    }

    /// Passes until nothing is left to write at this moment.
    pub fn settle(&mut self) {
        for _ in 0..MOST_PASSES {
            if !self.pass() {
                return;
            }
        }
        panic!("the planner does not come to rest: {:#?}", self.last);
    }

    /// Lets time pass; everything on the way happens at its own moment.
    pub fn run_for(&mut self, seconds: i64) {
        let until = self.cluster.now() + SignedDuration::from_secs(seconds);
        while self.advance(until) {}
    }

    /// Lets time pass until something happens, but not beyond `until`. Says whether there is time left.
    pub fn advance(&mut self, until: Timestamp) -> bool {
        self.settle();
        if self.cluster.now() >= until {
            return false;
        }
        let wakes = [self.cluster.next_wake(), self.last.wake_at, self.trials_wake];
        let next = wakes.into_iter().flatten().filter(|wake| *wake > self.cluster.now()).min();
        let next = next.map_or(until, |wake| wake.min(until));
        let unheard = unaccepted_routes(&self.cluster);
        self.cluster.advance_to(if unheard { next.min(self.cluster.now() + GATEWAY_LAG) } else { next });
        if unheard {
            gateways_accept(&mut self.cluster);
        }
        self.settle();
        true
    }

    /// A request of an administrator, which must succeed.
    pub fn ask(&mut self, request: Request) -> Value {
        let response = self.cluster.handle(&request.as_user(User::admin()));
        assert!(response.status < 300, "{} {}", response.status, response.json_body());
        response.json_body()
    }
}

pub(crate) fn decoded<T: DeserializeOwned>(objects: &[Arc<sluice_sandbox::world::Object>]) -> Vec<Arc<T>> {
    let decoded = objects.iter().map(|object| serde_json::from_value(object.value().clone()).expect("an object"));
    decoded.map(Arc::new).collect()
}

pub(crate) fn templates(objects: &[Arc<sluice_sandbox::world::Object>]) -> Vec<Arc<Template>> {
    objects.iter().map(|object| Arc::new(Template::from_json(object.value()).expect("a template"))).collect()
}

/// A cluster that knows the kinds that Sluice serves, with three nodes. Reading their schemas takes longer than most stories do, so all
/// begin with a fork of the same one.
pub fn empty_cluster() -> Cluster {
    static EMPTY: OnceLock<Cluster> = OnceLock::new();
    let empty = EMPTY.get_or_init(|| {
        let mut cluster = Cluster::new(7, 3, "2026-01-01T00:00:00Z".parse().expect("a time"));
        let routers =
            [ISTIO, GATEWAY_API].into_iter().flat_map(|yaml| serde_saphyr::from_multiple::<Value>(yaml).expect("YAML"));
        for crd in sluice_crds::schema::crds().into_iter().chain(routers) {
            let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
            let response = cluster.handle(&Request::post(path, &crd).as_user(User::admin()));
            assert_eq!(response.status, 201, "{}", response.json_body());
        }
        cluster
    });
    empty.clone()
}

/// The API server refuses a patch whose `test` fails with a bare 422, and says nothing of why; a value
/// that breaks a rule is refused with its causes.
pub fn is_failed_test(response: &Response) -> bool {
    response.status == 422 && response.json_body()["details"].get("causes").is_none()
}
