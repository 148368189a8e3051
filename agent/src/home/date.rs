//! Instants as HTTP writes them: `Wed, 18 Nov 2026 08:01:30 GMT` (RFC 9110, 5.6.7).

use syncwatch_domain::time::Timestamp;

const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";

/// Milliseconds since 1970; `None` when it is no such text. The two obsolete forms are not read.
pub(super) fn read(text: &str) -> Option<i64> {
    let (_day_of_week, rest) = text.split_once(", ")?;
    let mut parts = rest.split(' ');
    let day: u32 = parts.next()?.parse().ok()?;
    let month = MONTHS.find(parts.next().filter(|name| name.len() == 3)?)?;
    let month = (month % 3 == 0).then_some(month / 3 + 1)?;
    let (year, time) = (parts.next()?, parts.next()?);
    if parts.next() != Some("GMT") {
        return None;
    }
    Timestamp::parse(&format!("{year}-{month:02}-{day:02}T{time}Z")).map(Timestamp::as_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_in_use_is_read_and_nothing_else() {
        let at = Timestamp::parse("2026-11-18T08:01:30Z").map(Timestamp::as_millis);
        assert_eq!(read("Wed, 18 Nov 2026 08:01:30 GMT"), at);
        assert!(at.is_some());
        for text in [
            "",
            "Wed, 18 Foo 2026 08:01:30 GMT",
            "Wed, 18 anF 2026 08:01:30 GMT",
            "Wed, 18 Nov 2026 08:01:30 CET",
            "Wed, 99 Nov 2026 08:01:30 GMT",
            "Wednesday, 18-Nov-26 08:01:30 GMT",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
