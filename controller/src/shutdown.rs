//! The end in order: no new passes, those under way end, and only then is the lease given back.

use tokio::sync::watch;

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Running,
    /// Nothing new is begun.
    Begun,
    /// No pass is under way any more.
    PassesEnded,
}

/// Begins the end.
#[derive(Clone, Debug)]
pub struct ShutdownHandle {
    stage: watch::Sender<Stage>,
}

/// What each task looks at to learn of the end.
#[derive(Clone, Debug)]
pub struct Shutdown {
    stage: watch::Receiver<Stage>,
}

impl ShutdownHandle {
    /// A controller that runs, and the way to end it.
    pub fn new() -> (Self, Shutdown) {
        let (sender, receiver) = watch::channel(Stage::Running);
        (Self { stage: sender }, Shutdown { stage: receiver })
    }

    /// Asks everything to end.
    pub fn begin(&self) {
        self.advance(Stage::Begun);
    }

    pub(crate) fn passes_ended(&self) {
        self.advance(Stage::PassesEnded);
    }

    fn advance(&self, to: Stage) {
        self.stage.send_modify(|stage| *stage = to.max(*stage));
    }
}

impl Shutdown {
    pub(crate) fn begun(&self) -> bool {
        *self.stage.borrow() >= Stage::Begun
    }

    /// Returns once the end has begun (also when nobody is left who could begin it).
    pub async fn wait(&mut self) {
        let _ = self.stage.wait_for(|stage| *stage >= Stage::Begun).await;
    }

    pub(crate) async fn wait_for_passes(&mut self) {
        let _ = self.stage.wait_for(|stage| *stage >= Stage::PassesEnded).await;
    }
}
