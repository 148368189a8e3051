//! Why an attempt failed, in words that are fit for a log, a page and a message.

use std::error::Error;
use std::fmt::Write as _;

use syncwatch_domain::secret::REDACTED;
use url::Url;

use super::wording;

/// Longest quotation of what a receiver answered.
const LONGEST_QUOTE: usize = 300;

/// Shorter secrets are not searched for: they would hide innocent words.
const SHORTEST_SECRET: usize = 4;

/// An error with its causes, each said once.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.contains(&words) {
            write!(text, ": {words}").expect("writing to a String cannot fail");
        }
        source = cause.source();
    }
    text
}

/// What a receiver said, made safe: without `secrets`, on one line, not too long.
pub(super) fn quote(text: &str, secrets: &[String]) -> String {
    let mut text = text.to_owned();
    for secret in secrets
        .iter()
        .filter(|secret| secret.len() >= SHORTEST_SECRET)
    {
        text = text.replace(secret.as_str(), REDACTED);
    }
    wording::clip(&text, LONGEST_QUOTE)
}

/// The parts of a URL that a receiver might repeat and that must not be shown. Longest first, so
/// that no part is cut out of a longer one before that is found.
pub(super) fn secrets_of(url: &Url) -> Vec<String> {
    const TELLING: usize = 12;
    let mut found = vec![url.to_string(), url.path().to_owned()];
    found.extend(url.query().map(str::to_owned));
    let segments = url.path().split('/').filter(|part| part.len() >= TELLING);
    found.extend(segments.map(str::to_owned));
    for (_, value) in url.query_pairs() {
        found.push(value.into_owned());
    }
    for pair in url.query().into_iter().flat_map(|query| query.split('&')) {
        found.extend(pair.split_once('=').map(|(_, raw)| raw.to_owned()));
    }
    found.retain(|part| part.len() >= TELLING);
    found.sort_by_key(|part| std::cmp::Reverse(part.len()));
    found
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_url_is_quoted() {
        let url = "https://flows.example:443/workflows/4f2a77c0ffee4f2a/invoke?api-version=1&sig=Tu%2Flip-daffodil-rose";
        let url: Url = url.parse().unwrap();
        let secrets = secrets_of(&url);
        for said in [
            format!("cannot find {url}"),
            format!("no flow at {}", url.path()),
            "signature Tu/lip-daffodil-rose is wrong".to_owned(),
            "signature Tu%2Flip-daffodil-rose is wrong".to_owned(),
            "flow 4f2a77c0ffee4f2a is off".to_owned(),
        ] {
            let quoted = quote(&said, &secrets);
            assert!(quoted.contains(REDACTED), "{quoted}");
            for part in ["daffodil", "4f2a77c0ffee4f2a"] {
                assert!(!quoted.contains(part), "{quoted}");
            }
        }
    }

    #[test]
    fn quotations_are_short_and_on_one_line() {
        let quoted = quote(&format!("one\r\ntwo\u{202e}{}", "é".repeat(1_000)), &[]);
        assert!(quoted.starts_with("one two"), "{quoted}");
        assert!(quoted.chars().count() <= LONGEST_QUOTE, "{quoted}");
    }

    #[test]
    fn causes_are_said_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer: inner")]
        struct Outer(#[source] std::io::Error);
        let error = Outer(std::io::Error::other("inner"));
        assert_eq!(chain(&error), "outer: inner");
    }
}
