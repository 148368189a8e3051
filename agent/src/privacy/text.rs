//! Names in texts.

/// What stands in place of a name.
const HIDDEN: &str = "(hidden)";
/// Begin of a line of event 656.
const REQUEST: &str = "Password Change Request";
/// Begin of a line of event 657.
const RESULT: &str = "Password Change Result";
/// What stands before the result of a user.
const RESULT_LABEL: &str = "Result :";
/// No word for a result is longer.
const LONGEST_WORD: usize = 40;
/// Attributes of a distinguished name that name a person or thing, not a place.
const NAMING: &[&str] = &["CN", "UID"];

/// The text without names of users: values of `CN=` and `UID=` in distinguished names, and what
/// stands before the `@` of addresses. Containers and domains stay.
#[must_use]
pub fn hide(text: &str) -> String {
    hide_addresses(&hide_names(text))
}

fn hide_names(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, length)) = next_name(rest) {
        out.push_str(&rest[..at + length]);
        out.push_str(HIDDEN);
        rest = &rest[at + length..];
        rest = &rest[end_of_value(rest)..];
    }
    out.push_str(rest);
    out
}

/// Where the next `CN=` begins that is no part of a word, and its length.
fn next_name(text: &str) -> Option<(usize, usize)> {
    text.match_indices('=').find_map(|(equals, _)| {
        let before = text[..equals].trim_end();
        NAMING.iter().find_map(|attribute| {
            let start = before.len().checked_sub(attribute.len())?;
            let word = before.get(start..)?;
            let is_apart = !text[..start].ends_with(|letter: char| letter.is_alphanumeric());
            let fits = word.eq_ignore_ascii_case(attribute) && is_apart;
            fits.then_some((start, equals + 1 - start))
        })
    })
}

/// Where a value ends: at a comma that another attribute follows, or where the text around it
/// goes on with a new line, a quotation mark or markup.
fn end_of_value(text: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        escaped = letter == '\\';
        let ends = match letter {
            '\n' | '\r' | '"' | '<' => true,
            ',' | ';' | '+' => begins_attribute(&text[at + 1..]),
            _ => false,
        };
        if ends {
            return at;
        }
    }
    text.len()
}

fn begins_attribute(text: &str) -> bool {
    let text = text.trim_start_matches(' ');
    let letters = text
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
        .count();
    letters > 0 && text[letters..].trim_start_matches(' ').starts_with('=')
}

fn hide_addresses(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, after) = rest.split_at(at);
        let kept = before.trim_end_matches(is_of_address);
        let names_somebody = kept.len() < before.len() && after[1..].starts_with(is_of_domain);
        out.push_str(if names_somebody { kept } else { before });
        out.push_str(if names_somebody { HIDDEN } else { "" });
        out.push('@');
        rest = &after[1..];
    }
    out.push_str(rest);
    out
}

fn is_of_address(letter: char) -> bool {
    letter.is_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~\\".contains(letter)
}

fn is_of_domain(letter: char) -> bool {
    letter.is_alphanumeric()
}

/// The text without the values of attributes, which such texts give in brackets as
/// `[ProxyAddresses smtp:…;Mail …;]`.
pub(super) fn hide_values(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once('[') {
        out.push_str(before);
        out.push('[');
        let (values, after) = inside.split_once(']').unwrap_or((inside, ""));
        let names = values
            .split(';')
            .filter_map(|value| value.split_whitespace().next())
            .filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        out.push_str(&names.collect::<Vec<_>>().join(";"));
        out.push(']');
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Event 656 without its users: a line for each.
pub(super) fn requests(text: &str) -> String {
    let lines = text.matches(REQUEST).map(|_| REQUEST.to_owned());
    joined(lines.collect(), text)
}

/// Event 657 without its users: a line with the result of each.
pub(super) fn results(text: &str) -> String {
    let users = text.split(RESULT).skip(1);
    let lines = users.map(|user| {
        let result = user.rsplit_once(RESULT_LABEL).map(|(_, result)| result);
        let word = result
            .and_then(|result| result.split_whitespace().next())
            .map(|word| word.trim_end_matches(['.', ',', ';']))
            .filter(|word| {
                let letters = word.bytes().all(|byte| byte.is_ascii_alphabetic());
                letters && !word.is_empty() && word.len() <= LONGEST_WORD
            });
        format!("{RESULT} - {RESULT_LABEL} {}.", word.unwrap_or("Other"))
    });
    joined(lines.collect(), text)
}

/// The lines, and the connector at the end of the text, where there is one.
fn joined(mut lines: Vec<String>, text: &str) -> String {
    let tail = text
        .find("<forest-info>")
        .and_then(|from| text.get(from..))
        .and_then(|tail| tail.split_once("</forest-info>"));
    if let Some((tail, _)) = tail {
        lines.push(format!("{}</forest-info>", hide(tail)));
    }
    lines.join("\r\n")
}
