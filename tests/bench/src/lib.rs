//! Measurements of syncwatch beside what it is compared with, each as one command.
//!
//! Guarantees: both sides do the same work on the same input in one run, alternating; results are compared before
//! speeds are; a report states machine, method, medians, the goal and whether it held. A smoke run of each belongs to
//! the tests, so that none rots. Must never: judge speed in a test.
//!
//! Entry points: the programs `ingest`, `parse`, `owners` and `latency`.

pub mod ingest;
pub mod io;
pub mod latency;
pub mod machine;
pub mod owners;
pub mod parse;
pub mod report;
pub mod stats;
