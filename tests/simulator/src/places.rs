//! Containers of a domain: deep ones, names with characters that must be escaped, names beyond ASCII, and names that
//! only look alike.

use crate::chance::Seed;

/// Paths below the domain, as Active Directory writes them. Most people lie below `OU=Staff`.
const PATHS: [&str; 16] = [
    "OU=Staff",
    "OU=Pilot,OU=Staff",
    "OU=Vertrieb Süd,OU=Staff",
    "OU=Einkauf\\, Werk 2,OU=Staff",
    "OU=Ärzte,OU=Klinik,OU=Staff",
    "OU=Forschung \\+ Entwicklung,OU=Staff",
    "OU=9,OU=8,OU=7,OU=6,OU=5,OU=4,OU=3,OU=2,OU=1,OU=Staff",
    "OU=İstanbul,OU=Staff",
    "OU=NotStaff",
    "OU=Staff,OU=NotStaff",
    "OU=\\#Projekte,OU=Extern",
    "OU=Lieferanten \\\"A\\\",OU=Extern",
    "OU=Łódź\\, Śródmieście,OU=Werke",
    "OU=Ещё один,OU=Werke",
    "OU=Halle\\\\3,OU=Werke",
    "CN=Users",
];

/// How many places there are.
pub(crate) const COUNT: usize = PATHS.len();

/// The path of a place below its domain.
pub(crate) fn path(place: usize) -> &'static str {
    PATHS[place % COUNT]
}

/// A place.
pub(crate) fn draw(seed: Seed) -> usize {
    usize::try_from(seed.below(COUNT as u64)).unwrap_or(0)
}

/// Another place than `place`.
pub(crate) fn other(place: usize, seed: Seed) -> usize {
    let step = usize::try_from(seed.below(COUNT as u64 - 1)).unwrap_or(0);
    (place + 1 + step) % COUNT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_ends_elsewhere_by_number() {
        for place in 0..COUNT {
            for n in 0..50 {
                assert_ne!(other(place, Seed(n)), place);
                assert!(other(place, Seed(n)) < COUNT);
            }
        }
    }
}
