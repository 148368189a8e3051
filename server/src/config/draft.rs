//! A configuration on its way from text to checked values, with all that is wrong so far.

use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::env;
use super::report::{Place, Problem};
use super::schema::{Schema, join};
use super::tree::{self, Node};
use super::walk::Walk;

/// What was written, what can be used of it, and what is wrong.
pub(super) struct Draft {
    tree: Node,
    usable: Json,
    walk: Walk,
    /// Lines on which the text is no TOML: what follows from there is not worth saying.
    broken_lines: Vec<usize>,
}

impl Draft {
    /// Reads the text, applies the environment and holds the result against the schema.
    pub(super) fn read(
        text: &str,
        schemas: &Schema,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let (mut tree, mut problems) = tree::parse(text);
        let broken_lines = problems
            .iter()
            .filter_map(|problem| line_of(&problem.place))
            .collect();
        problems.extend(env::apply(&mut tree, schemas, variables));
        let mut walk = Walk {
            problems,
            ..Walk::default()
        };
        let usable = walk
            .check(schemas, schemas.root(), &tree, "")
            .unwrap_or_default();
        Self {
            tree,
            usable,
            walk,
            broken_lines,
        }
    }

    /// How many tables a list of tables has.
    pub(super) fn count(&self, list: &str) -> usize {
        self.usable
            .get(list)
            .and_then(Json::as_array)
            .map_or(0, Vec::len)
    }

    /// Converts the part at `path`. Texts that do not mean what they should are reported and
    /// left out, one by one; `None` when the rest makes no whole.
    pub(super) fn convert<T: DeserializeOwned>(&mut self, path: &str) -> Option<T> {
        let mut json = at(&self.usable, path)
            .cloned()
            .unwrap_or_else(|| Json::Object(serde_json::Map::new()));
        if json.is_null() {
            return None;
        }
        loop {
            let error = match serde_path_to_error::deserialize::<_, T>(&json) {
                Ok(value) => return Some(value),
                Err(error) => error,
            };
            let inner = error.path().to_string();
            let message = error.into_inner().to_string();
            if message.starts_with("missing field") {
                return None;
            }
            let whole = inner == "." || inner.is_empty();
            let full = if whole {
                path.to_owned()
            } else {
                join(path, &inner)
            };
            let (what, mend) = message
                .split_once("; ")
                .map_or((message.as_str(), None), |(what, mend)| (what, Some(mend)));
            self.fault(&full, what, mend);
            self.walk.doubted.push(full);
            if whole || !remove(&mut json, &inner) {
                return None;
            }
        }
    }

    /// Reports what a check said about the key at `path`, unless it only follows from a mistake
    /// that was reported already.
    pub(super) fn fault(&mut self, path: &str, what: &str, mend: Option<&str>) {
        let (place, written) = self.tree.place_of(path);
        if !written && !self.is_sound() {
            return;
        }
        if self
            .walk
            .doubted
            .iter()
            .any(|doubted| follows(path, written, doubted))
        {
            return;
        }
        let problem = Problem::new(place, path, what);
        self.walk
            .problems
            .push(match mend.filter(|mend| !mend.is_empty()) {
                Some(mend) => problem.mend(mend),
                None => problem,
            });
    }

    /// The texts written as `key` in each table of a list, also where the table itself is of no use.
    pub(super) fn written(&self, list: &str, key: &str) -> Vec<String> {
        let tables = at(&self.usable, list).and_then(Json::as_array);
        let texts = tables
            .into_iter()
            .flatten()
            .filter_map(|table| table.get(key)?.as_str());
        texts.map(str::to_owned).collect()
    }

    /// All that is wrong. Where the text itself is broken, only that and what stands on other
    /// lines: a table that could not be read to its end is not missing a key.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let broken = self.broken_lines;
        let mut problems = self.walk.problems;
        if !broken.is_empty() {
            problems.retain(|problem| {
                let on_broken_line =
                    line_of(&problem.place).is_some_and(|line| broken.contains(&line));
                problem.key.is_empty() || !on_broken_line
            });
        }
        problems
    }

    /// Whether the text was TOML throughout.
    pub(super) fn is_sound(&self) -> bool {
        self.broken_lines.is_empty()
    }
}

fn line_of(place: &Place) -> Option<usize> {
    match place {
        Place::File { line, .. } => Some(*line),
        _ => None,
    }
}

/// Whether what is said about `path` may only follow from the doubt about another key: it is that
/// key or lies below it, it is the table of that key, or it was not written and is a twin of that
/// key, as `client_secret_file` is of `client_secret`.
fn follows(path: &str, written: bool, doubted: &str) -> bool {
    let twin = |a: &str, b: &str| {
        a.strip_prefix(b)
            .is_some_and(|rest| !rest.contains(['.', '[']))
    };
    is_within(path, doubted)
        || doubted
            .rsplit_once('.')
            .is_some_and(|(table, _)| table == path)
        || (!written && (twin(path, doubted) || twin(doubted, path)))
}

/// Whether `path` is `outer` or lies below it.
fn is_within(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer)
        .is_some_and(|rest| outer.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The steps of a path such as `tenant[0].polls.jobs`.
fn steps(path: &str) -> impl Iterator<Item = &str> {
    path.split(['.', '[', ']']).filter(|step| !step.is_empty())
}

fn at<'a>(json: &'a Json, path: &str) -> Option<&'a Json> {
    steps(path).try_fold(json, |json, step| match json {
        Json::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => json.get(step),
    })
}

/// Removes the key at the end of a path; for an item of a list, the key of the list.
fn remove(json: &mut Json, path: &str) -> bool {
    let mut all: Vec<&str> = steps(path).collect();
    while all.last().is_some_and(|step| step.parse::<usize>().is_ok()) {
        all.pop();
    }
    let Some((last, before)) = all.split_last() else {
        return false;
    };
    let mut json = json;
    for step in before {
        let next = match json {
            Json::Array(items) => step.parse::<usize>().ok().and_then(|at| items.get_mut(at)),
            _ => json.get_mut(*step),
        };
        match next {
            Some(next) => json = next,
            None => return false,
        }
    }
    json.as_object_mut()
        .is_some_and(|table| table.remove(*last).is_some())
}
