//! Tokens: kept in files, read at use, compared without telling how much of them was right.

use std::io;
use std::path::{Path, PathBuf};

use ring::hmac;
use ring::rand::SystemRandom;
use syncwatch_domain::secret::Secret;
use thiserror::Error;

/// No token is longer, in bytes: a file that was named by mistake is not read to its end.
const LONGEST: u64 = 4096;

/// Why there is no token.
#[derive(Debug, Error)]
pub enum TokenError {
    /// The file.
    #[error("cannot read the token from {}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// What it holds.
    #[error("{} holds no token: write one line of visible characters without blanks", file.display())]
    NoToken {
        /// The file.
        file: PathBuf,
    },
}

/// Reads a token.
///
/// # Errors
/// When the file cannot be read or holds no token.
pub fn read(file: &Path) -> Result<Secret<String>, TokenError> {
    use std::io::Read;
    let mut text = String::new();
    std::fs::File::open(file)
        .and_then(|opened| opened.take(LONGEST + 1).read_to_string(&mut text))
        .map_err(|source| TokenError::File {
            file: file.to_owned(),
            source,
        })?;
    let token = text.trim();
    // An empty file must not let in whoever sends nothing.
    let is_one = !token.is_empty() && text.len() as u64 <= LONGEST;
    if is_one && token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(Secret::new(token.to_owned()));
    }
    Err(TokenError::NoToken {
        file: file.to_owned(),
    })
}

/// Compares tokens by what a key makes of them that nobody knows: how long it takes says nothing
/// about either.
#[derive(Debug)]
pub(super) struct Comparer(hmac::Key);

impl Comparer {
    pub(super) fn new() -> Result<Self, ring::error::Unspecified> {
        hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map(Self)
    }

    pub(super) fn are_same(&self, shown: &str, expected: &Secret<String>) -> bool {
        let shown = hmac::sign(&self.0, shown.as_bytes());
        let expected = hmac::sign(&self.0, expected.expose().as_bytes());
        shown.as_ref() == expected.as_ref()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read_of(text: &str) -> Result<Secret<String>, TokenError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, text).unwrap();
        read(&file)
    }

    #[test]
    fn a_token_is_one_line_of_visible_characters() {
        assert_eq!(
            read_of("  marigold-17\r\n").unwrap().expose(),
            "marigold-17"
        );
        let long = "x".repeat(5000);
        for text in ["", " \n", "two words", "two\nlines", "gr\u{fc}n", &long] {
            let error = read_of(text).unwrap_err().to_string();
            assert!(error.contains("holds no token"), "{text:?}: {error}");
        }
        assert!(matches!(
            read(Path::new("/nowhere/token")),
            Err(TokenError::File { .. })
        ));
    }

    #[test]
    fn only_the_same_token_is_the_same() {
        let comparer = Comparer::new().unwrap();
        let expected = Secret::new("marigold-17".to_owned());
        assert!(comparer.are_same("marigold-17", &expected));
        for other in ["", "marigold-1", "marigold-170", "Marigold-17"] {
            assert!(!comparer.are_same(other, &expected), "{other}");
        }
    }
}
