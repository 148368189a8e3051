//! Labels, put together and escaped.

/// Label blocks of many things in one allocation.
#[derive(Debug, Default)]
pub(crate) struct LabelBlocks {
    text: String,
    ends: Vec<usize>,
}

impl LabelBlocks {
    /// Puts the labels of one thing together.
    pub(crate) fn push(&mut self, labels: &[(&str, &str)]) {
        write_labels(&mut self.text, labels);
        self.ends.push(self.text.len());
    }

    /// The blocks, in the order they were pushed.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, end)| &self.text[start..*end])
    }
}

/// The labels of one thing, escaped, without braces. A label without a value is left out.
pub(crate) fn labels(labels: &[(&str, &str)]) -> String {
    let mut text = String::new();
    write_labels(&mut text, labels);
    text
}

fn write_labels(out: &mut String, labels: &[(&str, &str)]) {
    let mut first = true;
    for (name, value) in labels.iter().filter(|(_, value)| !value.is_empty()) {
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        out.push_str(name);
        out.push_str("=\"");
        escape(out, value, true);
        out.push('"');
    }
}

/// Escapes backslash, line feed and, inside quotes, the quote; everything else stands for itself.
pub(crate) fn escape(out: &mut String, text: &str, quotes: bool) {
    let is_special = |byte: u8| matches!(byte, b'\\' | b'\n') || (quotes && byte == b'"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(is_special) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'\n' => "\\n",
            b'"' => "\\\"",
            _ => "\\\\",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}
