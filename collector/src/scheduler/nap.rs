//! Starting on time to a fraction of a millisecond.

use std::time::{Duration, Instant};

/// How long before its start a poll is handed over: time to look up what it is for.
pub(super) const HEAD_START: Duration = Duration::from_millis(5);

/// The runtime's timers and the system calls below them round up to whole milliseconds each; the
/// last ones are waited for awake.
const AWAKE: Duration = Duration::from_millis(2);

/// Waits until `is_time`, but no longer than `left`.
pub(super) async fn until(left: Duration, is_time: impl Fn() -> bool) {
    let end = Instant::now() + left;
    if left > AWAKE {
        tokio::time::sleep(left - AWAKE).await;
    }
    while !is_time() && Instant::now() < end {
        tokio::task::yield_now().await;
    }
}
