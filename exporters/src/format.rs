//! Which of the two formats a reader gets, and whether compressed (RFC 9110, section 12.5).

/// A format of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text format 0.0.4.
    Text,
    /// `OpenMetrics` 1.0.0.
    OpenMetrics,
}

/// Best weight in thousandths.
const FULL_WEIGHT: u16 = 1000;

impl Format {
    /// Value of the `Content-Type` header.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    const fn media_type(self) -> (&'static str, &'static str) {
        match self {
            Self::Text => ("text", "plain"),
            Self::OpenMetrics => ("application", "openmetrics-text"),
        }
    }

    const fn version(self) -> &'static str {
        match self {
            Self::Text => "0.0.4",
            Self::OpenMetrics => "1.0.0",
        }
    }

    /// The format an `Accept` header wants most. A reader that asks for neither gets the text format, which all
    /// understand, rather than a refusal.
    #[must_use]
    pub fn negotiate(accept: &str) -> Self {
        let text = Self::Text.wish(accept);
        let open_metrics = Self::OpenMetrics.wish(accept);
        // Equal wishes: the text format, unless OpenMetrics was asked for by name.
        let named = open_metrics.is_some_and(|wish| wish.fit >= Fit::Type);
        let better = if named {
            open_metrics >= text
        } else {
            open_metrics > text
        };
        if open_metrics.is_some() && better {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }

    /// How much the header wants this format; the range that fits best decides its weight.
    fn wish(self, accept: &str) -> Option<Wish> {
        accept
            .split(',')
            .filter_map(|range| Some((self.fit(range)?, weight(range)?)))
            .max_by_key(|(fit, _)| *fit)
            .filter(|(_, weight)| *weight > 0)
            .map(|(fit, weight)| Wish { weight, fit })
    }

    /// How exactly a media range names this format; `None` if it means something else.
    fn fit(self, range: &str) -> Option<Fit> {
        let mut parts = range.split(';').map(str::trim);
        let (main, sub) = parts.next()?.split_once('/')?;
        let (own_main, own_sub) = self.media_type();
        if main == "*" && sub == "*" {
            return Some(Fit::Anything);
        }
        if !main.eq_ignore_ascii_case(own_main) {
            return None;
        }
        if sub == "*" {
            return Some(Fit::MainType);
        }
        if !sub.eq_ignore_ascii_case(own_sub) {
            return None;
        }
        match parts.find_map(|parameter| value_of(parameter, "version")) {
            None => Some(Fit::Type),
            Some(version) => (version.trim_matches('"') == self.version()).then_some(Fit::Version),
        }
    }
}

/// Ordered by weight first: that is what the reader wants; the better fit decides between equals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Wish {
    weight: u16,
    fit: Fit,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Anything,
    MainType,
    Type,
    Version,
}

/// Whether an `Accept-Encoding` header takes gzip at least as gladly as no compression.
#[must_use]
pub fn wants_gzip(accept_encoding: &str) -> bool {
    let named = |name: &str| {
        accept_encoding
            .split(',')
            .find(|coding| {
                coding
                    .split(';')
                    .next()
                    .is_some_and(|word| word.trim().eq_ignore_ascii_case(name))
            })
            .and_then(weight)
    };
    let gzip = named("gzip")
        .or_else(|| named("x-gzip"))
        .or_else(|| named("*"))
        .unwrap_or(0);
    gzip > 0 && gzip >= named("identity").unwrap_or(0)
}

/// The weight of an element of a header in thousandths; `None` if it cannot be read, then the element does not count.
fn weight(element: &str) -> Option<u16> {
    let Some(text) = element
        .split(';')
        .skip(1)
        .find_map(|parameter| value_of(parameter.trim(), "q"))
    else {
        return Some(FULL_WEIGHT);
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{fraction:0<3}").parse::<u16>().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(FULL_WEIGHT),
        _ => None,
    }
}

/// The value of `name=value`, whatever the case of the name.
fn value_of<'a>(parameter: &'a str, name: &str) -> Option<&'a str> {
    let (key, value) = parameter.split_once('=')?;
    key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_get_the_format_they_want_most() {
        use Format::{OpenMetrics, Text};
        for (accept, format) in [
            ("", Text),
            ("*/*", Text),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                Text,
            ),
            // Prometheus 2 and 3, as they ask by default.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                OpenMetrics,
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                OpenMetrics,
            ),
            ("text/plain;version=0.0.4", Text),
            (
                "text/plain; version=0.0.4; q=0.4, application/openmetrics-text; version=1.0.0; q=0.8",
                OpenMetrics,
            ),
            (
                "text/plain;version=0.0.4;q=0.8,application/openmetrics-text;version=1.0.0;q=0.4",
                Text,
            ),
            ("text/plain,application/openmetrics-text", OpenMetrics),
            (
                "text/plain;version=0.0.4,application/openmetrics-text",
                Text,
            ),
            ("application/*", OpenMetrics),
            ("application/*;q=0.5,text/*;q=0.6", Text),
            ("*/*;q=0.9,application/openmetrics-text;q=0", Text),
            ("*/*,text/plain;q=0", OpenMetrics),
            (
                "APPLICATION/OpenMetrics-Text;Version=\"1.0.0\"",
                OpenMetrics,
            ),
            ("application/openmetrics-text;version=2.0.0", Text),
            ("application/openmetrics-text;q=7,text/plain;q=0.1", Text),
            ("nonsense;;;,=,/", Text),
            ("application/json", Text),
        ] {
            assert_eq!(Format::negotiate(accept), format, "{accept:?}");
        }
    }

    #[test]
    fn gzip_is_used_only_where_it_is_welcome() {
        for (header, gzip) in [
            ("", false),
            ("gzip", true),
            ("GZIP;q=0.2", true),
            ("gzip;q=0", false),
            ("deflate, br", false),
            ("deflate, gzip;q=1.0, *;q=0.5", true),
            ("identity, gzip;q=0.5", false),
            ("*", true),
            ("*;q=0", false),
            ("gzip;q=nan", false),
        ] {
            assert_eq!(wants_gzip(header), gzip, "{header:?}");
        }
    }
}
