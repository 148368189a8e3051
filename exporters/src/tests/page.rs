use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use flate2::read::GzDecoder;
use prometheus::Registry;
use syncwatch_domain::lane::{Engine, LaneKey, LaneKind, LaneStatus};

use super::fleet;
use crate::catalogue::{self, FAMILIES, Section};
use crate::exporter::assemble;
use crate::fleet::Snapshot;
use crate::format::Format;
use crate::page::Page;
use crate::process::Process;
use crate::testing::{Parsed, parse};

const BOTH: [Format; 2] = [Format::Text, Format::OpenMetrics];

/// Without the process, whose values differ from run to run.
fn page(format: Format, snapshot: Option<&Snapshot>, registry: &Registry) -> String {
    let nobody = Process::at(Path::new("/nowhere"));
    let body = assemble(Page::new(format, false), snapshot, registry, &nobody);
    String::from_utf8(body).expect("pages are UTF-8")
}

fn full_page(format: Format) -> String {
    page(format, Some(&fleet::snapshot()), &fleet::registry())
}

#[test]
fn page_of_a_small_fleet_in_text_format() {
    insta::assert_snapshot!(full_page(Format::Text));
}

#[test]
fn page_of_a_small_fleet_in_open_metrics() {
    insta::assert_snapshot!(full_page(Format::OpenMetrics));
}

#[test]
fn both_formats_carry_the_same_values() {
    let [text, open_metrics] = BOTH.map(|format| parse(&full_page(format), format).values());
    assert_eq!(text, open_metrics);
    for (series, value) in [
        (
            r#"syncwatch_lane_last_success_timestamp_seconds{engine="cloud",kind="objects",partition="ad.hauser.example",tenant="hauser"}"#,
            1_793_606_338.75,
        ),
        (
            r#"syncwatch_lane_status{engine="connect",kind="password_hash",partition="say \"no\"\nmore",status="unknown",tenant="back\\slash"}"#,
            1.0,
        ),
        (
            r#"syncwatch_cycle_duration_seconds_sum{engine="cloud",kind="objects",partition="ad.hauser.example",tenant="hauser"}"#,
            420.349,
        ),
        (
            r#"syncwatch_cycle_duration_seconds_count{engine="cloud",kind="objects",partition="ad.hauser.example",tenant="hauser"}"#,
            202.0,
        ),
        (
            r#"syncwatch_poll_duration_seconds_bucket{le="1.0",poll="jobs",tenant="hauser"}"#,
            2.0,
        ),
        (
            r#"syncwatch_poll_duration_seconds_bucket{le="+Inf",poll="jobs",tenant="hauser"}"#,
            3.0,
        ),
        (
            r#"syncwatch_poll_duration_seconds_sum{poll="jobs",tenant="hauser"}"#,
            8.625,
        ),
        (
            r#"syncwatch_agent_up{agent="sync1.hauser.example",kind="provisioning",tenant="hauser"}"#,
            1.0,
        ),
        (
            r#"syncwatch_agent_up{agent="SYNC01",kind="syncwatch",tenant="hauser"}"#,
            1.0,
        ),
        (
            r#"syncwatch_agent_up{agent="SYNC02",kind="syncwatch",tenant="hauser"}"#,
            0.0,
        ),
        (
            r#"syncwatch_agent_clock_skew_seconds{agent="SYNC01",tenant="hauser"}"#,
            -1.25,
        ),
        (
            r#"syncwatch_server_role{role="cloud_agent",server="SYNC01",tenant="hauser"}"#,
            1.0,
        ),
        (
            r#"syncwatch_source_up{poll="provisioning_logs",tenant="hauser"}"#,
            0.0,
        ),
    ] {
        assert_eq!(text.get(series), Some(&value), "{series}");
    }
}

#[test]
fn values_that_do_not_exist_are_left_out() {
    let values = parse(&full_page(Format::Text), Format::Text).values();
    for absent in [
        // Never reported; no version worth the name; no role known; no Connect Sync seen.
        r#"syncwatch_agent_up{agent="SYNC03""#,
        r#"syncwatch_agent_last_report_timestamp_seconds{agent="SYNC03""#,
        r#"syncwatch_agent_info{agent="SYNC02",kind="syncwatch",tenant="hauser",version"#,
        r#"syncwatch_server_role{role="connect_active",server="SYNC02""#,
        r#"syncwatch_server_database_bytes{server="SYNC02""#,
        // Never succeeded; paused; no right; not attempted yet; gone; no cycle with a known length.
        r#"syncwatch_lane_last_success_timestamp_seconds{engine="connect",kind="password_hash""#,
        r#"syncwatch_lane_deadline_timestamp_seconds{engine="connect""#,
        r#"syncwatch_source_up{poll="organization_beta""#,
        r#"syncwatch_source_up{poll="credentials""#,
        r#"syncwatch_source_last_success_timestamp_seconds{configuration="sp-gone""#,
        r#"syncwatch_cycle_duration_seconds_count{engine="cloud",kind="password_hash""#,
    ] {
        let found = values.keys().find(|series| series.starts_with(absent));
        assert_eq!(found, None);
    }
    let empty = parse(
        &page(Format::Text, Some(&Snapshot::default()), &Registry::new()),
        Format::Text,
    );
    let names = empty
        .families
        .iter()
        .map(|family| family.name.as_str())
        .collect::<Vec<_>>();
    assert_eq!(
        names,
        [
            "syncwatch_build_info",
            "syncwatch_snapshot_successful",
            "syncwatch_outbox_depth"
        ]
    );
}

#[test]
fn store_that_cannot_be_read_leaves_out_the_fleet_and_says_so() {
    let parsed = parse(&page(Format::Text, None, &fleet::registry()), Format::Text);
    assert_eq!(parsed.values()["syncwatch_snapshot_successful"], 0.0);
    assert_eq!(
        parsed.values()["syncwatch_config_last_reload_successful"],
        1.0
    );
    assert!(
        parsed
            .families
            .iter()
            .all(|family| !family.name.starts_with("syncwatch_lane"))
    );
}

#[test]
fn every_family_and_label_of_the_page_is_in_the_catalogue_and_the_other_way_round() {
    let parsed = parse(&full_page(Format::Text), Format::Text);
    compare(&parsed);
    let on_page = parsed
        .families
        .iter()
        .map(|family| family.name.as_str())
        .collect::<BTreeSet<_>>();
    let in_catalogue = FAMILIES
        .iter()
        .filter(|family| family.section != Section::Process)
        .map(|family| family.name())
        .collect::<BTreeSet<_>>();
    assert_eq!(
        on_page, in_catalogue,
        "the fleet of this test has one of everything"
    );
}

/// Type, labels and their values are those of the catalogue.
fn compare(parsed: &Parsed) {
    for family in &parsed.families {
        let known = catalogue::family(&family.name)
            .unwrap_or_else(|| panic!("{} is not in the catalogue", family.name));
        assert_eq!(family.help, known.head.help, "{}", family.name);
        for sample in &family.samples {
            assert!(
                known.sample_names().contains(&sample.name),
                "{}",
                sample.name
            );
            for (name, value) in sample.labels.iter().filter(|(name, _)| *name != "le") {
                let label = known
                    .labels
                    .iter()
                    .find(|label| label.name == name.as_str());
                let label = label.unwrap_or_else(|| panic!("{} has no label {name}", family.name));
                assert!(
                    label.values.admits(value),
                    "{name}={value:?} of {}",
                    family.name
                );
            }
        }
    }
}

#[test]
fn open_metrics_names_families_by_its_own_rules() {
    let parsed = parse(&full_page(Format::OpenMetrics), Format::OpenMetrics);
    let family = |name: &str| {
        parsed
            .families
            .iter()
            .find(|family| family.name == name)
            .map(|family| (family.kind.as_str(), family.unit.as_str()))
    };
    assert_eq!(family("syncwatch_cycles"), Some(("counter", "")));
    assert_eq!(
        family("syncwatch_graph_throttled_seconds"),
        Some(("counter", "seconds"))
    );
    assert_eq!(family("syncwatch_build"), Some(("info", "")));
    assert_eq!(family("syncwatch_lane_status"), Some(("gauge", "")));
    assert_eq!(
        family("syncwatch_cycle_duration_seconds"),
        Some(("summary", "seconds"))
    );
    assert_eq!(
        family("syncwatch_lane_deadline_timestamp_seconds"),
        Some(("gauge", "seconds"))
    );
}

#[test]
fn families_that_nobody_described_are_served_as_they_were_registered() {
    let registry = Registry::new();
    let odd =
        prometheus::IntCounter::new("other_things", "said \"so\" \\ there").expect("a valid name");
    registry.register(Box::new(odd)).expect("registered once");
    for (format, kind) in [(Format::Text, "untyped"), (Format::OpenMetrics, "unknown")] {
        let parsed = parse(&page(format, None, &registry), format);
        let family = parsed.families.last().expect("it is there");
        assert_eq!(
            (family.name.as_str(), family.kind.as_str()),
            ("other_things", kind)
        );
        assert_eq!(family.help, "said \"so\" \\ there");
    }
}

#[test]
fn compressed_page_is_the_same_page() {
    // Large enough to go through the compressor in many pieces.
    let lanes = (0..3_000).map(|number| {
        let key = LaneKey {
            tenant: "hauser".into(),
            engine: Engine::Cloud,
            kind: LaneKind::Objects,
            partition: format!("ad{number}.example"),
        };
        fleet::lane(number, key, LaneStatus::OnTime, None)
    });
    let snapshot = Snapshot {
        lanes: lanes.collect(),
        ..fleet::snapshot()
    };
    let nobody = Process::at(Path::new("/nowhere"));
    for format in BOTH {
        let [plain, packed] = [false, true].map(|gzip| {
            assemble(
                Page::new(format, gzip),
                Some(&snapshot),
                &Registry::new(),
                &nobody,
            )
        });
        let mut unpacked = Vec::new();
        GzDecoder::new(packed.as_slice())
            .read_to_end(&mut unpacked)
            .expect("valid gzip");
        assert_eq!(unpacked, plain);
        assert!(
            packed.len() * 10 < plain.len(),
            "{} of {} bytes",
            packed.len(),
            plain.len()
        );
    }
}

#[test]
fn promtool_has_no_complaint() {
    for snapshot in [fleet::snapshot(), Snapshot::default()] {
        let body = assemble(
            Page::new(Format::Text, false),
            Some(&snapshot),
            &fleet::registry(),
            &Process::own(),
        );
        let mut promtool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("promtool is not installed: apt-get install prometheus");
        promtool
            .stdin
            .take()
            .expect("its input is piped")
            .write_all(&body)
            .expect("promtool reads to the end");
        let output = promtool.wait_with_output().expect("promtool ends");
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(output.status.success() && said.trim().is_empty(), "{said}");
    }
}
