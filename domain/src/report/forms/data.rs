//! The objects of a section's data.

use serde_json::Value;

use super::list::elements;
use super::{Forms, Row, ShapeError};

/// Every object of a section's data, which may hold lists in any form.
pub(in crate::report) fn rows<'a>(
    data: &'a [Value],
    forms: &Forms,
) -> Result<Vec<Row<'a>>, ShapeError> {
    let mut all = Vec::new();
    for (index, value) in data.iter().enumerate() {
        let at = format!("data[{index}]");
        let found = elements(value).map_err(|fault| fault.at(at.clone(), value))?;
        match found.as_slice() {
            [only] if std::ptr::eq(*only, value) => all.push(Row::new(at, value, *forms)?),
            _ => all.extend(rows_at(&at, value, *forms)?),
        }
    }
    Ok(all)
}

/// The only object of a section that has one.
pub(in crate::report) fn only_row<'a>(
    data: &'a [Value],
    forms: &Forms,
    expected: &'static str,
) -> Result<Row<'a>, ShapeError> {
    let mut all = rows(data, forms)?;
    match (all.pop(), all.len()) {
        (Some(row), 0) => Ok(row),
        (None, _) => Err(ShapeError::Missing {
            at: "data".to_owned(),
            expected,
        }),
        (Some(_), others) => Err(ShapeError::Unexpected {
            at: "data".to_owned(),
            found: format!("a list of {} objects", others + 1),
            expected,
        }),
    }
}

/// The objects of a list in any form.
pub(super) fn rows_at<'a>(
    at: &str,
    value: &'a Value,
    forms: Forms,
) -> Result<Vec<Row<'a>>, ShapeError> {
    elements(value)
        .map_err(|fault| fault.at(at.to_owned(), value))?
        .into_iter()
        .enumerate()
        .map(|(index, item)| Row::new(format!("{at}[{index}]"), item, forms))
        .collect()
}
