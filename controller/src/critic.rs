//! Mistakes in templates, told where their authors look: by an event on the template, once for each state of its spec,
//! whether or not a Rollout uses it yet.

use std::collections::BTreeSet;
use std::sync::Arc;

use sluice_planner::{Event, EventType, Template};

use crate::cache::Watched;
use crate::fence::Fence;
use crate::hub::Hub;
use crate::recorder::{Recorder, Subject};
use crate::shutdown::Shutdown;

/// A template's kind, uid and generation.
type Told = BTreeSet<(Watched, String, i64)>;

/// Tells of templates until shutdown, as long as this replica leads.
pub(crate) async fn run(hub: Arc<Hub>, recorder: Recorder, mut fence: Fence, mut shutdown: Shutdown) {
    let mut told = Told::new();
    while !shutdown.begun() {
        if fence.may_write() {
            told = tell(&hub.wrong_templates(), &told, &recorder);
        }
        tokio::select! {
            () = hub.templates_stirred() => {}
            () = fence.changed() => {}
            () = shutdown.wait() => {}
        }
    }
}

/// Tells what is new, and says what there is.
fn tell(wrong: &[(Watched, Arc<Template>)], told: &Told, recorder: &Recorder) -> Told {
    let mut now = Told::new();
    for (kind, template) in wrong {
        let meta = &template.meta;
        let state = (*kind, meta.uid.clone(), meta.generation);
        if !told.contains(&state) {
            let subject = Subject {
                kind: *kind,
                namespace: meta.namespace.clone(),
                name: meta.name.clone(),
                uid: meta.uid.clone(),
            };
            recorder.tell_once(&subject, &event(template), &meta.generation.to_string());
        }
        now.insert(state);
    }
    now
}

fn event(template: &Template) -> Event {
    let mistakes: Vec<String> = template.mistakes.iter().map(ToString::to_string).collect();
    Event { kind: EventType::Warning, reason: "InvalidTemplate", message: mistakes.join("; ") }
}
