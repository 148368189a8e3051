//! Validates a card against the Adaptive Card 1.4 schema: known types, required properties, member values, and no
//! property the schema does not know. Nothing here is lenient: Teams drops what it does not understand silently.

use serde_json::{Map, Value};

use crate::sinks::card_rules::{self as rules, Kind, Rule};

const MAX_DEPTH: u32 = 40;

/// Everything that is wrong with a card, each with the place in the card; empty for a valid card.
#[must_use]
pub fn validate_card(card: &Value) -> Vec<String> {
    let mut check = Check {
        found: Vec::new(),
        depth: 0,
    };
    check.card("card", card, true);
    check.found
}

struct Check {
    found: Vec<String>,
    depth: u32,
}

impl Check {
    fn wrong(&mut self, at: &str, what: impl std::fmt::Display) {
        self.found.push(format!("{at}: {what}"));
    }

    fn card(&mut self, at: &str, value: &Value, top: bool) {
        let Some(object) = value.as_object() else {
            return self.wrong(at, "is not an object");
        };
        if object.get("type").and_then(Value::as_str) != Some("AdaptiveCard") {
            self.wrong(at, "type must be \"AdaptiveCard\"");
        }
        match object.get("version").and_then(Value::as_str) {
            Some("1.0" | "1.1" | "1.2" | "1.3" | "1.4") => {}
            Some(other) => self.wrong(at, format_args!("version {other} is not 1.0 to 1.4")),
            None if top => self.wrong(at, "version is missing"),
            None => {}
        }
        self.properties(at, object, &[rules::CARD]);
    }

    /// Checks the properties of an object against tables; the first table that knows a name decides.
    fn properties(&mut self, at: &str, object: &Map<String, Value>, tables: &[&[Rule]]) {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.wrong(at, "is nested too deep");
        }
        for (name, value) in object {
            if name == "type" {
                continue;
            }
            let rule = tables
                .iter()
                .find_map(|table| table.iter().find(|(known, ..)| known == name));
            match rule {
                Some((_, kind, _)) => self.value(&format!("{at}.{name}"), value, *kind),
                None => self.wrong(at, format_args!("unknown property {name:?}")),
            }
        }
        let required = tables
            .iter()
            .copied()
            .flatten()
            .filter(|(_, _, required)| *required);
        for (name, ..) in required {
            if !object.contains_key(*name) {
                self.wrong(at, format_args!("property {name:?} is missing"));
            }
        }
        self.depth -= 1;
    }

    fn value(&mut self, at: &str, value: &Value, kind: Kind) {
        let fits = match kind {
            Kind::Text | Kind::Uri | Kind::TextOrMember => value.is_string(),
            Kind::Flag => value.is_boolean(),
            Kind::Number => value.is_number(),
            Kind::NumberOrText => value.is_number() || value.is_string(),
            Kind::TextOrObject => value.is_string() || value.is_object(),
            Kind::Member(members) => is_member(value, members),
            Kind::MemberOrNull(members) => value.is_null() || is_member(value, members),
            Kind::Requires => value
                .as_object()
                .is_some_and(|map| map.values().all(Value::is_string)),
            Kind::Teams => is_teams_extension(value),
            Kind::Authentication => value.is_object(),
            _ => return self.nested(at, value, kind),
        };
        if !fits {
            self.wrong(at, format_args!("{} does not fit", brief(value)));
        }
    }

    fn nested(&mut self, at: &str, value: &Value, kind: Kind) {
        match kind {
            Kind::Elements => self.each(at, value, Self::element),
            Kind::Actions => self.each(at, value, Self::action),
            Kind::Columns => self.each(at, value, |check, at, one| {
                check.plain(at, one, Some("Column"), rules::COLUMN);
            }),
            Kind::Facts => self.each(at, value, |check, at, one| {
                check.plain(at, one, Some("Fact"), rules::FACT);
            }),
            Kind::Choices => {
                self.each(at, value, |check, at, one| {
                    check.plain(at, one, Some("Input.Choice"), rules::CHOICE);
                });
            }
            Kind::Images => self.each(at, value, Self::element),
            Kind::Sources => self.each(at, value, |check, at, one| {
                check.plain(at, one, Some("MediaSource"), rules::SOURCE);
            }),
            Kind::Inlines => self.each(at, value, |check, at, one| {
                if !one.is_string() {
                    check.plain(at, one, Some("TextRun"), rules::TEXT_RUN);
                }
            }),
            Kind::Targets => self.each(at, value, |check, at, one| {
                if !one.is_string() {
                    check.plain(at, one, Some("TargetElement"), rules::TARGET);
                }
            }),
            Kind::SelectAction => {
                self.action(at, value);
                if value["type"] == "Action.ShowCard" {
                    self.wrong(at, "Action.ShowCard is not allowed here");
                }
            }
            Kind::Card => self.card(at, value, false),
            Kind::Background if value.is_string() => {}
            Kind::Background => self.plain(at, value, Some("BackgroundImage"), rules::BACKGROUND),
            Kind::Fallback if is_member(value, &["drop"]) => {}
            Kind::Fallback
                if value["type"]
                    .as_str()
                    .is_some_and(|name| name.starts_with("Action.")) =>
            {
                self.action(at, value);
            }
            Kind::Fallback if value["type"] == "Column" => {
                self.plain(at, value, Some("Column"), rules::COLUMN);
            }
            Kind::Fallback => self.element(at, value),
            Kind::Refresh => match value.get("action") {
                Some(action) if action["type"] == "Action.Execute" => self.action(at, action),
                _ => self.wrong(at, "needs an Action.Execute"),
            },
            _ => {}
        }
    }

    fn each(&mut self, at: &str, value: &Value, mut one: impl FnMut(&mut Self, &str, &Value)) {
        match value.as_array() {
            Some(list) => {
                for (n, item) in list.iter().enumerate() {
                    one(self, &format!("{at}[{n}]"), item);
                }
            }
            None => self.wrong(at, "is not a list"),
        }
    }

    /// An object whose type may be left out.
    fn plain(&mut self, at: &str, value: &Value, name: Option<&str>, table: &[Rule]) {
        let Some(object) = value.as_object() else {
            return self.wrong(at, "is not an object");
        };
        if let Some(kind) = object.get("type")
            && kind.as_str() != name
        {
            self.wrong(at, format_args!("type {} does not fit", brief(kind)));
        }
        self.properties(at, object, &[table]);
    }

    fn element(&mut self, at: &str, value: &Value) {
        self.typed(at, value, "element", rules::element);
    }

    fn action(&mut self, at: &str, value: &Value) {
        self.typed(at, value, "action", rules::action);
        if value["type"] == "Action.Submit" && value.get("verb").is_some() {
            self.wrong(at, "unknown property \"verb\"");
        }
    }

    fn typed(
        &mut self,
        at: &str,
        value: &Value,
        what: &str,
        tables: fn(&str) -> Option<[&'static [Rule]; 3]>,
    ) {
        let Some(object) = value.as_object() else {
            return self.wrong(at, "is not an object");
        };
        let Some(name) = object.get("type").and_then(Value::as_str) else {
            return self.wrong(at, "type is missing");
        };
        match tables(name) {
            Some(tables) => self.properties(&format!("{at}<{name}>"), object, &tables),
            None => self.wrong(at, format_args!("unknown {what} {name:?}")),
        }
    }
}

fn is_member(value: &Value, members: &[&str]) -> bool {
    value.as_str().is_some_and(|text| {
        members
            .iter()
            .any(|member| member.eq_ignore_ascii_case(text))
    })
}

/// The one extension Teams documents for the root: `width` and `entities`.
fn is_teams_extension(value: &Value) -> bool {
    value.as_object().is_some_and(|object| {
        object.iter().all(|(name, inner)| match name.as_str() {
            "width" => is_member(inner, &["Full"]),
            "entities" => inner.is_array(),
            _ => false,
        })
    })
}

fn brief(value: &Value) -> String {
    value.to_string().chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn card(body: &Value, actions: &Value) -> Value {
        json!({
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "msteams": {"width": "Full"},
            "body": body,
            "actions": actions,
        })
    }

    #[test]
    fn a_card_with_everything_usual_is_valid() {
        let body = json!([
            {"type": "TextBlock", "text": "Missed", "weight": "Bolder", "size": "Large", "wrap": true, "color": "Attention"},
            {"type": "FactSet", "facts": [{"title": "Domain", "value": "werke.example"}], "spacing": "None", "separator": true},
            {"type": "ColumnSet", "columns": [{"type": "Column", "width": "stretch", "items": [
                {"type": "Image", "url": "https://a.example/x.png", "size": "Small", "height": "20px"},
            ]}]},
            {"type": "Container", "style": "emphasis", "items": [
                {"type": "RichTextBlock", "inlines": ["a", {"type": "TextRun", "text": "b", "fontType": "Monospace"}]},
            ]},
            {"type": "ActionSet", "actions": [{"type": "Action.ToggleVisibility", "title": "More", "targetElements": ["x"]}]},
        ]);
        let actions = json!([
            {"type": "Action.OpenUrl", "title": "Open", "url": "https://a.example/"},
            {"type": "Action.ShowCard", "title": "Why", "card": {"type": "AdaptiveCard", "body": []}},
        ]);
        assert_eq!(validate_card(&card(&body, &actions)), Vec::<String>::new());
    }

    #[test]
    fn each_violation_is_found_and_located() {
        for (body, expected) in [
            (json!([{"type": "TextBlock"}]), "\"text\" is missing"),
            (
                json!([{"type": "TextBlock", "text": "a", "colour": "good"}]),
                "unknown property \"colour\"",
            ),
            (
                json!([{"type": "TextBlock", "text": "a", "color": "red"}]),
                ".color",
            ),
            (json!([{"type": "TextBlock", "text": 5}]), ".text"),
            (
                json!([{"type": "TextBlock", "text": "a", "wrap": "true"}]),
                ".wrap",
            ),
            (
                json!([{"type": "Table", "columns": []}]),
                "unknown element \"Table\"",
            ),
            (json!([{"text": "a"}]), "type is missing"),
            (
                json!([{"type": "FactSet", "facts": [{"title": "a", "value": 3}]}]),
                "facts[0].value",
            ),
            (
                json!([{"type": "FactSet", "facts": [{"title": "a"}]}]),
                "\"value\" is missing",
            ),
            (json!([{"type": "Container"}]), "\"items\" is missing"),
            (
                json!([{"type": "Container", "items": [], "selectAction": {"type": "Action.ShowCard"}}]),
                "not allowed here",
            ),
            (json!([{"type": "Input.Text"}]), "\"id\" is missing"),
            (json!("text"), "not a list"),
        ] {
            let found = validate_card(&card(&body, &json!([])));
            assert!(
                found.iter().any(|one| one.contains(expected)),
                "{body}: {found:?} lacks {expected}"
            );
        }
    }

    #[test]
    fn version_and_type_are_required_on_top() {
        let found = validate_card(&json!({"body": []}));
        assert_eq!(found.len(), 2, "{found:?}");
        let mut newer = card(&json!([]), &json!([]));
        newer["version"] = json!("1.5");
        assert_eq!(validate_card(&newer).len(), 1);
    }

    #[test]
    fn nesting_is_bounded() {
        let mut inner = json!({"type": "Container", "items": []});
        for _ in 0..60 {
            inner = json!({"type": "Container", "items": [inner]});
        }
        assert!(!validate_card(&card(&json!([inner]), &json!([]))).is_empty());
    }
}
