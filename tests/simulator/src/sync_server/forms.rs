//! How values are printed: cast by a careful script, or as Windows PowerShell 5.1 does by itself.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// "Never", as .NET writes it: `DateTime.MinValue`.
const NEVER: &str = "/Date(-62135596800000)/";

/// How values are printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forms {
    /// As the interpreter does by itself.
    pub(super) raw: bool,
    /// Local time minus UTC.
    pub(super) offset_ms: i64,
    /// How far the clock is ahead.
    pub(super) ahead_ms: i64,
}

impl Forms {
    /// A reading of a clock in UTC whose kind is not set: by itself it is taken for local time.
    pub(super) fn reading(self, at: i64) -> Value {
        if self.raw {
            ticks(at + self.ahead_ms - self.offset_ms)
        } else {
            iso(at + self.ahead_ms)
        }
    }

    /// The same, or "never".
    pub(super) fn reading_or_never(self, at: Option<i64>) -> Value {
        match at {
            Some(at) => self.reading(at),
            None if self.raw => NEVER.into(),
            None => Value::Null,
        }
    }

    /// An instant whose kind is set.
    pub(super) fn marked(self, at: i64) -> Value {
        if self.raw {
            ticks(at + self.ahead_ms)
        } else {
            iso(at + self.ahead_ms)
        }
    }

    /// A span of time.
    pub(super) fn span(self, ms: i64) -> Value {
        if !self.raw {
            return constant(ms).into();
        }
        json!({
            "Ticks": ms * 10_000,
            "Days": ms / 86_400_000,
            "Hours": ms / 3_600_000 % 24,
            "Milliseconds": ms % 1_000,
            "Minutes": ms / 60_000 % 60,
            "Seconds": ms / 1_000 % 60,
            "TotalDays": share(ms, 86_400_000),
            "TotalHours": share(ms, 3_600_000),
            "TotalMilliseconds": ms,
            "TotalMinutes": share(ms, 60_000),
            "TotalSeconds": share(ms, 1_000),
        })
    }

    /// A member of an enumeration.
    pub(super) fn member(self, name: &str, number: i64) -> Value {
        if self.raw { number.into() } else { name.into() }
    }
}

fn ticks(ms: i64) -> Value {
    format!("/Date({ms})/").into()
}

fn instant(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or(DateTime::<Utc>::UNIX_EPOCH)
}

/// `2026-11-17T09:41:12.4130000Z`: the round-trip form of .NET.
fn iso(ms: i64) -> Value {
    instant(ms)
        .format("%Y-%m-%dT%H:%M:%S%.3f0000Z")
        .to_string()
        .into()
}

/// `11/17/2026 9:41:12 AM`: how texts of events write instants.
pub(super) fn american(ms: i64) -> String {
    instant(ms).format("%-m/%-d/%Y %-I:%M:%S %p").to_string()
}

/// `Tue, 17 Nov 2026 09:41:12 GMT`: how settings write instants.
pub(super) fn rfc1123(ms: i64) -> String {
    instant(ms).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// `00:30:00`, `7.00:00:00`: the constant form of .NET.
pub(super) fn constant(ms: i64) -> String {
    let days = match ms / 86_400_000 {
        0 => String::new(),
        days => format!("{days}."),
    };
    let fraction = match ms % 1_000 {
        0 => String::new(),
        rest => format!(".{rest:03}0000"),
    };
    let (hours, minutes, seconds) = (ms / 3_600_000 % 24, ms / 60_000 % 60, ms / 1_000 % 60);
    format!("{days}{hours:02}:{minutes:02}:{seconds:02}{fraction}")
}

#[expect(
    clippy::cast_precision_loss,
    reason = "spans of a story are far below 2^52 ms"
)]
fn share(ms: i64, unit: i64) -> f64 {
    ms as f64 / unit as f64
}

/// Cuts a value off below a depth, as `ConvertTo-Json` does: objects become the names of their
/// types, lists their elements with blanks between.
pub(super) fn cut_off(value: Value, depth: u32) -> Value {
    match value {
        Value::Array(items) if depth == 0 => {
            let texts = items.iter().map(|item| match item {
                Value::String(text) => text.clone(),
                Value::Object(_) => type_name(),
                other => other.to_string(),
            });
            texts.collect::<Vec<_>>().join(" ").into()
        }
        Value::Object(_) if depth == 0 => type_name().into(),
        Value::Array(items) => items
            .into_iter()
            .map(|item| cut_off(item, depth - 1))
            .collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, field)| (name, cut_off(field, depth - 1)))
            .collect(),
        plain => plain,
    }
}

fn type_name() -> String {
    "Microsoft.IdentityManagement.PowerShell.ObjectModel.Part".to_owned()
}
