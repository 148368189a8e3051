//! Everything random is a pure function of the seed and a place: asking twice gives the same answer, and
//! adding a draw in one place moves no other.

/// The root of all chance of one story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub u64);

/// One step of SplitMix64: spreads any change of the input over all output bits.
const fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Seed {
    /// A seed for a named corner of the world.
    #[must_use]
    pub fn corner(self, name: &str) -> Self {
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(mix(self.0 ^ hash))
    }

    /// A seed for the n-th thing of a corner.
    #[must_use]
    pub const fn nth(self, n: u64) -> Self {
        Self(mix(self.0 ^ mix(n)))
    }

    /// A number below `bound` (0 if the bound is 0).
    #[must_use]
    pub const fn below(self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { mix(self.0) % bound }
    }

    /// True in `share` of all cases.
    #[must_use]
    pub fn happens(self, share: f64) -> bool {
        const STEPS: u32 = 1 << 24;
        let drawn = u32::try_from(self.below(u64::from(STEPS))).unwrap_or(0);
        f64::from(drawn) < share * f64::from(STEPS)
    }

    /// A duration between `base * (1 - share)` and `base * (1 + share)`.
    #[must_use]
    pub fn around(self, base_ms: i64, share: f64) -> i64 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "spans of a story are far below 2^52 ms"
        )]
        #[expect(
            clippy::cast_precision_loss,
            reason = "spans of a story are far below 2^52 ms"
        )]
        let width = (base_ms as f64 * share) as i64;
        base_ms - width + self.upto(width.saturating_mul(2))
    }

    /// A duration from 0 to `most_ms` inclusive.
    #[must_use]
    pub fn upto(self, most_ms: i64) -> i64 {
        let bound = u64::try_from(most_ms).map_or(1, |most| most.saturating_add(1));
        i64::try_from(self.below(bound)).unwrap_or(0)
    }

    /// One element of a list.
    #[must_use]
    pub fn pick<T: Copy>(self, list: &[T]) -> T {
        let index = usize::try_from(self.below(list.len() as u64)).unwrap_or(0);
        list[index]
    }

    /// A version 4 GUID in the usual spelling.
    #[must_use]
    pub fn guid(self) -> String {
        let high = mix(self.0 ^ 0xa5a5) & 0xffff_ffff_ffff_0fff | 0x4000;
        let low = mix(self.0 ^ 0x5a5a) & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000;
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }

    /// Lower-case hexadecimal text of a given length, at most 16.
    #[must_use]
    pub fn hex(self, digits: usize) -> String {
        format!("{:016x}", mix(self.0 ^ 0x1234))[..digits.min(16)].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_are_well_formed_and_differ() {
        let seed = Seed(7).corner("users");
        let first = seed.nth(0).guid();
        assert_eq!(first.len(), 36);
        assert_eq!(&first[14..15], "4");
        assert!("89ab".contains(&first[19..20]), "variant of {first}");
        assert_ne!(first, seed.nth(1).guid());
        assert_eq!(first, Seed(7).corner("users").nth(0).guid());
    }

    #[test]
    fn shares_are_kept() {
        let hits = (0..10_000)
            .filter(|n| Seed(1).nth(*n).happens(0.05))
            .count();
        assert!(
            (400..600).contains(&hits),
            "{hits} of 10000 for five percent"
        );
    }

    #[test]
    fn jitter_stays_within_its_share() {
        for n in 0..1000 {
            let span = Seed(3).nth(n).around(2000, 0.1);
            assert!((1800..=2200).contains(&span), "{span}");
        }
        assert_eq!(Seed(3).around(2000, 0.0), 2000);
    }
}
