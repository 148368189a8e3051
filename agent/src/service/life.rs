//! From start to end: what the system is told, and when.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::cli::Failed;

/// Where the service is in its life; it never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It was called and gets ready.
    Starting,
    /// It does its work.
    Running,
    /// It was told to stop.
    Stopping,
    /// It is over; 0 when all was well.
    Stopped(u8),
}

/// Tells the system.
pub trait Reporter: Send + Sync {
    /// Tells it a phase. A refusal cannot be helped.
    fn report(&self, phase: Phase);
}

/// The wish that the service stops. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stop {
    /// Utters it.
    pub fn ask(&self) {
        self.0.send_replace(true);
    }

    /// Waits for it.
    pub async fn asked(self) {
        let mut asked = self.0.subscribe();
        // This holds the sender, so the channel does not close.
        let _ = asked.wait_for(|asked| *asked).await;
    }
}

/// The life of a service: phases are told once, and in their order, whoever comes first.
#[derive(Debug)]
pub struct Life<R> {
    reporter: R,
    told: Mutex<Option<Phase>>,
    stop: Stop,
}

impl<R: Reporter> Life<R> {
    /// A service that was called.
    pub fn new(reporter: R, stop: Stop) -> Self {
        Self {
            reporter,
            told: Mutex::new(None),
            stop,
        }
    }

    /// Does the work from start to end; gives the code that the system was told. `work` gets what to
    /// call once it is ready, and the wish to stop.
    pub fn live(&self, work: impl FnOnce(&dyn Fn(), Stop) -> Result<(), Failed>) -> u8 {
        self.tell(Phase::Starting);
        let ready = || self.tell(Phase::Running);
        let code = match work(&ready, self.stop.clone()) {
            Ok(()) => 0,
            Err(failed) => failed.log(),
        };
        self.tell(Phase::Stopped(code));
        code
    }

    /// The system wants it to stop.
    pub fn told_to_stop(&self) {
        self.tell(Phase::Stopping);
        self.stop.ask();
    }

    fn tell(&self, phase: Phase) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| told < phase) {
            *told = Some(phase);
            self.reporter.report(phase);
        }
    }
}
