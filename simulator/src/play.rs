//! A story from its beginning to the quiet at its end.

use jiff::SignedDuration;
use serde_json::{Value, json};
use sluice_sandbox::api::request::Request;
use sluice_scenarios::{Action, Doing, Observed, Promotion, Skipping, doing};

use crate::quiet;
use crate::run::{Broken, Figures, Run};
use crate::story::{Happening, Story, What};

const ROLLOUTS: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/rollouts";
const MERGE: &str = "application/merge-patch+json";

/// What became of a story.
pub struct Played {
    /// What was done.
    pub figures: Figures,
    /// The promise that was broken, if one was.
    pub broken: Option<Broken>,
    /// What happened, line by line, if that was asked for.
    pub told: Vec<String>,
}

/// Plays a story; with `tells`, notes what happens.
pub fn play(story: &Story, tells: bool) -> Played {
    let mut run = Run::new(story, tells);
    let broken = live(&mut run).err();
    Played { figures: run.figures, broken, told: run.told.unwrap_or_default() }
}

fn live(run: &mut Run<'_>) -> Result<(), Broken> {
    let story = run.story;
    for (path, object) in &story.given {
        let response = run.ask(Request::post(path, object));
        assert!(response.status < 300, "{path}: {}", response.json_body());
    }
    let response = run.ask(Request::post(ROLLOUTS, &story.rollout));
    assert!(response.status < 300, "{}", response.json_body());
    for happening in &story.happenings {
        run.run_until(run.start + SignedDuration::from_millis(happening.at_ms))?;
        happen(run, happening);
    }
    run.run_until(run.now() + SignedDuration::from_secs(20))?;
    quiet::reach(run)
}

fn happen(run: &mut Run<'_>, Happening { what, .. }: &Happening) {
    run.tell(|| format!("== {what:?}"));
    run.figures.happenings += 1;
    let now = run.now();
    let later = |ms: &i64| now + SignedDuration::from_millis(*ms);
    match what {
        What::Change(change) => drop(run.ask(Request::patch(&web(), MERGE, &json!({"spec": change})))),
        What::Wish(status) => wish(run, status),
        What::Promote { full: false } => act(run, &Action::Promote(Promotion::Step)),
        What::Promote { full: true } => act(run, &Action::Promote(Promotion::Full)),
        What::Skip { all } => act(run, &Action::Skip(if *all { Skipping::All } else { Skipping::Current })),
        What::Undo(back) => undo(run, *back),
        What::Restart => act(run, &Action::Restart),
        What::Scale(replicas) => act(run, &Action::Scale(u32::try_from(*replicas).unwrap_or(1))),
        What::ByHand { collection, nth, change } => by_hand(run, collection, *nth, change.as_ref()),
        What::Reapply => reapply(run),
        What::Node { name, lost: true } => run.cluster.lose_node(name),
        What::Node { name, lost: false } => run.cluster.recover_node(name),
        What::Metrics(answers) => run.answers = *answers,
        What::Blind { kind, for_ms } => {
            run.controllers[0].blind(*kind, later(for_ms));
            run.stirred_until = run.stirred_until.max(later(for_ms) + SignedDuration::from_secs(1));
            run.figures.faults += 1;
        }
        What::Outage { for_ms } => {
            run.outage_until = later(for_ms);
            run.figures.faults += 1;
        }
        What::Crash { restart_ms, stale } => {
            run.crash(0, later(restart_ms), *stale);
            run.figures.faults += 1;
        }
        What::Rival { lag_ms, for_ms } => {
            if run.controllers.len() == 1 {
                run.begin_rival(*lag_ms, later(for_ms));
                run.figures.faults += 1;
            }
        }
    }
    if matches!(what, What::ByHand { .. } | What::Reapply | What::Change(_)) {
        run.forget_delays();
    }
    run.stir();
}

pub(crate) fn web() -> String {
    format!("{ROLLOUTS}/web")
}

pub(crate) fn wish(run: &mut Run<'_>, status: &Value) {
    run.ask(Request::patch(&format!("{}/status", web()), MERGE, &json!({"status": status})));
}

/// What a person does by the command line.
fn act(run: &mut Run<'_>, action: &Action) {
    let Some(rollout) = run.rollout() else { return };
    let sets = run.cluster.world().list("apps", "replicasets", "default");
    let observed = Observed {
        rollout: rollout.value().clone(),
        replica_sets: sets.iter().map(|set| set.value().clone()).collect(),
        ..Observed::default()
    };
    let Ok(Doing::Calls(calls)) = doing(action, &observed, "default", run.now()) else { return };
    for call in calls {
        let request =
            Request::new(call.method, &call.path).with_json(&call.body).with_header("content-type", call.content_type);
        run.ask(request);
    }
}

/// Back to an earlier revision: so many before the latest.
fn undo(run: &mut Run<'_>, back: u64) {
    let sets = run.cluster.world().list("apps", "replicasets", "default");
    let number = |set: &Value| -> Option<i64> {
        set["metadata"]["annotations"]["rollout.argoproj.io/revision"].as_str()?.parse().ok()
    };
    let mut revisions: Vec<i64> = sets.iter().filter_map(|set| number(set.value())).collect();
    revisions.sort_unstable();
    let at = revisions.len().checked_sub(1 + usize::try_from(back).unwrap_or(0));
    if let Some(revision) = at.map(|at| revisions[at]) {
        act(run, &Action::Undo(revision));
    }
}

fn by_hand(run: &mut Run<'_>, collection: &str, nth: u64, change: Option<&Value>) {
    let (group, plural) = match collection.trim_start_matches('/').split('/').collect::<Vec<_>>()[..] {
        ["apis", group, _, _, _, plural] => (group, plural),
        [_, _, _, _, plural] => ("", plural),
        _ => return,
    };
    let objects = run.cluster.world().list(group, plural, "default");
    let Some(object) = usize::try_from(nth).ok().and_then(|nth| objects.get(nth % objects.len().max(1))) else {
        return;
    };
    let path = format!("{collection}/{}", object.name());
    run.ask(match change {
        Some(change) => Request::patch(&path, MERGE, change),
        None => Request::delete(&path),
    });
}

/// Everything as it was declared in the beginning, over what is there.
pub(crate) fn reapply(run: &mut Run<'_>) {
    let story = run.story;
    let all = story.given.iter().map(|(path, object)| (path.as_str(), object));
    for (path, object) in all.chain([(ROLLOUTS, &story.rollout)]) {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let path = format!("{path}/{name}?fieldManager=git&force=true");
        run.ask(Request::patch(&path, "application/apply-patch+yaml", object));
    }
}
