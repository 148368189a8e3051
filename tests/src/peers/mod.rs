//! Real servers that tests talk to: databases, the Prometheus family, a mail server, a browser.
//!
//! Each `start` returns once the peer answers. What a peer writes goes to a log in its folder; a start that fails
//! carries the end of it.

mod alertmanager;
mod chromium;
mod port;
mod postfix;
mod postgres;
mod process;
mod program;
mod prometheus;
pub mod promtool;
mod sample;
mod usage;
mod victoria;

pub use alertmanager::{Alertmanager, AlertmanagerBuilder};
pub use chromium::Chromium;
pub use port::Port;
pub use postfix::{Mail, Postfix};
pub use postgres::{Durability, POSTGRES_URL, Postgres, TestDatabase};
pub use program::find_program;
pub use prometheus::{Prometheus, PrometheusBuilder};
pub use sample::Sample;
pub use usage::Usage;
pub use victoria::VictoriaMetrics;
