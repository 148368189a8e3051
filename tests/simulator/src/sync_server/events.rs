//! Everything that is written to the event logs, and how a reader gets it.

use serde_json::{Value, json};

use super::at::{At, CONNECT_SERVICE};
use super::cycles::Cycles;
use super::forms::Forms;
use super::log::{
    ADMIN, DIRECTORY_SYNC, ENGINE, ERROR, Event, INFORMATION, SERVICE_CONTROL, WARNING,
};
use super::model::{ConnectSync, Domain, Forest};
use super::operation::display_name;
use super::passwords::{Pass, passes};
use super::scheduler_events;
use super::trouble::Trouble;

/// Every event up to the present, in no order.
pub(super) fn events(at: &At<'_>) -> Vec<Event> {
    let mut all = Vec::new();
    if let Some(connect) = &at.server.connect {
        let cycles = Cycles::of(at, connect);
        all.extend(scheduler_events::events(at, connect, &cycles));
        for forest in &connect.forests {
            for domain in &forest.domains {
                of_passwords(at, connect, forest, domain, &mut all);
            }
        }
        of_pings(at, connect, &mut all);
    }
    for (from, until, trouble) in at.troubles() {
        of_trouble(at, from, until, trouble, &mut all);
    }
    all.retain(|event| event.at <= at.now);
    all
}

fn password(at: i64, id: u32, text: String) -> Event {
    Event::new(at, DIRECTORY_SYNC, id, INFORMATION, text)
}

fn of_passwords(
    at: &At<'_>,
    connect: &ConnectSync,
    forest: &Forest,
    domain: &Domain,
    all: &mut Vec<Event>,
) {
    for pass in passes(at, connect, forest, domain) {
        if !pass.worked {
            all.push(lost(at, forest, domain, pass.end));
        } else if pass.changes > 0 {
            of_batch(at, domain, pass, all);
        }
    }
}

/// Event 611; which domain and connector it is about stands at its end.
fn lost(at: &At<'_>, forest: &Forest, domain: &Domain, when: i64) -> Event {
    let (name, dn, id) = (&domain.name, domain.dn(), at.connector_id(forest));
    let text = format!(
        "Password hash synchronization failed for domain: {name}, domain controller hostname: dc01.{name}, domain controller IP address: 192.0.2.10. Details: \r\nMicrosoft.Online.PasswordSynchronization.SynchronizationManagerException: Unable to open connection to domain: {name}. Error: There was an error creating the connection context. ---> Microsoft.Online.PasswordSynchronization.DirectoryReplicationServices.DrsCommunicationException: RPC Error 8453 : Replication access was denied.\r\n<forest-info>\r\n  <partition-name>{dn}</partition-name>\r\n  <connector-id>{id}</connector-id>\r\n</forest-info>"
    );
    Event::new(when, DIRECTORY_SYNC, 611, ERROR, text)
}

/// A batch: its begin, who is in it, what became of them, its end.
fn of_batch(at: &At<'_>, domain: &Domain, pass: Pass, all: &mut Vec<Event>) {
    let chance = at.chance_at("batch", pass.start).corner(&domain.name);
    let (count, tracking) = (pass.changes, chance.guid());
    let batch = |word: &str| {
        format!("Provision credentials batch {word}. Count: {count}, TrackingID : {tracking}")
    };
    let users = |line: &dyn Fn(&str, String) -> String| {
        let lines = (0..count).map(|n| {
            let own = chance.nth(n.into());
            line(
                &own.hex(16),
                format!("CN=Nora Lind {n},OU=Staff,{}", domain.dn()),
            )
        });
        lines.collect::<Vec<_>>().join("\r\n")
    };
    all.push(password(pass.start, 650, batch("start")));
    all.push(password(
        pass.start,
        656,
        users(&|anchor, dn| {
            format!("Password Change Request - Anchor : {anchor}==, CloudAnchor: User_{anchor}, Dn : {dn}, Change Date : 11/17/2026 09:31:02")
        }),
    ));
    all.push(password(
        pass.end,
        657,
        users(&|anchor, dn| {
            format!("Password Change Result - Anchor : {anchor}==, Dn : {dn}, PwdChangeOnLogon=False, Result : Success.")
        }),
    ));
    all.push(password(pass.end, 651, batch("end")));
}

/// Pings come when there was nothing to do for a while; they tell no connector apart.
fn of_pings(at: &At<'_>, connect: &ConnectSync, all: &mut Vec<Event>) {
    let domains = connect
        .forests
        .iter()
        .flat_map(|forest| forest.domains.iter().map(move |domain| (forest, domain)));
    let mut ends: Vec<_> = domains
        .flat_map(|(forest, domain)| passes(at, connect, forest, domain).collect::<Vec<_>>())
        .filter(|pass| pass.worked)
        .collect();
    ends.sort_by_key(|pass| pass.end);
    let mut alive = at.first();
    for pass in ends {
        if pass.changes > 0 {
            alive = pass.end;
        } else if pass.end - alive >= connect.ping_interval.as_ms() {
            alive = pass.end;
            let tracking = at.chance_at("ping", pass.end).guid();
            let ping =
                |word: &str| format!("Provision credentials ping {word}.  TrackingID : {tracking}");
            all.push(password(pass.end, 653, ping("start")));
            all.push(password(pass.end, 654, ping("end")));
        }
    }
}

fn of_trouble(at: &At<'_>, from: i64, until: Option<i64>, trouble: &Trouble, all: &mut Vec<Event>) {
    match trouble {
        Trouble::ServiceStopped { name } => {
            all.push(service(from, name, "stopped"));
            all.extend(until.map(|until| service(until, name, "running")));
            if name == CONNECT_SERVICE {
                let stopped = "The service was stopped successfully.";
                all.push(Event::new(from, ENGINE, 2002, INFORMATION, stopped));
                let started = "The service was started successfully.";
                all.extend(
                    until.map(|until| Event::new(until, ENGINE, 2001, INFORMATION, started)),
                );
            }
        }
        Trouble::CertificateEnding => {
            let text = "The certificate of the application ends in 30 days.";
            all.push(Event::new(from, DIRECTORY_SYNC, 1011, WARNING, text));
        }
        Trouble::CertificateExpired => {
            let text = "The certificate of the application has expired.";
            all.push(Event::new(from, DIRECTORY_SYNC, 1012, ERROR, text));
        }
        Trouble::RuleChanged => {
            let text = "Custom synchronization rule created: In from AD - User - no flow. Admin: HAUSER\\t0-nora";
            all.push(Event::new(from, ADMIN, 2510, INFORMATION, text));
        }
        Trouble::FilterChanged => {
            let connector = at
                .server
                .connect
                .iter()
                .flat_map(|connect| &connect.forests);
            let name = connector
                .map(|forest| forest.name.as_str())
                .next()
                .unwrap_or_default();
            let text =
                format!("OU-based filtering changed for connector {name}. Admin: HAUSER\\t0-nora");
            all.push(Event::new(from, ADMIN, 2512, INFORMATION, text));
        }
        _ => {}
    }
}

fn service(at: i64, name: &str, state: &str) -> Event {
    let shown = display_name(name);
    let text = format!("The {shown} service entered the {state} state.");
    let mut event = Event::new(at, SERVICE_CONTROL, 7036, INFORMATION, text);
    event.data = vec![shown.to_owned(), state.to_owned()];
    event
}

/// A count of events that are not told one by one.
pub(super) fn count_row(forms: Forms, log: &str, id: u32, found: &[&Event]) -> Value {
    let at = |event: Option<&&Event>| event.map_or(Value::Null, |event| forms.marked(event.at));
    json!({
        "Kind": "Count",
        "LogName": log,
        "ProviderName": DIRECTORY_SYNC,
        "Id": id,
        "Count": found.len(),
        "FirstAt": at(found.first()),
        "LastAt": at(found.last()),
    })
}
