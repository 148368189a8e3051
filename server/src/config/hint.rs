//! Did you mean.

use super::report::{Place, Problem};

/// Keys that this version does not know although its documents speak of the thing.
const NOT_YET: &[(&str, &str)] = &[
    (
        "maintenance",
        "planned maintenance is not in this version; pause lanes with [[lanes.override]] paused = true",
    ),
    ("report", "reports are not in this version"),
];

/// The candidate that is most like `word`, if one is like enough.
pub(super) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    let limit = 1 + word.chars().count() / 4;
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// The report of a key nobody knows.
pub(super) fn unknown_key(key: &str, path: &str, place: &Place, known: &[&str]) -> Problem {
    if let Some((_, why)) = NOT_YET.iter().find(|(name, _)| *name == key) {
        return Problem::new(place.clone(), path, "not in this version")
            .mend(format!("remove it: {why}"));
    }
    let problem = Problem::new(
        place.clone(),
        path,
        format!("{key:?} is no key of this table"),
    );
    match nearest(key, known.iter().copied()) {
        Some(near) => problem.mend(format!("did you mean {near:?}?")),
        None if known.is_empty() => problem.mend("remove it"),
        None => problem.mend(format!("remove it, or use one of: {}", known.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        let known = ["listen", "external_url", "log_format"];
        assert_eq!(nearest("lisen", known), Some("listen"));
        assert_eq!(nearest("External-URL", known), Some("external_url"));
        assert_eq!(nearest("colour", known), None);
    }
}
