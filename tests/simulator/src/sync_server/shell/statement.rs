//! Whether a statement is complete: every bracket and every text is closed.

/// How far a statement is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Completeness {
    Complete,
    /// More could make it complete.
    Incomplete(String),
    /// Nothing can.
    Wrong(String),
}

/// Judges a statement of PowerShell. Texts over several lines (`@'`) are not known here.
pub(super) fn completeness(text: &str) -> Completeness {
    let mut open = Vec::new();
    let mut letters = text.chars().peekable();
    let mut before = '\n';
    while let Some(letter) = letters.next() {
        match letter {
            '`' => drop(letters.next()),
            '#' if before.is_whitespace() || "{}();,|".contains(before) => {
                while letters.next_if(|next| *next != '\n').is_some() {}
            }
            '\'' | '"' => {
                if before == '@' {
                    return Completeness::Wrong(
                        "texts over several lines are not known here".into(),
                    );
                }
                if !skip_text(&mut letters, letter) {
                    return Completeness::Incomplete(format!(
                        "The string is missing the terminator: {letter}."
                    ));
                }
            }
            '(' | '[' | '{' => open.push(letter),
            ')' | ']' | '}' => match open.pop() {
                Some(begin) if closing(begin) == letter => {}
                Some(begin) => {
                    return Completeness::Wrong(format!(
                        "Missing closing '{}' before '{letter}'.",
                        closing(begin)
                    ));
                }
                None => return Completeness::Wrong(format!("Unexpected token '{letter}'.")),
            },
            _ => {}
        }
        before = letter;
    }
    match open.last() {
        Some(begin) => Completeness::Incomplete(format!("Missing closing '{}'.", closing(*begin))),
        None => Completeness::Complete,
    }
}

const fn closing(begin: char) -> char {
    match begin {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

/// Skips the rest of a text; says whether it ends. A doubled quotation mark is a part of it, and so
/// is one behind a backtick where backticks mean something.
fn skip_text(letters: &mut std::iter::Peekable<std::str::Chars<'_>>, mark: char) -> bool {
    while let Some(letter) = letters.next() {
        if letter == '`' && mark == '"' {
            letters.next();
        } else if letter == mark && letters.next_if_eq(&mark).is_none() {
            return true;
        }
    }
    false
}
