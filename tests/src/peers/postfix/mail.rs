//! A delivered mail.

use std::path::Path;

use anyhow::Context;

/// A mail as it lies in the mailbox.
#[derive(Clone, Debug)]
pub struct Mail {
    /// All of it, header lines first, with plain line feeds.
    pub raw: String,
}

impl Mail {
    /// The first header of this name, unfolded; the case of the name does not matter.
    ///
    /// Postfix adds `Delivered-To` (the recipient) and `Return-Path` (the sender of the envelope).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let mut lines = self.head().lines();
        let is_named = |line: &&str| {
            line.split_once(':')
                .is_some_and(|(key, _)| key.eq_ignore_ascii_case(name))
        };
        let first = lines.find(is_named)?.split_once(':')?.1.trim();
        let folded = lines
            .take_while(|line| line.starts_with([' ', '\t']))
            .map(str::trim);
        Some(
            std::iter::once(first)
                .chain(folded)
                .collect::<Vec<_>>()
                .join(" "),
        )
    }

    /// What follows the header, still in the encoding it was sent in.
    #[must_use]
    pub fn body(&self) -> &str {
        self.raw.split_once("\n\n").map_or("", |(_, body)| body)
    }

    fn head(&self) -> &str {
        self.raw
            .split_once("\n\n")
            .map_or(self.raw.as_str(), |(head, _)| head)
    }
}

/// Reads the mails of a Maildir in the order of their delivery.
pub(super) fn read_maildir(folder: &Path) -> anyhow::Result<Vec<Mail>> {
    let new = folder.join("new");
    if !new.exists() {
        // It is made by the first delivery.
        return Ok(Vec::new());
    }
    let mut files = std::fs::read_dir(&new)
        .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
        .with_context(|| format!("read {}", new.display()))?
        .into_iter()
        .map(|entry| Ok((entry.metadata()?.modified()?, entry.path())))
        .collect::<std::io::Result<Vec<_>>>()
        .context("read the times of the mails")?;
    files.sort();
    files
        .into_iter()
        .map(|(_, path)| {
            let raw = std::fs::read(&path).with_context(|| format!("read {}", path.display()))?;
            Ok(Mail {
                raw: String::from_utf8_lossy(&raw).replace("\r\n", "\n"),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_is_found_in_any_case_and_unfolded() {
        let raw =
            "Subject: a long\n subject\nTo: noc@example.test\n\nSubject: not this\n".to_owned();
        let mail = Mail { raw };
        assert_eq!(mail.header("subject").as_deref(), Some("a long subject"));
        assert_eq!(mail.header("To").as_deref(), Some("noc@example.test"));
        assert_eq!(mail.header("Cc"), None);
        assert_eq!(mail.body(), "Subject: not this\n");
    }
}
