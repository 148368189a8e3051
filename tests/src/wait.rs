//! Waiting for a condition, with an end.

use std::fmt::Display;
use std::time::{Duration, Instant};

use anyhow::bail;

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Asks `probe` until it answers `Ok`, at most for `limit`.
///
/// A probe answers with what it sees while the condition does not hold; the last such status is part of the error,
/// so that a failed test says how far things had come.
///
/// # Errors
/// When the condition does not hold in time.
pub async fn until<T, E: Display>(
    what: &str,
    limit: Duration,
    mut probe: impl AsyncFnMut() -> Result<T, E>,
) -> anyhow::Result<T> {
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let status = match probe().await {
            Ok(value) => return Ok(value),
            Err(status) => status,
        };
        if started.elapsed() >= limit {
            bail!("waited {limit:?} for {what}; last status: {status:#}");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn condition_that_comes_true_ends_the_wait() {
        let mut asked = 0;
        let found = until("a third question", Duration::from_secs(10), async || {
            asked += 1;
            if asked == 3 {
                Ok("three")
            } else {
                Err(format!("asked {asked} times"))
            }
        })
        .await;
        assert_eq!(found.ok(), Some("three"));
    }

    #[tokio::test]
    async fn condition_that_never_holds_fails_with_its_last_status() {
        let mut asked = 0;
        let outcome = until("the impossible", Duration::from_millis(30), async || {
            asked += 1;
            Err::<(), _>(format!("answer {asked}"))
        })
        .await;
        let text = outcome.expect_err("never Ok").to_string();
        assert!(
            text.starts_with("waited 30ms for the impossible; last status: answer "),
            "{text}"
        );
        assert!(text.ends_with(&asked.to_string()), "{text}");
    }
}
