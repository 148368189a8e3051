//! What must not leave the server unless it is switched on: names of users.
//!
//! Every reading passes [`clean`] before it is written down, whatever the host left out already.
//! Events 656 and 657 of password hash sync (change requests and their results, one line a user)
//! keep their number of lines and the results, nothing of the users. Every other text of an event
//! or a run loses names in distinguished names and in addresses. Actions of administrators are
//! kept as they are: who changed a rule is what the audit is for.

mod text;

use serde_json::{Map, Value};
use syncwatch_domain::report::Section;

pub use self::text::hide;
use crate::host::Reading;
use crate::roles::field;

/// Requests to change passwords, one line a user.
const REQUESTS: i64 = 656;
/// What became of them.
const RESULTS: i64 = 657;
/// One object's export or import error, a filtered reference, an unconfirmed change (provider
/// `ADSync`): their texts give values of the object in brackets.
const OBJECT_ERRORS: &[i64] = &[6941, 6942, 6949, 6951];
/// Provider of the audit of administrators' actions.
const ADMIN_ACTIONS: &str = "Entra Connect Admin Actions";
/// What is kept of events about users beside their text.
const PLAIN_FIELDS: &[&str] = &[
    "Kind",
    "LogName",
    "ProviderName",
    "Id",
    "Level",
    "LevelDisplayName",
    "RecordId",
    "MachineName",
    "TimeCreated",
    "Count",
    "FirstAt",
    "LastAt",
];
/// Properties of an object's error that only name the object.
const NAMES: &[&str] = &["ObjectDisplayName"];
/// Longest text about a failure.
const LONGEST_FAILURE: usize = 1000;

/// Takes names of users out of a reading, unless they may leave, and cuts what is said about a
/// failure to a length.
pub fn clean(section: Section, reading: &mut Reading, user_names: bool) {
    if let Some(text) = &mut reading.failure_text {
        if !user_names {
            *text = hide(text);
        }
        if let Some((end, _)) = text.char_indices().nth(LONGEST_FAILURE) {
            text.truncate(end);
        }
    }
    if user_names {
        return;
    }
    match section {
        Section::Events => reading.data.iter_mut().for_each(clean_events),
        Section::Runs => reading.data.iter_mut().for_each(hide_all),
        _ => {}
    }
}

/// Cleans an event, or a list of them that was wrapped.
fn clean_events(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(clean_events),
        Value::Object(object) => {
            if field(object, "Id").is_some() {
                clean_event(object);
            } else {
                object.values_mut().for_each(clean_events);
            }
        }
        other => hide_all(other),
    }
}

fn clean_event(event: &mut Map<String, Value>) {
    let id = match field(event, "Id") {
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    let provider = field(event, "ProviderName").and_then(Value::as_str);
    let is_admin = provider.is_some_and(|name| name.eq_ignore_ascii_case(ADMIN_ACTIONS));
    match id {
        Some(REQUESTS) => count_users(event, text::requests),
        Some(RESULTS) => count_users(event, text::results),
        Some(id) if OBJECT_ERRORS.contains(&id) => {
            for_texts(event, &|text| text::hide_values(&hide(text)));
        }
        _ if is_admin => {}
        _ => for_texts(event, &hide),
    }
}

/// Leaves of an event what is no text, and of its text what `count` makes of it.
fn count_users(event: &mut Map<String, Value>, count: fn(&str) -> String) {
    let message = field(event, "Message").and_then(Value::as_str);
    let written = message.map(str::to_owned).or_else(|| {
        let properties = field(event, "Properties")?.as_array()?;
        let texts: Vec<&str> = properties.iter().filter_map(Value::as_str).collect();
        Some(texts.join("\n"))
    });
    let before = std::mem::take(event);
    let plain = before.into_iter().filter(|(key, value)| {
        let is_plain = PLAIN_FIELDS.iter().any(|one| one.eq_ignore_ascii_case(key));
        is_plain && !value.is_object() && !value.is_array()
    });
    event.extend(plain);
    if let Some(written) = written {
        event.insert("Message".to_owned(), Value::String(count(&written)));
    }
}

fn hide_all(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|key, _| !NAMES.iter().any(|name| name.eq_ignore_ascii_case(key)));
            for_texts(object, &hide);
        }
        Value::Array(items) => items.iter_mut().for_each(hide_all),
        Value::String(text) => *text = hide(text),
        _ => {}
    }
}

fn for_texts(object: &mut Map<String, Value>, change: &dyn Fn(&str) -> String) {
    for value in object.values_mut() {
        change_texts(value, change);
    }
}

fn change_texts(value: &mut Value, change: &dyn Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = change(text),
        Value::Array(items) => {
            for item in items {
                change_texts(item, change);
            }
        }
        Value::Object(object) => {
            object.retain(|key, _| !NAMES.iter().any(|name| name.eq_ignore_ascii_case(key)));
            for_texts(object, change);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
