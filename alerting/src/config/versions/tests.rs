#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

#[test]
fn versions_are_compared_by_their_numbers() {
    let version = |text| Version::parse(text).unwrap();
    assert!(version("2.5.190.0") > version("2.5.79.0"));
    assert!(version("2.6") < version("2.6.0.1"));
    assert_eq!(version(" 1.1.1370.0 ").to_string(), "1.1.1370.0");
    for bad in ["", "2.6.x", "2.6.1.0.5", "v2.6", "99999999999.0"] {
        assert_eq!(Version::parse(bad), None, "{bad}");
    }
}

#[test]
fn the_table_of_this_build_can_be_read_and_is_in_order() {
    let table = Versions::embedded().unwrap();
    assert!(table.connect.is_sorted_by(|a, b| a.version < b.version));
    assert!(table.agent.is_sorted_by(|a, b| a.version < b.version));
    assert!(table.agent.is_sorted_by(|a, b| a.released < b.released));
    assert!(table.connect.is_sorted_by(|a, b| {
        let never = Timestamp::from_millis(i64::MAX);
        a.recalled || b.recalled || a.support_ends <= Some(b.support_ends.unwrap_or(never))
    }));
    assert!(!table.features.is_empty());
    let (floor, _) = table.floor.unwrap();
    assert!(table.connect.iter().any(|known| known.version == floor));
}

#[test]
fn support_lasts_until_the_end_of_its_day() {
    let table = Versions::embedded().unwrap();
    let version = Version::parse("2.6.1.0").unwrap();
    let known = table.connect.iter().find(|known| known.version == version);
    let ends = known.unwrap().support_ends.unwrap();
    assert_eq!(ends.to_string(), "2027-03-11T00:00:00Z");
}

#[test]
fn a_file_takes_its_place_and_a_bad_one_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("versions.toml");
    std::fs::write(&file, EMBEDDED.replace("2.6.92.0", "2.7.1.0")).unwrap();
    let newer = Versions::from_file(&file).unwrap();
    assert_eq!(newer.connect.last().unwrap().version.to_string(), "2.7.1.0");
    for (good, bad, complaint) in [
        (
            "2.6.92.0",
            "soon",
            "\"soon\" as version: write up to four numbers",
        ),
        (
            "2027-09-23",
            "next year",
            "\"next year\" as support_ends: write a day",
        ),
        ("as_of", "as_off", "unknown field `as_off`"),
    ] {
        std::fs::write(&file, EMBEDDED.replace(good, bad)).unwrap();
        let error = Versions::from_file(&file).unwrap_err().to_string();
        assert!(error.contains(complaint), "{error}");
        assert!(error.contains("versions.toml"), "{error}");
    }
    let gone = Versions::from_file(&folder.path().join("none")).unwrap_err();
    assert!(gone.to_string().contains("cannot read"), "{gone}");
}
