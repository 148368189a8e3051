//! Judges lanes, raises alerts, decides who is told, and tells them.
//!
//! Guarantees: an alert and the messages about it are committed before anyone is told; a message
//! is tried until its receiver acknowledged it or refused it for good, and is never lost on the
//! way; repetitions carry the same idempotency key. It must never resolve an alert for want of
//! data, never repeat a secret in a log, an error or a message, and never let one slow receiver
//! hold up another.
//!
//! Start reading at [`evaluator::Evaluator`] (what is judged), [`config::check`] (what receivers
//! and routes mean), [`router::Router`] (who is told), [`notify::Notifier`] (how) and
//! [`deliverer::Deliverer`] (when, and how often).

pub mod config;
pub mod deliverer;
pub mod detect;
pub mod evaluator;
pub mod notify;
pub mod owners;
pub mod router;

#[cfg(test)]
mod testing;
