//! From deadline to webhook: syncwatch beside Prometheus with Alertmanager.
//!
//! One fleet of lanes is shown to both: as synchronization jobs of a small Graph, and as time
//! stamps to scrape. Some lanes stopped at seeded instants; their deadlines fall into the measured
//! time. Both post to the same sink, which notes the arrival.

pub mod fleet;
pub mod graph;
pub mod ours;
pub mod pair;
pub mod round;
pub mod sink;
