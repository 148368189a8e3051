//! Writing a page, in either format.
//!
//! Hand-written because the fleet is rendered from a snapshot at every scrape: going through a registry would build
//! and drop several allocations per series (measured over ten times slower at 100,000 series of a line each). Labels are escaped and put
//! together once per lane in [`crate::labels`] and copied into each of its lines.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::catalogue::{Family, Head, Kind};
use crate::format::Format;
use crate::labels::escape;
use crate::value::Value;

/// Text is handed to the compressor in pieces of this size, so that a page of any size needs little memory.
const PIECE: usize = 64 * 1024;

/// A page being written.
#[derive(Debug)]
pub(crate) struct Page {
    format: Format,
    text: String,
    gzip: Option<GzEncoder<Vec<u8>>>,
}

impl Page {
    pub(crate) fn new(format: Format, gzip: bool) -> Self {
        // Level 1: it shrinks such pages more than tenfold; level 6 gains a third more and takes eight times as long.
        let gzip = gzip.then(|| GzEncoder::new(Vec::new(), Compression::fast()));
        Self {
            format,
            text: String::with_capacity(PIECE + PIECE / 4),
            gzip,
        }
    }

    /// Begins a family of the catalogue. Its header is written with its first sample: without one there is nothing to say.
    pub(crate) fn family(&mut self, family: &'static Family) -> Samples<'_> {
        self.family_with(family.head)
    }

    /// Begins a family that another part describes.
    pub(crate) fn family_with<'a>(&'a mut self, head: Head<'a>) -> Samples<'a> {
        Samples {
            page: self,
            head,
            begun: false,
        }
    }

    /// The finished page.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        match self.gzip.take() {
            None => self.text.into_bytes(),
            Some(mut gzip) => gzip
                .write_all(self.text.as_bytes())
                .and_then(|()| gzip.finish())
                .expect("writing to memory does not fail"),
        }
    }

    fn header(&mut self, head: &Head<'_>) {
        let name = match (self.format, head.kind) {
            (Format::OpenMetrics, Kind::Counter) => {
                head.name.strip_suffix("_total").unwrap_or(head.name)
            }
            (Format::OpenMetrics, Kind::Info) => {
                head.name.strip_suffix("_info").unwrap_or(head.name)
            }
            _ => head.name,
        };
        let kind = match (self.format, head.kind) {
            (_, Kind::Counter) => "counter",
            (_, Kind::Histogram) => "histogram",
            (_, Kind::Summary) => "summary",
            (Format::OpenMetrics, Kind::Info) => "info",
            (_, Kind::Gauge | Kind::Info) => "gauge",
            (Format::Text, Kind::Untyped) => "untyped",
            (Format::OpenMetrics, Kind::Untyped) => "unknown",
        };
        self.text.push_str("# HELP ");
        self.text.push_str(name);
        self.text.push(' ');
        // The text format knows no \" in a help text and would show the backslash.
        escape(
            &mut self.text,
            head.help,
            self.format == Format::OpenMetrics,
        );
        self.text.push_str("\n# TYPE ");
        self.text.push_str(name);
        self.text.push(' ');
        self.text.push_str(kind);
        self.text.push('\n');
        if let (Format::OpenMetrics, Some(unit)) = (self.format, head.unit.as_str()) {
            self.text.push_str("# UNIT ");
            self.text.push_str(name);
            self.text.push(' ');
            self.text.push_str(unit);
            self.text.push('\n');
        }
    }

    /// Hands what is written to the compressor, if there is one and it is worth it.
    fn spill(&mut self) {
        if self.text.len() < PIECE {
            return;
        }
        if let Some(gzip) = &mut self.gzip {
            gzip.write_all(self.text.as_bytes())
                .expect("writing to memory does not fail");
            self.text.clear();
        }
    }
}

/// The samples of one family.
pub(crate) struct Samples<'p> {
    page: &'p mut Page,
    head: Head<'p>,
    begun: bool,
}

impl Samples<'_> {
    /// A sample with these labels, which [`crate::labels`] put together.
    pub(crate) fn sample(&mut self, labels: &str, value: impl Into<Value>) {
        self.line("", labels, None, value.into());
    }

    /// A sample with one more label, whose value is a word that needs no escaping.
    pub(crate) fn member(&mut self, labels: &str, name: &str, word: &str, value: impl Into<Value>) {
        self.line("", labels, Some((name, word)), value.into());
    }

    /// A sample of a summary or histogram: `_sum`, `_count` or `_bucket`.
    pub(crate) fn part(
        &mut self,
        suffix: &str,
        labels: &str,
        bound: Option<(&str, f64)>,
        value: impl Into<Value>,
    ) {
        let bound = bound.map(|(name, at)| (name, bound_text(at)));
        let bound = bound.as_ref().map(|(name, text)| (*name, text.as_str()));
        self.line(suffix, labels, bound, value.into());
    }

    fn line(&mut self, suffix: &str, labels: &str, member: Option<(&str, &str)>, value: Value) {
        if !self.begun {
            self.page.header(&self.head);
            self.begun = true;
        }
        let text = &mut self.page.text;
        text.push_str(self.head.name);
        text.push_str(suffix);
        if !labels.is_empty() || member.is_some() {
            text.push('{');
            text.push_str(labels);
            if let Some((name, word)) = member {
                if !labels.is_empty() {
                    text.push(',');
                }
                text.push_str(name);
                text.push_str("=\"");
                text.push_str(word);
                text.push('"');
            }
            text.push('}');
        }
        text.push(' ');
        value.write(text);
        text.push('\n');
        self.page.spill();
    }
}

/// A bound of a bucket or a quantile. `OpenMetrics` asks for a decimal point, so that one bound has one spelling; the
/// text format takes it as well, and then both formats feed the same series.
fn bound_text(at: f64) -> String {
    let mut text = String::new();
    Value::Float(at).write(&mut text);
    if at.is_finite() && !text.contains('.') {
        text.push_str(".0");
    }
    text
}
