//! What the scheduler, the engine and the connector to Entra ID write about cycles.

use super::at::At;
use super::cycles::{Block, Blocked, Cycle, Cycles};
use super::forms::american;
use super::log::{DIRECTORY_SYNC, ENGINE, ERROR, Event, INFORMATION, WARNING};
use super::model::ConnectSync;
use super::runs::{Outcome, Profile, Run, runs_of};

const STAGES: [&str; 4] = [
    "Importing",
    "Synchronizing from all Sources",
    "Exporting to Target",
    "Exporting to all Sources",
];

/// Everything about cycles.
pub(super) fn events(at: &At<'_>, connect: &ConnectSync, cycles: &Cycles) -> Vec<Event> {
    let mut all = Vec::new();
    for cycle in &cycles.cycles {
        of_cycle(at, connect, cycle, &mut all);
    }
    for blocked in &cycles.blocked {
        of_wizard(at, connect, blocked, &mut all);
    }
    all.retain(|event| event.at <= at.now);
    all
}

fn scheduler(at: i64, text: impl Into<String>) -> Event {
    Event::new(at, DIRECTORY_SYNC, 904, INFORMATION, text)
}

fn of_cycle(at: &At<'_>, connect: &ConnectSync, cycle: &Cycle, all: &mut Vec<Event>) {
    all.push(scheduler(
        cycle.start,
        "Import/Sync/Export cycle started (Delta).",
    ));
    all.push(scheduler(cycle.start, "Initializing"));
    let mut stage = "";
    for run in runs_of(at, connect, cycle) {
        let reached = stage_of(&run);
        if reached != stage {
            stage = reached;
            all.push(scheduler(run.start, stage));
        }
        of_run(at, connect, &run, all);
    }
    let Some(end) = cycle.end else { return };
    all.push(scheduler(end, "Finished"));
    all.push(scheduler(
        end,
        "Import/Sync/Export cycle completed (Delta).",
    ));
    let next = american(cycle.start + connect.interval.as_ms());
    all.push(scheduler(
        end,
        format!(
            "Scheduler::UpdateSchedulerSettingsAfterRun : Start time for the next sync cycle run is  {next}."
        ),
    ));
}

fn stage_of(run: &Run<'_>) -> &'static str {
    match (run.profile, run.forest) {
        (Profile::Import, _) => STAGES[0],
        (Profile::Synchronization, Some(_)) => STAGES[1],
        (Profile::Synchronization, None) => "Synchronizing from Target",
        (Profile::Export, None) => STAGES[2],
        (Profile::Export, Some(_)) => STAGES[3],
    }
}

fn of_run(at: &At<'_>, connect: &ConnectSync, run: &Run<'_>, all: &mut Vec<Event>) {
    let (profile, connector) = (run.profile.name(), run.connector_name(connect));
    let bounds =
        |word: &str| format!("{word} Execute RunProfile:{profile} on Connector:{connector}.");
    all.push(scheduler(run.start, bounds("Before")));
    let tracking = at.chance_at("tracking", run.start).guid();
    if run.forest.is_none() && run.profile == Profile::Import {
        let text = format!("ImportV8: Iteration 1, Imported total 0, TrackingId {tracking}");
        all.push(Event::new(
            run.start,
            DIRECTORY_SYNC,
            105,
            INFORMATION,
            text,
        ));
        let text = format!("Import prefetch took 212 ms, TrackingId {tracking}");
        all.push(Event::new(
            run.start,
            DIRECTORY_SYNC,
            117,
            INFORMATION,
            text,
        ));
    }
    let Some(end) = run.end else { return };
    if run.is_cloud_export() {
        let text = format!(
            "ExportV8:: Iteration 1, Exported total 3, Successful total 3, TrackingId {tracking}"
        );
        all.push(Event::new(
            run.start,
            DIRECTORY_SYNC,
            104,
            INFORMATION,
            text,
        ));
        let text = format!("Export cycle completed. Tracking id: {tracking}");
        all.push(Event::new(end, DIRECTORY_SYNC, 114, INFORMATION, text));
    }
    of_outcome(at, run, &connector, end, all);
    all.push(scheduler(end, bounds("After")));
}

/// What the engine writes about a run that did not work.
fn of_outcome(at: &At<'_>, run: &Run<'_>, connector: &str, end: i64, all: &mut Vec<Event>) {
    let profile = run.profile.name();
    match run.outcome {
        Outcome::Running | Outcome::Success => {}
        Outcome::NoConnection => all.push(Event::new(
            end,
            ENGINE,
            6001,
            ERROR,
            format!(
                "The management agent \"{connector}\" failed on run profile \"{profile}\" because a connection could not be established to the server."
            ),
        )),
        Outcome::ExportErrors(count) => {
            for n in 0..count {
                let anchor = at.chance_at("object", i64::from(n)).hex(16);
                let text = format!(
                    "ECMA2 MA export run caused an error. \r\n \r\nDN: CN={{{anchor}}} \r\nError Name: AttributeValueMustBeUnique \r\nError Detail: Unable to update this object because the following attributes associated with this object have values that may already be associated with another object in your local directory services: [ProxyAddresses smtp:nora.lind{n}@hauser.example;]."
                );
                all.push(Event::new(end, ENGINE, 6941, ERROR, text));
            }
            all.push(failed_export(connector, end));
        }
        Outcome::TooManyDeletes { pending, limit } => {
            let text = format!(
                "Prevent Accidental Deletes: \nThe number of deletions for this sync cycle ({pending} pending deletes) has exceeded the current threshold of {limit} objects."
            );
            all.push(Event::new(end, DIRECTORY_SYNC, 116, WARNING, text));
            all.push(failed_export(connector, end));
        }
    }
}

fn failed_export(connector: &str, end: i64) -> Event {
    let text = format!(
        "The management agent \"{connector}\" failed on run profile \"Export\" because the server encountered errors."
    );
    Event::new(end, ENGINE, 6803, ERROR, text)
}

/// While the wizard is open the scheduler says so whenever a cycle would have begun.
fn of_wizard(at: &At<'_>, connect: &ConnectSync, blocked: &Blocked, all: &mut Vec<Event>) {
    if blocked.why != Block::Wizard {
        return;
    }
    let since = american(blocked.from);
    let text = format!(
        "Scheduler::SchedulerThreadMain : Azure AD Connect scheduler is unable to start a new sync cycle since {since} because Azure AD Connect wizard is open. Please close the wizard if it is not in use."
    );
    let end = blocked.until.unwrap_or(at.now).min(at.now);
    let interval = connect.interval.as_ms().max(1);
    let said = std::iter::successors(Some(blocked.from), |at| Some(at + interval));
    all.extend(
        said.take_while(|said| *said <= end)
            .map(|said| scheduler(said, &*text)),
    );
}
