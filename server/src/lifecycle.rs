//! Supervised tasks: each is known by name, and one that dies stops the process.
//!
//! A half-dead monitor is worse than a restarted one. The first signal stops softly: every task
//! finishes what is in flight. A second one, or the end of the grace, is hard.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The error of a task.
pub type TaskError = Box<dyn std::error::Error + Send + Sync>;

/// The running tasks of one service; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Every task that must be running.
    expected: BTreeSet<&'static str>,
    running: BTreeSet<&'static str>,
    /// The first task that died, and why.
    death: Option<String>,
}

/// How a service ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// On request; everything in flight was finished.
    Soft,
    /// On request; something was still in flight when the time was over or a second signal came.
    Hard,
    /// A task died.
    Died(String),
}

impl Tasks {
    /// Tasks that end when `stop` is cancelled.
    #[must_use]
    pub fn new(stop: CancellationToken) -> Self {
        Self {
            stop,
            ..Self::default()
        }
    }

    /// What every task watches to know when to end.
    #[must_use]
    pub const fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Starts a task. When it ends, fails or panics before it was told to stop, everything stops.
    pub fn spawn<E>(
        &self,
        name: &'static str,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) where
        E: Into<TaskError> + Send + 'static,
    {
        self.with(|state| {
            state.expected.insert(name);
            state.running.insert(name);
        });
        self.watched(name, false, task);
    }

    /// Starts a task that may come to an end, as the start of the service does.
    pub fn spawn_finite<E>(
        &self,
        name: &'static str,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) where
        E: Into<TaskError> + Send + 'static,
    {
        self.watched(name, true, task);
    }

    fn watched<E>(
        &self,
        name: &'static str,
        finite: bool,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) where
        E: Into<TaskError> + Send + 'static,
    {
        let watch = Watch {
            tasks: self.clone(),
            name,
            finite,
            outcome: None,
        };
        self.tracker.spawn(async move {
            let mut watch = watch;
            watch.outcome = Some(task.await.map_err(Into::into));
        });
    }

    /// The tasks that should run and do not.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        self.with(|state| state.expected.difference(&state.running).copied().collect())
    }

    /// Waits until every task has ended, after a stop was asked for or a task died.
    pub async fn ended(&self, grace: Duration, signals: &mut Signals) -> Ended {
        self.stop.cancelled().await;
        self.tracker.close();
        let soft = tokio::select! {
            () = self.tracker.wait() => true,
            () = tokio::time::sleep(grace) => false,
            () = signals.stop() => false,
        };
        match (self.with(|state| state.death.clone()), soft) {
            (Some(death), _) => Ended::Died(death),
            (None, true) => Ended::Soft,
            (None, false) => Ended::Hard,
        }
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Notices the end of a task, also by a panic: then there is no outcome.
struct Watch {
    tasks: Tasks,
    name: &'static str,
    finite: bool,
    outcome: Option<Result<(), TaskError>>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let name = self.name;
        self.tasks.with(|state| state.running.remove(name));
        let asked = self.tasks.stop.is_cancelled();
        let death = match self.outcome.take() {
            Some(Ok(())) if asked || self.finite => return,
            Some(Ok(())) => format!("the {name} ended although nobody asked it to"),
            Some(Err(error)) => format!("the {name} failed: {}", crate::chain(error.as_ref())),
            None if asked => return,
            None => format!("the {name} panicked"),
        };
        tracing::error!(task = name, reason = death, "a task died; stopping");
        self.tasks.with(|state| {
            state.death.get_or_insert(death);
        });
        self.tasks.stop.cancel();
    }
}

/// The signals that ask the process to stop.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Takes the signals over from their default, which is to die on the spot.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next request to stop.
    pub async fn stop(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => {
                    tracing::warn!("reloading the configuration is not in this version; restart to apply it");
                }
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(10);

    async fn end_of(tasks: &Tasks) -> Ended {
        let mut signals = Signals::listen().unwrap();
        tasks.ended(GRACE, &mut signals).await
    }

    #[tokio::test]
    async fn a_task_that_dies_stops_the_others_and_is_named() {
        let tasks = Tasks::default();
        let stop = tasks.stop().clone();
        tasks.spawn("listener", async move {
            stop.cancelled().await;
            Ok::<(), TaskError>(())
        });
        tasks.spawn("collector", async {
            Err::<(), TaskError>("no luck".into())
        });
        assert_eq!(
            end_of(&tasks).await,
            Ended::Died("the collector failed: no luck".into())
        );
    }

    #[tokio::test]
    async fn a_task_that_panics_or_ends_unasked_has_died() {
        for (panics, words) in [(true, "panicked"), (false, "nobody asked")] {
            let tasks = Tasks::default();
            tasks.spawn("evaluator", async move {
                assert!(!panics, "on purpose");
                Ok::<(), TaskError>(())
            });
            let Ended::Died(why) = end_of(&tasks).await else {
                panic!("it did not die")
            };
            assert!(why.contains(words), "{why}");
            assert_eq!(tasks.missing(), ["evaluator"]);
        }
    }

    #[tokio::test]
    async fn a_stop_on_request_is_soft_and_one_that_is_not_heard_is_hard() {
        let tasks = Tasks::default();
        let stop = tasks.stop().clone();
        tasks.spawn("deliverer", async move {
            stop.cancelled().await;
            Ok::<(), TaskError>(())
        });
        tasks.stop().cancel();
        assert_eq!(end_of(&tasks).await, Ended::Soft);

        let deaf = Tasks::default();
        deaf.spawn("deliverer", std::future::pending::<Result<(), TaskError>>());
        deaf.stop().cancel();
        let mut signals = Signals::listen().unwrap();
        assert_eq!(
            deaf.ended(Duration::from_millis(1), &mut signals).await,
            Ended::Hard
        );
    }
}
