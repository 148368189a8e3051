//! The little XML that the server puts into texts: a few elements without attributes or nesting of
//! the same name, often without a root. Enough is known of it that a whole XML reader, which
//! refuses fragments, would be in the way.

/// Content of the first element of this name, with entities resolved; `None` when it is blank.
pub(super) fn element(text: &str, name: &str) -> Option<String> {
    filled(inside(text, name)?.0)
}

/// Content of the last element of this name.
pub(super) fn last_element(text: &str, name: &str) -> Option<String> {
    let (mut last, mut rest) = inside(text, name)?;
    while let Some((content, after)) = inside(rest, name) {
        (last, rest) = (content, after);
    }
    filled(last)
}

/// An attribute of the first element of this name.
pub(super) fn attribute(text: &str, name: &str, attribute: &str) -> Option<String> {
    let (tag, _) = opening(text, name)?;
    let key = format!("{attribute}=\"");
    let start = tag.find(&key)? + key.len();
    let value = &tag[start..];
    filled(&value[..value.find('"')?])
}

/// The content of the first element, and what follows it.
fn inside<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let (_, after) = opening(text, name)?;
    after.split_once(format!("</{name}>").as_str())
}

/// The inside of the opening tag, and what follows the tag.
fn opening<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let start = format!("<{name}");
    let mut rest = text;
    loop {
        rest = &rest[rest.find(&start)? + start.len()..];
        // Another name may begin with this one.
        if rest.starts_with(|letter: char| letter == '>' || letter.is_whitespace()) {
            let end = rest.find('>')?;
            return Some((&rest[..end], &rest[end + 1..]));
        }
    }
}

fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| resolved(text))
}

/// The five entities that XML knows without a declaration; `&amp;` last, it makes no new ones.
fn resolved(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "<connection-result>failed-connection</connection-result>\
        <server>dc1.ad.hauser.example:389</server><connection-log>\
        <incident><server>dc1.ad.hauser.example:389</server></incident>\
        <incident><server>dc2.ad.hauser.example:389</server></incident></connection-log>";

    #[test]
    fn first_and_last_element_are_found() {
        assert_eq!(
            element(LOG, "server").as_deref(),
            Some("dc1.ad.hauser.example:389")
        );
        assert_eq!(
            last_element(LOG, "server").as_deref(),
            Some("dc2.ad.hauser.example:389")
        );
        assert_eq!(element(LOG, "connection"), None);
        assert_eq!(element(LOG, "cd-error"), None);
    }

    #[test]
    fn attribute_and_entities_are_read() {
        let text = "<step-type type=\"delta-import\"></step-type><partition>OU=R&amp;D</partition>";
        assert_eq!(
            attribute(text, "step-type", "type").as_deref(),
            Some("delta-import")
        );
        assert_eq!(element(text, "partition").as_deref(), Some("OU=R&D"));
        assert_eq!(element("<a>&amp;lt;</a>", "a").as_deref(), Some("&lt;"));
    }

    #[test]
    fn broken_markup_is_nothing() {
        for text in [
            "<server",
            "<server>",
            "<server></serve",
            "</server>",
            "<server> </server>",
        ] {
            assert_eq!(element(text, "server"), None, "{text}");
            assert_eq!(last_element(text, "server"), None, "{text}");
            assert_eq!(attribute(text, "server", "type"), None, "{text}");
        }
    }
}
