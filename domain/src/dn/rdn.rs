//! One part of a name: its only spelling.

use std::borrow::Cow;

use icu_casemap::{CaseMapper, CaseMapperBorrowed};

use super::DnError;

/// Folds case as Unicode's full folding does, in every language alike.
const FOLD: CaseMapperBorrowed<'static> = CaseMapper::new();

/// Types by their numbers (RFC 4519, and RFC 4524 for `dc`).
const NUMBERS: [(&str, &str); 10] = [
    ("2.5.4.3", "cn"),
    ("2.5.4.11", "ou"),
    ("0.9.2342.19200300.100.1.25", "dc"),
    ("2.5.4.10", "o"),
    ("2.5.4.6", "c"),
    ("2.5.4.7", "l"),
    ("2.5.4.8", "st"),
    ("2.5.4.9", "street"),
    ("0.9.2342.19200300.100.1.1", "uid"),
    ("2.5.4.5", "serialnumber"),
];

/// What nearly every part looks like: ASCII, one type and value, nothing escaped, no blanks around.
/// Lower case is then all there is to do.
pub(super) fn is_plain(raw: &[u8]) -> bool {
    let Some(equals) = memchr::memchr(b'=', raw) else {
        return false;
    };
    let is_odd = |byte: &u8| !byte.is_ascii() || matches!(byte, b'\\' | b'+' | b'"');
    let (kind, value) = (&raw[..equals], &raw[equals + 1..]);
    let names = kind.first().is_some_and(u8::is_ascii_alphabetic)
        && kind
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    let starts = value
        .first()
        .is_some_and(|byte| !matches!(byte, b' ' | b'#'));
    names && starts && value.last() != Some(&b' ') && !value.iter().any(is_odd)
}

/// The only spelling of a part.
pub(super) fn canonical(raw: &str) -> Result<Cow<'_, str>, DnError> {
    if is_plain(raw.as_bytes()) {
        return Ok(if raw.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(raw.to_ascii_lowercase())
        } else {
            Cow::Borrowed(raw)
        });
    }
    let mut values: Vec<String> = Vec::new();
    for one in values_of(raw) {
        values.push(value(one)?);
    }
    // The values of one part are a set.
    values.sort_unstable();
    values.dedup();
    Ok(Cow::Owned(values.join("+")))
}

/// The values of a part: between unescaped pluses.
fn values_of(raw: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(raw);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut escaped = false;
        let plus = text.bytes().position(|byte| {
            let separates = byte == b'+' && !escaped;
            escaped = byte == b'\\' && !escaped;
            separates
        });
        rest = plus.map(|plus| &text[plus + 1..]);
        Some(plus.map_or(text, |plus| &text[..plus]))
    })
}

/// The only spelling of one type with its value.
fn value(raw: &str) -> Result<String, DnError> {
    let (mut out, text) = meant(raw)?;
    out.push('=');
    escape(&FOLD.fold_string(&text), &mut out);
    Ok(out)
}

/// The value of a part that is a common name and nothing else, as it was meant.
pub(super) fn common_name(raw: &str) -> Option<String> {
    let mut values = values_of(raw);
    let (kind, text) = meant(values.next()?).ok()?;
    (kind == "cn" && values.next().is_none()).then_some(text)
}

/// The short name of a type, and its value as it was meant.
fn meant(raw: &str) -> Result<(String, String), DnError> {
    let bad = |why| DnError::new(raw, why);
    let (kind, text) = raw
        .split_once('=')
        .ok_or_else(|| bad("it has no equals sign between type and value"))?;
    let kind =
        name(kind.trim_matches(' ')).ok_or_else(|| bad("it has no type before the equals sign"))?;
    let text = text.trim_start_matches(' ');
    let octets = match text.strip_prefix('#') {
        Some(digits) => encoded(digits.trim_end_matches(' '))
            .ok_or_else(|| bad("the value behind # is not a text in hexadecimal digits"))?,
        None => unescaped(text).map_err(bad)?,
    };
    let text = String::from_utf8(octets).map_err(|_| bad("its escaped bytes are not UTF-8"))?;
    Ok((kind, text))
}

/// Writes a value so that it reads as itself.
fn escape(value: &str, out: &mut String) {
    let last = value.chars().count().saturating_sub(1);
    for (at, letter) in value.chars().enumerate() {
        let needs = match letter {
            ',' | '+' | '"' | '\\' => true,
            '#' => at == 0,
            ' ' => at == 0 || at == last,
            _ => false,
        };
        if needs {
            out.push('\\');
        }
        out.push(letter);
    }
}

/// The short name of a type in lower case; `None` when it is none.
fn name(kind: &str) -> Option<String> {
    let lower = kind.to_ascii_lowercase();
    let kind = lower.strip_prefix("oid.").unwrap_or(&lower);
    if let Some((_, name)) = NUMBERS.iter().find(|(number, _)| *number == kind) {
        return Some((*name).to_owned());
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    (!kind.is_empty() && kind.bytes().all(is_name)).then(|| kind.to_owned())
}

/// A value without its escapes and without the blanks behind it.
fn unescaped(text: &str) -> Result<Vec<u8>, &'static str> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    let mut kept = 0;
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                let next = bytes.next().ok_or("it ends in a backslash")?;
                let digit = |byte: u8| char::from(byte).to_digit(16);
                match digit(next) {
                    Some(high) => {
                        let low = bytes.next().and_then(digit);
                        let low = low.ok_or("a backslash stands before one hexadecimal digit")?;
                        out.push(u8::try_from(high * 16 + low).unwrap_or_default());
                    }
                    None => out.push(next),
                }
                kept = out.len();
            }
            b'"' => return Err("a quotation mark needs a backslash before it"),
            b' ' => out.push(b' '),
            other => {
                out.push(other);
                kept = out.len();
            }
        }
    }
    out.truncate(kept);
    Ok(out)
}

/// The bytes of a text in BER, written in hexadecimal digits: UTF8String, PrintableString,
/// TeletexString, IA5String and BMPString. Other types are no texts.
fn encoded(digits: &str) -> Option<Vec<u8>> {
    let octets = octets(digits)?;
    let (tag, rest) = octets.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, content) = if *length < 0x80 {
        (usize::from(*length), rest)
    } else {
        let (size, content) = rest.split_at_checked(usize::from(length & 0x7f))?;
        // Names are shorter than any length that needs more than four bytes.
        if size.len() > 4 {
            return None;
        }
        let length = size
            .iter()
            .fold(0, |sum, byte| sum * 256 + usize::from(*byte));
        (length, content)
    };
    if content.len() != length {
        return None;
    }
    match tag {
        0x0c | 0x13 | 0x14 | 0x16 => Some(content.to_vec()),
        0x1e if length % 2 == 0 => {
            let units = content
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            let text: Result<String, _> = char::decode_utf16(units).collect();
            text.ok().map(String::into_bytes)
        }
        _ => None,
    }
}

fn octets(digits: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = digits.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| !digits.is_empty() && digits.len() % 2 == 0)?;
    let pairs = digits.chunks_exact(2);
    pairs
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok())
        .collect()
}
