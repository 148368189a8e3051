//! A small, strict reader of both formats, written from their descriptions and sharing nothing with the writer.

use std::collections::{BTreeMap, BTreeSet};

use crate::format::Format;

/// A page that was read.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) families: Vec<ParsedFamily>,
}

#[derive(Debug)]
pub(crate) struct ParsedFamily {
    /// As in the header.
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) help: String,
    pub(crate) unit: String,
    pub(crate) samples: Vec<ParsedSample>,
}

#[derive(Debug)]
pub(crate) struct ParsedSample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

impl ParsedSample {
    /// Name and labels, in the order of the labels' names.
    pub(crate) fn series(&self) -> String {
        let labels = self
            .labels
            .iter()
            .map(|(name, value)| format!("{name}={value:?}"))
            .collect::<Vec<_>>();
        if labels.is_empty() {
            self.name.clone()
        } else {
            format!("{}{{{}}}", self.name, labels.join(","))
        }
    }
}

impl Parsed {
    /// Every series and its value.
    pub(crate) fn values(&self) -> BTreeMap<String, f64> {
        let samples = self.families.iter().flat_map(|family| &family.samples);
        samples
            .map(|sample| (sample.series(), sample.value))
            .collect()
    }
}

/// Reads a page; panics with the line at fault.
pub(crate) fn parse(page: &str, format: Format) -> Parsed {
    let body = match format {
        Format::Text => page,
        Format::OpenMetrics => page
            .strip_suffix("# EOF\n")
            .expect("OpenMetrics ends with EOF"),
    };
    assert!(
        body.is_empty() || body.ends_with('\n'),
        "the last line is not ended"
    );
    let mut parsed = Parsed::default();
    let mut series = BTreeSet::new();
    for line in body.split_terminator('\n') {
        if let Some(comment) = line.strip_prefix("# ") {
            read_header(&mut parsed, comment, format);
            continue;
        }
        let sample = read_sample(line);
        let family = parsed.families.last_mut().expect("a header comes first");
        assert!(!family.kind.is_empty(), "no type before {line:?}");
        assert!(
            belongs(&sample.name, family, format),
            "{line:?} stands in {} ({})",
            family.name,
            family.kind
        );
        assert!(series.insert(sample.series()), "{line:?} is there twice");
        family.samples.push(sample);
    }
    parsed
}

fn read_header(parsed: &mut Parsed, comment: &str, format: Format) {
    let mut words = comment.splitn(3, ' ');
    let mut next = || {
        words
            .next()
            .unwrap_or_else(|| panic!("short header {comment:?}"))
            .to_owned()
    };
    let (keyword, name, rest) = (next(), next(), next());
    if parsed
        .families
        .last()
        .is_none_or(|family| family.name != name)
    {
        assert!(
            parsed.families.iter().all(|family| family.name != name),
            "{name} is torn apart"
        );
        parsed.families.push(ParsedFamily {
            name,
            kind: String::new(),
            help: String::new(),
            unit: String::new(),
            samples: Vec::new(),
        });
    }
    let family = parsed.families.last_mut().expect("there is one now");
    assert!(
        family.samples.is_empty(),
        "header after samples: {comment:?}"
    );
    match keyword.as_str() {
        "HELP" => family.help = unescape(&rest, format == Format::OpenMetrics),
        "TYPE" => family.kind = rest,
        "UNIT" if format == Format::OpenMetrics => {
            assert!(family.name.ends_with(&format!("_{rest}")), "{comment:?}");
            family.unit = rest;
        }
        _ => panic!("unknown header {comment:?}"),
    }
}

/// Whether a sample of this name may stand in a family.
fn belongs(sample: &str, family: &ParsedFamily, format: Format) -> bool {
    let suffixes: &[&str] = match (family.kind.as_str(), format) {
        ("counter", Format::OpenMetrics) => &["_total"],
        ("info", Format::OpenMetrics) => &["_info"],
        ("histogram", _) => &["_bucket", "_sum", "_count"],
        ("summary", _) => &["", "_sum", "_count"],
        ("gauge" | "unknown", Format::OpenMetrics)
        | ("gauge" | "counter" | "untyped", Format::Text) => &[""],
        (kind, _) => panic!("unknown type {kind:?}"),
    };
    sample
        .strip_prefix(family.name.as_str())
        .is_some_and(|suffix| suffixes.contains(&suffix))
}

fn read_sample(line: &str) -> ParsedSample {
    let end = line
        .find(['{', ' '])
        .unwrap_or_else(|| panic!("no value in {line:?}"));
    let (name, rest) = line.split_at(end);
    assert!(is_name(name), "bad name in {line:?}");
    let (labels, value) = match rest.strip_prefix('{') {
        Some(inner) => read_labels(inner, line),
        None => (BTreeMap::new(), rest),
    };
    let value = value
        .strip_prefix(' ')
        .unwrap_or_else(|| panic!("no space before the value in {line:?}"));
    let value = match value {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        "NaN" => f64::NAN,
        number => number
            .parse()
            .unwrap_or_else(|_| panic!("bad value in {line:?}")),
    };
    ParsedSample {
        name: name.to_owned(),
        labels,
        value,
    }
}

/// Reads labels up to the closing brace; returns them and what follows it.
fn read_labels<'a>(mut rest: &'a str, line: &str) -> (BTreeMap<String, String>, &'a str) {
    let mut labels = BTreeMap::new();
    loop {
        let (name, after) = rest
            .split_once("=\"")
            .unwrap_or_else(|| panic!("bad labels in {line:?}"));
        assert!(is_name(name), "bad label name {name:?} in {line:?}");
        let end = closing_quote(after).unwrap_or_else(|| panic!("open quote in {line:?}"));
        let before = labels.insert(name.to_owned(), unescape(&after[..end], true));
        assert!(before.is_none(), "{name} is there twice in {line:?}");
        rest = &after[end + 1..];
        if let Some(after) = rest.strip_prefix('}') {
            return (labels, after);
        }
        rest = rest
            .strip_prefix(',')
            .unwrap_or_else(|| panic!("no comma in {line:?}"));
    }
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

fn unescape(text: &str, quotes: bool) -> String {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        out.push(match letter {
            '\\' => match rest.next() {
                Some('\\') => '\\',
                Some('n') => '\n',
                Some('"') if quotes => '"',
                other => panic!("bad escape {other:?} in {text:?}"),
            },
            '"' if quotes => panic!("a quote that is not escaped in {text:?}"),
            other => other,
        });
    }
    out
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
