//! What every shape of a report says: those of Windows PowerShell 5.1, of PowerShell 7 and of the
//! agent's own scripts, whole, collapsed, wrapped and cut off.

#![expect(clippy::unwrap_used, reason = "tests")]

mod damage;
mod directory;
mod events;
mod runs;
mod server;

use serde_json::Value;
use syncwatch_domain::report::forms::Forms;
use syncwatch_domain::time::Timestamp;

/// The file as a record carries it: a list, whatever the command printed.
fn data(file: &str) -> Vec<Value> {
    match whole(file) {
        Value::Array(items) => items,
        other => vec![other],
    }
}

/// The file as it is.
fn whole(file: &str) -> Value {
    let path = format!(
        "{}/tests/fixtures/reports/{file}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap_or_else(|| panic!("{text}"))
}

/// A server whose local time is so many minutes ahead of UTC.
fn ahead(minutes: i32) -> Forms {
    Forms::with_offset(minutes, at("2026-12-03T07:20:00Z"))
}

/// A server whose local time is UTC: every form can be read.
fn utc() -> Forms {
    ahead(0)
}

const HAUSER: &str = "41d9b7c2-0f1e-4c52-8a77-9be1c02d1001";
const NORDWALL: &str = "c07b6f3a-5d24-4e8e-9f10-2a6d3b7e2002";
