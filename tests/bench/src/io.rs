//! Bytes this process has written, as the kernel counts them.

use anyhow::Context;

/// What `/proc/self/io` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Bytes handed to the kernel by write calls.
    pub calls: u64,
    /// Bytes the kernel had to send to the disk.
    pub disk: u64,
}

impl Written {
    /// All since the start of the process.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn so_far() -> anyhow::Result<Self> {
        let text = std::fs::read_to_string("/proc/self/io").context("read /proc/self/io")?;
        parse(&text)
    }

    /// What came on top of an `earlier` reading.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            calls: self.calls - earlier.calls,
            disk: self.disk - earlier.disk,
        }
    }
}

fn parse(text: &str) -> anyhow::Result<Written> {
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        let value = line.with_context(|| format!("no {key} in /proc/self/io"))?;
        value
            .trim()
            .parse::<u64>()
            .with_context(|| format!("{key} {value}"))
    };
    Ok(Written {
        calls: value("wchar:")?,
        disk: value("write_bytes:")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_counts_are_found() {
        let text = "rchar: 1\nwchar: 22\nsyscr: 3\nread_bytes: 5\nwrite_bytes: 4096\ncancelled_write_bytes: 7\n";
        assert_eq!(
            parse(text).expect("well-formed"),
            Written {
                calls: 22,
                disk: 4096
            }
        );
        assert!(parse("wchar: 1").is_err());
    }

    #[test]
    fn what_is_written_is_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let before = Written::so_far().expect("the kernel tells");
        std::fs::write(folder.path().join("a"), vec![1_u8; 100_000]).expect("written");
        let after = Written::so_far().expect("the kernel tells");
        assert!(after.since(before).calls >= 100_000);
    }
}
