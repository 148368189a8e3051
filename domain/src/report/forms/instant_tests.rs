use proptest::prelude::*;
use serde_json::json;

use super::*;

const KINDS: [Kind; 3] = [Kind::Marked, Kind::UtcReading, Kind::Unsure];

/// 2026-11-17T09:41:12.413Z.
const AT: i64 = 1_794_908_472_413;

fn berlin() -> Forms {
    Forms::with_offset(60, Timestamp::from_millis(AT))
}

fn london() -> Forms {
    Forms::with_offset(0, Timestamp::from_millis(AT))
}

fn read(forms: Forms, value: &Value, kind: Kind) -> Result<Option<i64>, Fault> {
    forms
        .instant(value, kind)
        .map(|at| at.map(Timestamp::as_millis))
}

#[test]
fn zoned_text_is_what_it_says_under_every_kind() {
    for forms in [Forms::without_offset(), berlin()] {
        for kind in KINDS {
            for text in [
                "2026-11-17T09:41:12.413Z",
                "2026-11-17T09:41:12.4130000Z",
                "2026-11-17T10:41:12.4130000+01:00",
            ] {
                assert_eq!(read(forms, &json!(text), kind), Ok(Some(AT)), "{text}");
            }
        }
    }
}

#[test]
fn marked_ticks_are_true_whatever_the_offset() {
    for text in [
        "/Date(1794908472413)/",
        "\\/Date(1794908472413)\\/",
        "/Date(1794908472413+0100)/",
        "/Date(1794908472413-0500)/",
    ] {
        for forms in [Forms::without_offset(), berlin()] {
            assert_eq!(
                read(forms, &json!(text), Kind::Marked),
                Ok(Some(AT)),
                "{text}"
            );
        }
    }
}

#[test]
fn ticks_of_a_utc_reading_are_shifted_by_the_offset() {
    let early = json!(format!("/Date({})/", AT - 3_600_000));
    assert_eq!(read(berlin(), &early, Kind::UtcReading), Ok(Some(AT)));
    let told = json!(format!("/Date({}+0100)/", AT - 3_600_000));
    assert_eq!(
        read(Forms::without_offset(), &told, Kind::UtcReading),
        Ok(Some(AT))
    );
    assert_eq!(
        read(Forms::without_offset(), &early, Kind::UtcReading),
        Err(Fault::Ambiguous(NEEDS_OFFSET))
    );
}

#[test]
fn unsure_ticks_are_read_only_where_both_kinds_agree() {
    let ticks = json!(format!("/Date({AT})/"));
    assert_eq!(read(london(), &ticks, Kind::Unsure), Ok(Some(AT)));
    for forms in [berlin(), Forms::without_offset()] {
        assert_eq!(
            read(forms, &ticks, Kind::Unsure),
            Err(Fault::Ambiguous(EITHER_KIND))
        );
    }
}

#[test]
fn bare_text_is_utc_in_a_utc_field_and_refused_elsewhere() {
    let bare = json!("2026-11-17T09:41:12.413");
    for kind in [Kind::UtcReading, Kind::Unsure] {
        assert_eq!(read(berlin(), &bare, kind), Ok(Some(AT)));
    }
    assert_eq!(
        read(berlin(), &bare, Kind::Marked),
        Err(Fault::Ambiguous(NO_ZONE))
    );
    assert_eq!(read(london(), &bare, Kind::Marked), Ok(Some(AT)));
}

/// In October the same server may have been an hour further ahead.
#[test]
fn offset_of_another_season_is_not_used() {
    let october = json!("/Date(1791453600000)/");
    assert_eq!(
        read(berlin(), &october, Kind::UtcReading),
        Err(Fault::Ambiguous(NEEDS_OFFSET))
    );
    let kolkata = Forms::with_offset(330, Timestamp::from_millis(AT));
    assert_eq!(
        read(kolkata, &october, Kind::UtcReading),
        Ok(Some(1_791_453_600_000 + 330 * 60_000))
    );
}

#[test]
fn offset_that_no_zone_has_is_not_used() {
    let odd = Forms::with_offset(17, Timestamp::from_millis(AT));
    assert!(read(odd, &json!(format!("/Date({AT})/")), Kind::UtcReading).is_err());
}

#[test]
fn no_date_is_none_under_every_kind() {
    for value in [
        json!(null),
        json!(""),
        json!("/Date(-62135596800000)/"),
        json!("/Date(-62135578800000)/"),
        json!("0001-01-01T00:00:00"),
        json!("0001-01-01T00:00:00.0000000Z"),
        json!("1601-01-01T00:00:00Z"),
        json!({"value": "/Date(-62135596800000)/", "DisplayHint": 2}),
    ] {
        for kind in KINDS {
            assert_eq!(
                read(Forms::without_offset(), &value, kind),
                Ok(None),
                "{value}"
            );
        }
    }
}

#[test]
fn wrapped_date_is_unwrapped() {
    let value = json!({
        "value": "/Date(1794908472413)/",
        "DisplayHint": 2,
        "DateTime": "Dienstag, 17. November 2026 10:41:12",
    });
    assert_eq!(read(berlin(), &value, Kind::Marked), Ok(Some(AT)));
}

#[test]
fn what_is_no_instant_is_refused() {
    for value in [
        json!("17.11.2026 10:41:12"),
        json!("11/17/2026 9:41:12 AM"),
        json!("2026-11-17"),
        json!("/Date()/"),
        json!("/Date(+5)/"),
        json!("/Date(5+1)/"),
        json!("/Date(5+9900)/"),
        json!("/Date(9223372036854775807)/"),
        json!("/Date(99999999999999999999)/"),
        json!(1_794_908_472_413_i64),
        json!([]),
        json!({"DateTime": "today"}),
    ] {
        assert!(
            matches!(
                read(berlin(), &value, Kind::Marked),
                Err(Fault::Unexpected(_))
            ),
            "{value}"
        );
    }
}

proptest! {
    #[test]
    fn every_form_of_an_instant_reads_back(seconds in 0_i64..4_000_000_000, ms in 0_i64..1000) {
        let at = seconds * 1000 + ms;
        let utc = DateTime::from_timestamp_millis(at).expect("within the calendar");
        for text in [
            format!("/Date({at})/"),
            format!("/Date({at}+0530)/"),
            utc.to_rfc3339(),
            utc.with_timezone(&Tz::Asia__Kolkata).to_rfc3339(),
            format!("{}0Z", utc.format("%Y-%m-%dT%H:%M:%S%.6f")),
        ] {
            prop_assert_eq!(read(berlin(), &json!(text), Kind::Marked), Ok(Some(at)));
        }
    }

    #[test]
    fn no_text_makes_an_instant_panic(text in ".{0,40}", ticks in "/Date\\([-+0-9]{0,24}\\)/") {
        for kind in KINDS {
            for forms in [berlin(), Forms::without_offset()] {
                let _ = read(forms, &json!(text), kind);
                let _ = read(forms, &json!(ticks), kind);
            }
        }
    }
}
