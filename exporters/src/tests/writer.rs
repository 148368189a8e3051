use std::time::Duration;

use proptest::prelude::*;
use syncwatch_domain::time::Timestamp;

use crate::catalogue::{Head, Kind, Unit};
use crate::format::Format;
use crate::labels::{LabelBlocks, labels};
use crate::page::Page;
use crate::testing::parse;
use crate::value::Value;

const HEAD: Head<'_> = Head {
    name: "test",
    kind: Kind::Gauge,
    unit: Unit::None,
    help: "A test.",
};

fn text_of(value: impl Into<Value>) -> String {
    let mut text = String::new();
    value.into().write(&mut text);
    text
}

#[test]
fn milliseconds_are_written_as_exact_seconds() {
    for (millis, text) in [
        (0, "0"),
        (1, "0.001"),
        (-1, "-0.001"),
        (1_500, "1.500"),
        (60_000, "60"),
        (1_793_606_338_750, "1793606338.750"),
        (i64::MAX, "9223372036854775.807"),
        (i64::MIN, "-9223372036854775.808"),
    ] {
        assert_eq!(text_of(Timestamp::from_millis(millis)), text);
    }
    assert_eq!(text_of(Duration::from_secs(1200)), "1200");
}

#[test]
fn numbers_without_a_finite_value_are_spelt_as_both_formats_want() {
    assert_eq!(
        [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.5].map(text_of),
        ["NaN", "+Inf", "-Inf", "-0.5"]
    );
    assert_eq!(text_of(true), "1");
}

#[test]
fn labels_without_a_value_are_left_out() {
    assert_eq!(labels(&[("a", ""), ("b", "x"), ("c", "")]), r#"b="x""#);
    assert_eq!(labels(&[("a", "")]), "");
}

proptest! {
    #[test]
    fn any_label_value_is_read_back_as_it_was(values in prop::collection::vec(".*|[\\\\\"\n,={}# ]{0,12}", 1..4), help in ".*|[\\\\\"\n]{1,8}") {
        let names = ["alpha", "beta", "gamma"];
        let pairs = names.into_iter().zip(values.iter().map(String::as_str)).collect::<Vec<_>>();
        for format in [Format::Text, Format::OpenMetrics] {
            let mut page = Page::new(format, false);
            let mut samples = page.family_with(Head { help: &help, ..HEAD });
            samples.member(&labels(&pairs), "state", "late", 4);
            let page = String::from_utf8(page.finish()).expect("pages are UTF-8");
            // A line of its own per sample, whatever is in the labels.
            prop_assert_eq!(page.matches('\n').count(), if format == Format::Text { 3 } else { 4 });
            let parsed = parse(&page, format);
            let sample = &parsed.families[0].samples[0];
            prop_assert_eq!(&parsed.families[0].help, &help);
            prop_assert_eq!(sample.labels.get("state").map(String::as_str), Some("late"));
            for (name, value) in &pairs {
                let expected = Some(*value).filter(|value| !value.is_empty());
                prop_assert_eq!(sample.labels.get(*name).map(String::as_str), expected);
            }
        }
    }

    #[test]
    fn any_number_is_read_back_as_it_was(float in any::<f64>(), millis in -(1_i64 << 53)..(1_i64 << 53)) {
        let read: f64 = match text_of(float).as_str() {
            "+Inf" => f64::INFINITY,
            "-Inf" => f64::NEG_INFINITY,
            text => text.parse().expect("a number"),
        };
        prop_assert!(read == float || (read.is_nan() && float.is_nan()));
        let seconds: f64 = text_of(Timestamp::from_millis(millis)).parse().expect("a number");
        prop_assert_eq!(seconds, Timestamp::from_millis(millis).as_seconds());
    }

    #[test]
    fn blocks_come_back_one_by_one(values in prop::collection::vec(".{0,6}", 0..20)) {
        let mut blocks = LabelBlocks::default();
        for value in &values {
            blocks.push(&[("name", value)]);
        }
        let expected = values.iter().map(|value| labels(&[("name", value)])).collect::<Vec<_>>();
        prop_assert_eq!(blocks.iter().collect::<Vec<_>>(), expected);
    }
}
