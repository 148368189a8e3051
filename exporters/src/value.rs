//! Values of samples, as text.

use std::fmt::Write as _;
use std::time::Duration;

use syncwatch_domain::time::{Timestamp, millis};

/// A value of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value {
    Int(i64),
    /// Milliseconds, written as seconds: exact, and without floating point.
    Millis(i64),
    Float(f64),
}

impl Value {
    pub(crate) fn write(self, out: &mut String) {
        match self {
            Self::Int(number) => out.push_str(itoa::Buffer::new().format(number)),
            Self::Millis(number) => write_millis(out, number),
            Self::Float(number) if number.is_nan() => out.push_str("NaN"),
            Self::Float(f64::INFINITY) => out.push_str("+Inf"),
            Self::Float(f64::NEG_INFINITY) => out.push_str("-Inf"),
            Self::Float(number) => {
                write!(out, "{number}").expect("writing to memory does not fail");
            }
        }
    }
}

fn write_millis(out: &mut String, number: i64) {
    let magnitude = number.unsigned_abs();
    if number < 0 {
        out.push('-');
    }
    out.push_str(itoa::Buffer::new().format(magnitude / 1000));
    let fraction = magnitude % 1000;
    if fraction > 0 {
        let digit =
            |at: u64| char::from(b'0' + u8::try_from(at % 10).expect("a digit is below ten"));
        out.extend([
            '.',
            digit(fraction / 100),
            digit(fraction / 10),
            digit(fraction),
        ]);
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(holds: bool) -> Self {
        Self::Int(i64::from(holds))
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::Millis(at.as_millis())
    }
}

impl From<Duration> for Value {
    fn from(span: Duration) -> Self {
        Self::Millis(millis(span))
    }
}
