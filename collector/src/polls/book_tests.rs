use std::time::Duration;

use syncwatch_domain::job::{JobStatus, ScheduleState};
use syncwatch_domain::time::Timestamp;

use super::*;

const OBJECTS: &str = "AD2AADProvisioning";

fn job(principal: &str, id: &str, domain: &str) -> Job {
    Job {
        tenant: "yew".into(),
        service_principal_id: principal.into(),
        job_id: id.into(),
        template: OBJECTS.into(),
        domain: domain.into(),
        status: JobStatus::Active,
        schedule: ScheduleState::Active,
        interval: Some(Duration::from_secs(1200)),
        quarantine: None,
        error: None,
        successive_failures: 0,
        steady_first_at: None,
        steady_last_at: None,
        read_at: Timestamp::EPOCH,
    }
}

fn partition(book: &mut JobBook, job: &Job) -> String {
    book.note("yew", job)
        .map(|key| key.partition)
        .unwrap_or_default()
}

#[test]
fn the_domain_names_the_lane_and_a_second_job_gets_a_name_of_its_own() {
    let mut book = JobBook::default();
    assert_eq!(
        partition(&mut book, &job("sp1", "x.y.aaaa1111", "ad.yew.example")),
        "ad.yew.example"
    );
    assert_eq!(
        partition(&mut book, &job("sp2", "x.y.bbbb2222", "ad.yew.example")),
        "ad.yew.example bbbb2222"
    );
    for _ in 0..3 {
        assert_eq!(
            partition(&mut book, &job("sp2", "x.y.bbbb2222", "ad.yew.example")),
            "ad.yew.example bbbb2222"
        );
        assert_eq!(
            partition(&mut book, &job("sp1", "x.y.aaaa1111", "ad.yew.example")),
            "ad.yew.example"
        );
    }
    let hashes = Job {
        template: "AD2AADPasswordHash".into(),
        ..job("sp1", "h", "ad.yew.example")
    };
    assert_eq!(
        partition(&mut book, &hashes),
        "ad.yew.example",
        "another kind is another lane"
    );
    let writeback = Job {
        template: "AAD2ADGroupProvisioning".into(),
        ..job("sp1", "w", "ad.yew.example")
    };
    assert_eq!(book.note("yew", &writeback), None);
}

#[test]
fn names_on_record_outlive_a_restart() {
    let mut book = JobBook::default();
    book.recall(
        &job("sp2", "x.y.bbbb2222", "ad.yew.example"),
        Some("ad.yew.example bbbb2222"),
    );
    book.recall(
        &job("sp1", "x.y.aaaa1111", "ad.yew.example"),
        Some("ad.yew.example"),
    );
    assert_eq!(
        partition(&mut book, &job("sp2", "x.y.bbbb2222", "ad.yew.example")),
        "ad.yew.example bbbb2222"
    );
}

#[test]
fn a_lane_whose_job_is_gone_is_told_until_that_is_on_record() {
    let mut book = JobBook::default();
    let key = book
        .note("yew", &job("sp1", "a", "ad.yew.example"))
        .expect("a lane");
    book.list("sp1", |_| false);
    for _ in 0..2 {
        assert_eq!(
            book.gone("yew", "sp1"),
            [(key.clone(), "a".to_owned())],
            "not committed yet"
        );
    }
    assert!(!book.is_at_work(LaneKind::Objects));
    book.told_gone(&["a".to_owned()]);
    assert_eq!(book.gone("yew", "sp1"), []);
}

#[test]
fn a_new_job_takes_over_the_lane_of_one_that_is_gone() {
    let mut book = JobBook::default();
    partition(&mut book, &job("sp1", "a", "ad.yew.example"));
    book.list("sp1", |id| id == "b");
    assert_eq!(
        partition(&mut book, &job("sp1", "b", "ad.yew.example")),
        "ad.yew.example"
    );
    assert_eq!(book.gone("yew", "sp1"), []);
    assert_eq!(book.lanes_of("sp1"), 1);
}
