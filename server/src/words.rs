//! Times and counts as people read them.

use std::time::Duration;

use syncwatch_domain::span::Span;
use syncwatch_domain::time::Timestamp;

/// A span in its two largest units: `3d4h`, `12m5s`, `40s`.
pub(crate) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let unit = match seconds {
        0..3_600 => 1,
        3_600..86_400 => 60,
        _ => 3_600,
    };
    Span::secs(seconds - seconds % unit).to_string()
}

/// How long ago something was, or how far ahead it is.
pub(crate) fn distance(at: Timestamp, now: Timestamp) -> String {
    if at > now {
        format!("in {}", span(at.since(now)))
    } else {
        format!("{} ago", span(now.since(at)))
    }
}

/// The same for what may never have been.
pub(crate) fn distance_or(at: Option<Timestamp>, now: Timestamp, never: &str) -> String {
    at.map_or_else(|| never.to_owned(), |at| distance(at, now))
}

/// `1 lane`, `2 lanes`.
pub(crate) fn count(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

/// Why an alert whose cause is over was not told yet.
pub(crate) fn waits(speaks_at: Timestamp, now: Timestamp) -> String {
    if speaks_at > now {
        format!(
            "its cause is over: told {} if it still holds then",
            distance(speaks_at, now)
        )
    } else {
        "its cause is over: told if the next read shows that it still holds".to_owned()
    }
}

/// A text that cannot move a cursor or break a line.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_with_its_end() {
        let now = Timestamp::from_millis(60_000);
        assert_eq!(
            waits(Timestamp::from_millis(100_000), now),
            "its cause is over: told in 40s if it still holds then"
        );
        assert_eq!(
            waits(now, now),
            "its cause is over: told if the next read shows that it still holds"
        );
    }

    #[test]
    fn spans_are_told_in_two_units() {
        for (seconds, text) in [
            (0, "0s"),
            (40, "40s"),
            (725, "12m5s"),
            (7_199, "1h59m"),
            (273_000, "3d3h"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn distances_know_past_and_future() {
        let now = Timestamp::from_millis(1_000_000);
        assert_eq!(distance(now - Duration::from_secs(90), now), "1m30s ago");
        assert_eq!(distance(now + Duration::from_secs(90), now), "in 1m30s");
        assert_eq!(distance_or(None, now, "never"), "never");
    }

    #[test]
    fn what_came_from_outside_cannot_move_the_cursor() {
        assert_eq!(plain("a\u{1b}[2Jb\nc"), "a [2Jb c");
    }
}
