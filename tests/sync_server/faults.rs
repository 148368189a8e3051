//! An interpreter that fails, and what the agent makes of it.

use std::time::Duration;

use syncwatch_agent::host::Asked;
use syncwatch_domain::report::{Outcome, Section, SectionFailure};
use syncwatch_simulator::Span;
use syncwatch_simulator::sync_server::FaultKind;

use crate::server::{Asking, asked, connect_server};

/// A server whose interpreter fails with the scheduler, after it has loaded the module.
async fn failing(kind: FaultKind) -> Asking {
    let mut asking = Asking::new(connect_server());
    asking.rows(Section::Database).await;
    asking.change(|server| *server = server.clone().failing(Some("scheduler"), kind));
    asking
}

fn hasty() -> Asked {
    Asked {
        timeout: Duration::from_millis(300),
        ..asked()
    }
}

/// Whether the process is another one than that which had loaded the module.
async fn is_fresh(asking: &mut Asking) -> bool {
    let reading = asking.read(Section::Services).await;
    assert_eq!(reading.outcome, Outcome::Read, "{:?}", reading.failure_text);
    reading.module_version.is_none()
}

async fn scheduler_fails(kind: FaultKind, failure: SectionFailure) -> (Asking, String) {
    let mut asking = failing(kind).await;
    let reading = asking.read(Section::Scheduler).await;
    assert_eq!(
        (reading.outcome, reading.failure),
        (Outcome::Failed, Some(failure))
    );
    assert!(reading.data.is_empty());
    (asking, reading.failure_text.unwrap())
}

#[tokio::test]
async fn no_answer_in_time_costs_one_section_and_the_process() {
    let mut asking = failing(FaultKind::Hang).await;
    let reading = asking.read_as(Section::Scheduler, &hasty()).await;
    assert_eq!(reading.failure, Some(SectionFailure::Timeout));
    assert_eq!(
        reading.failure_text.as_deref(),
        Some("no answer within 0.3 s")
    );
    assert!(is_fresh(&mut asking).await);
}

#[tokio::test]
async fn a_section_that_always_hangs_never_keeps_the_others_away() {
    let mut asking = failing(FaultKind::Hang).await;
    for _ in 0..4 {
        let reading = asking.read_as(Section::Scheduler, &hasty()).await;
        assert_eq!(reading.failure, Some(SectionFailure::Timeout));
        asking.rows(Section::Database).await;
    }
}

#[tokio::test]
async fn a_crash_is_told_and_followed_by_a_fresh_start() {
    let (mut asking, text) = scheduler_fails(FaultKind::Crash, SectionFailure::CommandFailed).await;
    assert!(text.contains("PowerShell ended"), "{text}");
    assert!(is_fresh(&mut asking).await);
}

#[tokio::test]
async fn lines_that_are_no_answer_are_not_read() {
    let unreadable = SectionFailure::Unreadable;
    let (mut asking, text) = scheduler_fails(FaultKind::Garbage, unreadable).await;
    assert!(text.contains("no answer"), "{text}");
    assert!(is_fresh(&mut asking).await);
    let (mut asking, text) = scheduler_fails(FaultKind::WrongRequest, unreadable).await;
    assert!(text.contains("answered request"), "{text}");
    assert!(is_fresh(&mut asking).await);
    let (mut asking, text) = scheduler_fails(FaultKind::EndlessLine, unreadable).await;
    assert!(text.contains("16777216 bytes"), "{text}");
    assert!(is_fresh(&mut asking).await);
}

#[tokio::test]
async fn errors_of_commands_are_told_apart_whatever_their_language() {
    let (mut asking, text) =
        scheduler_fails(FaultKind::AccessDenied, SectionFailure::AccessDenied).await;
    assert!(text.contains("Der Zugriff wurde verweigert"), "{text}");
    assert!(
        !is_fresh(&mut asking).await,
        "the process did nothing wrong"
    );
    let (mut asking, text) =
        scheduler_fails(FaultKind::CommandFailed, SectionFailure::CommandFailed).await;
    assert!(text.contains("accès"), "{text}");
    assert!(!is_fresh(&mut asking).await);
}

#[tokio::test]
async fn what_a_depth_limit_cut_off_is_refused_and_never_read_as_no_filter() {
    let cut = connect_server().failing(Some("connectors"), FaultKind::Truncated);
    let mut asking = Asking::new(cut);
    let reading = asking.read(Section::Connectors).await;
    assert_eq!(reading.failure, Some(SectionFailure::Unreadable));
    assert!(reading.failure_text.unwrap().contains("depth limit"));
    asking.rows(Section::Rules).await;
}

#[tokio::test]
async fn a_flood_of_error_output_stops_nothing() {
    let mut asking = failing(FaultKind::Noise(3_000_000)).await;
    asking.rows(Section::Scheduler).await;
    assert!(!is_fresh(&mut asking).await);
}

#[tokio::test]
async fn loading_the_module_may_take_its_time() {
    let slow = connect_server().failing(None, FaultKind::SlowModule(Span::ms(400)));
    let mut asking = Asking::new(slow);
    let began = std::time::Instant::now();
    asking.rows(Section::Scheduler).await;
    assert!(began.elapsed() >= Duration::from_millis(400));
    asking.rows(Section::Scheduler).await;
}

#[tokio::test]
async fn an_interpreter_that_does_not_start_is_tried_again_at_growing_intervals() {
    let mut asking = Asking::new(connect_server().failing(None, FaultKind::NeverReady));
    let mut failures = Vec::new();
    let mut tries = 0;
    for _ in 0..60 {
        let reading = asking.read(Section::Services).await;
        assert_eq!(reading.failure, Some(SectionFailure::NotStarted));
        let text = reading.failure_text.unwrap();
        tries += usize::from(!text.starts_with("PowerShell is started again in"));
        failures.push(text);
        asking.wait(Duration::from_secs(1));
    }
    assert!(failures[0].contains("ne peut pas"), "{}", failures[0]);
    assert!(
        !failures[1].starts_with("PowerShell is started again"),
        "one failure is forgiven"
    );
    assert!((5..10).contains(&tries), "{tries} tries within a minute");
    // It is well again, and so is the agent when its wait is over.
    asking.change(|server| server.faults.clear());
    asking.wait(Duration::from_secs(301));
    asking.rows(Section::Services).await;
}

#[tokio::test]
async fn a_reading_that_is_given_up_leaves_a_host_of_use() {
    let mut asking = failing(FaultKind::Hang).await;
    let patience = Duration::from_millis(200);
    let given_up = tokio::time::timeout(patience, asking.read(Section::Scheduler)).await;
    assert!(given_up.is_err());
    assert!(is_fresh(&mut asking).await);
}

#[tokio::test]
async fn without_an_interpreter_every_section_says_so() {
    let mut asking = Asking::new(connect_server());
    std::fs::remove_file(asking.path("powershell")).unwrap();
    let reading = asking.read(Section::Services).await;
    assert_eq!(reading.failure, Some(SectionFailure::NotStarted));
    let text = reading.failure_text.unwrap();
    assert!(
        text.contains("cannot start") && text.contains("No such file"),
        "{text}"
    );
}
