//! Short stable digests, for keys that must be the same after a restart.

use sha2::{Digest, Sha256};

/// The first 16 bytes of SHA-256 over `parts`, each preceded by its length so that no two lists
/// of parts run together.
#[must_use]
pub fn digest16(parts: &[&str]) -> [u8; 16] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let full = hasher.finalize();
    let mut short = [0; 16];
    short.copy_from_slice(&full[..16]);
    short
}

/// The same digest as 32 lower-case hexadecimal digits.
#[must_use]
pub fn digest_hex(parts: &[&str]) -> String {
    use std::fmt::Write as _;
    digest16(parts)
        .iter()
        .fold(String::with_capacity(32), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a String cannot fail");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(digest_hex(&["ab", "c"]), digest_hex(&["a", "bc"]));
        assert_eq!(digest_hex(&["ab", "c"]), digest_hex(&["ab", "c"]));
        assert_eq!(digest_hex(&[]).len(), 32);
    }
}
