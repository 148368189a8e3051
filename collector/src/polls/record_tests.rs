use syncwatch_domain::job::{JobStatus, ScheduleState};
use syncwatch_domain::lane::{Engine, LaneKind};
use syncwatch_store::Expectation;

use super::*;

const EARLY: Timestamp = Timestamp::from_millis(1);
const LATE: Timestamp = Timestamp::from_millis(2);

fn update() -> LaneUpdate {
    LaneUpdate {
        key: LaneKey {
            tenant: "yew".into(),
            engine: Engine::Cloud,
            kind: LaneKind::Objects,
            partition: "ad.yew.example".into(),
        },
        job_id: None,
        cycles: Vec::new(),
        promised: None,
        expectation: Expectation::Expected,
        confirmed: false,
        gaps_between: None,
    }
}

fn paused() -> LaneUpdate {
    LaneUpdate {
        expectation: Expectation::Paused { reason: "r".into() },
        ..update()
    }
}

fn confirmed(update: LaneUpdate) -> LaneUpdate {
    LaneUpdate {
        confirmed: true,
        ..update
    }
}

/// A read that began then and ended a while later.
fn taken(began_at: Timestamp) -> Taken {
    Taken {
        began_at,
        ended_at: began_at + std::time::Duration::from_millis(5),
    }
}

/// Whether a read has to write the update; it is noted if so.
fn writes(record: &mut Record, update: LaneUpdate, read_at: Timestamp) -> bool {
    let mut updates = vec![update];
    let notes = record.sift_lanes(&mut updates, taken(read_at));
    record.note_lanes(notes);
    !updates.is_empty()
}

#[test]
fn what_is_on_record_is_not_written_again() {
    let mut record = Record::default();
    assert!(writes(&mut record, update(), EARLY));
    assert!(!writes(&mut record, update(), LATE));
    assert!(writes(&mut record, confirmed(update()), LATE));
    assert!(
        !writes(&mut record, update(), LATE),
        "confirmation is no lasting fact"
    );
    assert!(writes(&mut record, paused(), LATE));
    record.forget_lanes();
    assert!(writes(&mut record, paused(), LATE));
}

#[test]
fn an_update_is_not_on_record_before_it_is_committed() {
    let record = Record::default();
    let mut updates = vec![update()];
    drop(record.sift_lanes(&mut updates, taken(EARLY)));
    drop(record.sift_lanes(&mut updates, taken(EARLY)));
    assert_eq!(updates, [update()]);
}

#[test]
fn a_list_does_not_take_back_what_was_confirmed_after_it_began() {
    let mut record = Record::default();
    assert!(writes(&mut record, confirmed(paused()), LATE));
    assert!(!writes(&mut record, update(), EARLY), "it is older");
    // The list was sifted before the confirm read ended.
    let mut updates = vec![update()];
    let notes = Record::default().sift_lanes(&mut updates, taken(EARLY));
    record.note_lanes(notes);
    assert!(writes(&mut record, paused(), LATE), "nobody knows any more");
    assert!(!writes(&mut record, paused(), LATE));
}

#[test]
fn a_clock_that_was_put_back_silences_nothing() {
    let hour = std::time::Duration::from_secs(3_600);
    let mut record = Record::default();
    assert!(writes(&mut record, confirmed(update()), EARLY + hour));
    assert!(writes(&mut record, paused(), EARLY));
    let job_of_then = [job("a", JobStatus::Active, EARLY + hour)];
    written(&mut record, &job_of_then, true, EARLY + hour);
    let now = [job("a", JobStatus::Quarantine, EARLY)];
    assert_eq!(written(&mut record, &now, true, EARLY), (1, true));
}

fn job(id: &str, status: JobStatus, read_at: Timestamp) -> Job {
    Job {
        tenant: "yew".into(),
        service_principal_id: "sp1".into(),
        job_id: id.into(),
        template: "AD2AADProvisioning".into(),
        domain: "ad.yew.example".into(),
        status,
        schedule: ScheduleState::Active,
        interval: None,
        quarantine: None,
        error: None,
        successive_failures: 0,
        steady_first_at: None,
        steady_last_at: Some(read_at),
        read_at,
    }
}

/// What a read has to write of its jobs, and whether as a complete list; it is noted.
fn written(record: &mut Record, jobs: &[Job], list: bool, read_at: Timestamp) -> (usize, bool) {
    let (mut jobs, mut complete) = (jobs.to_vec(), list);
    let notes = record.sift_jobs("sp1", &mut jobs, &mut complete, taken(read_at));
    record.note_jobs("sp1", notes);
    (jobs.len(), complete)
}

#[test]
fn a_list_of_jobs_repeats_until_one_of_them_changes_for_good() {
    let both = |status, at| [job("a", JobStatus::Active, at), job("b", status, at)];
    let mut record = Record::default();
    let (first, later) = (
        both(JobStatus::Active, EARLY),
        both(JobStatus::Active, LATE),
    );
    assert_eq!(written(&mut record, &first, true, EARLY), (2, true));
    assert_eq!(written(&mut record, &later, true, LATE), (0, false));
    let changed = both(JobStatus::Paused, LATE);
    assert_eq!(written(&mut record, &changed, true, LATE), (2, true));
    assert_eq!(
        written(&mut record, &changed[..1], true, LATE),
        (1, true),
        "one is gone"
    );
    assert_eq!(written(&mut record, &changed[..1], true, LATE), (0, false));
    assert_eq!(
        written(&mut record, &changed, true, LATE),
        (2, true),
        "it is back"
    );
}

#[test]
fn a_job_read_alone_leaves_the_list_on_record() {
    let list = [
        job("a", JobStatus::Active, EARLY),
        job("b", JobStatus::Active, EARLY),
    ];
    let mut record = Record::default();
    assert_eq!(written(&mut record, &list, true, EARLY), (2, true));
    let same = job("a", JobStatus::Active, LATE);
    assert_eq!(written(&mut record, &[same], false, LATE), (0, false));
    let other = [job("a", JobStatus::Paused, LATE)];
    assert_eq!(written(&mut record, &other, false, LATE), (1, false));
    let list = [other[0].clone(), list[1].clone()];
    assert_eq!(written(&mut record, &list, true, LATE), (0, false));
}

#[test]
fn a_list_that_was_overtaken_is_not_complete_and_takes_nothing_back() {
    let mut record = Record::default();
    let alone = [job("a", JobStatus::Paused, LATE)];
    assert_eq!(written(&mut record, &alone, false, LATE), (1, false));
    let list = [
        job("a", JobStatus::Active, EARLY),
        job("b", JobStatus::Active, EARLY),
    ];
    assert_eq!(
        written(&mut record, &list, true, EARLY),
        (1, false),
        "only b"
    );
    // Nothing is taken for known after that: the next list is written as a whole.
    assert_eq!(written(&mut record, &list, true, LATE), (2, true));
}
