//! The rules of the Adaptive Card 1.4 schema as tables: which type has which properties of which kind.

/// What a property may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Text,
    /// A reference that may be relative; only its being a text is checked.
    Uri,
    Flag,
    Number,
    NumberOrText,
    /// One of the members, in any case.
    Member(&'static [&'static str]),
    /// One of the members or null.
    MemberOrNull(&'static [&'static str]),
    /// One of the members or any text (a pixel height).
    TextOrMember,
    Elements,
    Actions,
    Columns,
    Facts,
    Choices,
    Images,
    Sources,
    Inlines,
    Targets,
    /// An action other than ShowCard.
    SelectAction,
    Card,
    Refresh,
    Authentication,
    Background,
    /// `drop` or another item of the same sort.
    Fallback,
    /// Feature names with versions.
    Requires,
    TextOrObject,
    /// Extension of Teams: width and entities.
    Teams,
}

/// One property: name, kind, and whether it is required.
pub(crate) type Rule = (&'static str, Kind, bool);

pub(crate) const SPACING: Kind = Kind::Member(&[
    "default",
    "none",
    "small",
    "medium",
    "large",
    "extraLarge",
    "padding",
]);
const HEIGHT: Kind = Kind::Member(&["auto", "stretch"]);
const HORIZONTAL: Kind = Kind::Member(&["left", "center", "right"]);
const VERTICAL: Kind = Kind::Member(&["top", "center", "bottom"]);
const COLORS: Kind = Kind::Member(&[
    "default",
    "dark",
    "light",
    "accent",
    "good",
    "warning",
    "attention",
]);
const CONTAINER_STYLE: Kind = Kind::MemberOrNull(&[
    "default",
    "emphasis",
    "good",
    "attention",
    "warning",
    "accent",
]);
const FONT_SIZE: Kind = Kind::Member(&["default", "small", "medium", "large", "extraLarge"]);
const FONT_TYPE: Kind = Kind::Member(&["default", "monospace"]);
const FONT_WEIGHT: Kind = Kind::Member(&["default", "lighter", "bolder"]);
const IMAGE_SIZE: Kind = Kind::Member(&["auto", "stretch", "small", "medium", "large"]);
const ACTION_STYLE: Kind = Kind::Member(&["default", "positive", "destructive"]);
const ASSOCIATED: Kind = Kind::Member(&["auto", "none"]);

/// Properties every element has.
const ELEMENT: &[Rule] = &[
    ("fallback", Kind::Fallback, false),
    ("height", HEIGHT, false),
    ("separator", Kind::Flag, false),
    ("spacing", SPACING, false),
    ("id", Kind::Text, false),
    ("isVisible", Kind::Flag, false),
    ("requires", Kind::Requires, false),
];

/// Properties every input has besides those of an element; the id is required.
const INPUT: &[Rule] = &[
    ("id", Kind::Text, true),
    ("errorMessage", Kind::Text, false),
    ("isRequired", Kind::Flag, false),
    ("label", Kind::Text, false),
];

/// Properties every action has.
const ACTION: &[Rule] = &[
    ("title", Kind::Text, false),
    ("iconUrl", Kind::Uri, false),
    ("style", ACTION_STYLE, false),
    ("fallback", Kind::Fallback, false),
    ("requires", Kind::Requires, false),
];

/// The card itself.
pub(crate) const CARD: &[Rule] = &[
    ("version", Kind::Text, false),
    ("refresh", Kind::Refresh, false),
    ("authentication", Kind::Authentication, false),
    ("body", Kind::Elements, false),
    ("actions", Kind::Actions, false),
    ("selectAction", Kind::SelectAction, false),
    ("fallbackText", Kind::Text, false),
    ("backgroundImage", Kind::Background, false),
    ("minHeight", Kind::Text, false),
    ("speak", Kind::Text, false),
    ("lang", Kind::Text, false),
    ("verticalContentAlignment", VERTICAL, false),
    ("$schema", Kind::Uri, false),
    ("msteams", Kind::Teams, false),
];

/// Columns appear in column sets only.
pub(crate) const COLUMN: &[Rule] = &[
    ("items", Kind::Elements, false),
    ("backgroundImage", Kind::Background, false),
    ("bleed", Kind::Flag, false),
    ("fallback", Kind::Fallback, false),
    ("minHeight", Kind::Text, false),
    ("separator", Kind::Flag, false),
    ("spacing", SPACING, false),
    ("selectAction", Kind::SelectAction, false),
    ("style", CONTAINER_STYLE, false),
    ("verticalContentAlignment", VERTICAL, false),
    ("width", Kind::NumberOrText, false),
    ("id", Kind::Text, false),
    ("isVisible", Kind::Flag, false),
    ("requires", Kind::Requires, false),
];

pub(crate) const FACT: &[Rule] = &[("title", Kind::Text, true), ("value", Kind::Text, true)];
pub(crate) const CHOICE: &[Rule] = FACT;
pub(crate) const SOURCE: &[Rule] = &[("mimeType", Kind::Text, true), ("url", Kind::Uri, true)];
pub(crate) const TARGET: &[Rule] = &[
    ("elementId", Kind::Text, true),
    ("isVisible", Kind::Flag, false),
];
pub(crate) const BACKGROUND: &[Rule] = &[
    ("url", Kind::Uri, true),
    (
        "fillMode",
        Kind::Member(&["cover", "repeatHorizontally", "repeatVertically", "repeat"]),
        false,
    ),
    ("horizontalAlignment", HORIZONTAL, false),
    ("verticalAlignment", VERTICAL, false),
];
pub(crate) const TEXT_RUN: &[Rule] = &[
    ("text", Kind::Text, true),
    ("color", COLORS, false),
    ("fontType", FONT_TYPE, false),
    ("highlight", Kind::Flag, false),
    ("isSubtle", Kind::Flag, false),
    ("italic", Kind::Flag, false),
    ("selectAction", Kind::SelectAction, false),
    ("size", FONT_SIZE, false),
    ("strikethrough", Kind::Flag, false),
    ("underline", Kind::Flag, false),
    ("weight", FONT_WEIGHT, false),
];

/// Own properties of an element type, and the shared ones that go with it. None for an unknown type.
pub(crate) fn element(name: &str) -> Option<[&'static [Rule]; 3]> {
    let own: &[Rule] = match name {
        "ActionSet" => &[("actions", Kind::Actions, true)],
        "ColumnSet" => &[
            ("columns", Kind::Columns, false),
            ("selectAction", Kind::SelectAction, false),
            ("style", CONTAINER_STYLE, false),
            ("bleed", Kind::Flag, false),
            ("minHeight", Kind::Text, false),
            ("horizontalAlignment", HORIZONTAL, false),
        ],
        "Container" => &[
            ("items", Kind::Elements, true),
            ("selectAction", Kind::SelectAction, false),
            ("style", CONTAINER_STYLE, false),
            ("verticalContentAlignment", VERTICAL, false),
            ("bleed", Kind::Flag, false),
            ("backgroundImage", Kind::Background, false),
            ("minHeight", Kind::Text, false),
        ],
        "FactSet" => &[("facts", Kind::Facts, true)],
        "Image" => return Some([IMAGE, ELEMENT, &[]]),
        "ImageSet" => &[
            ("images", Kind::Images, true),
            ("imageSize", IMAGE_SIZE, false),
        ],
        "Media" => &[
            ("sources", Kind::Sources, true),
            ("poster", Kind::Uri, false),
            ("altText", Kind::Text, false),
        ],
        "RichTextBlock" => &[
            ("inlines", Kind::Inlines, true),
            ("horizontalAlignment", HORIZONTAL, false),
        ],
        "TextBlock" => &[
            ("text", Kind::Text, true),
            ("color", COLORS, false),
            ("fontType", FONT_TYPE, false),
            ("horizontalAlignment", HORIZONTAL, false),
            ("isSubtle", Kind::Flag, false),
            ("maxLines", Kind::Number, false),
            ("size", FONT_SIZE, false),
            ("weight", FONT_WEIGHT, false),
            ("wrap", Kind::Flag, false),
        ],
        other => return input(other).map(|own| [own, INPUT, ELEMENT]),
    };
    Some([own, ELEMENT, &[]])
}

pub(crate) const IMAGE: &[Rule] = &[
    ("url", Kind::Uri, true),
    ("altText", Kind::Text, false),
    ("backgroundColor", Kind::Text, false),
    // Wider than the height of other elements: pixels are allowed.
    ("height", Kind::TextOrMember, false),
    ("horizontalAlignment", HORIZONTAL, false),
    ("selectAction", Kind::SelectAction, false),
    ("size", IMAGE_SIZE, false),
    ("style", Kind::Member(&["default", "person"]), false),
    ("width", Kind::Text, false),
];

fn input(name: &str) -> Option<&'static [Rule]> {
    Some(match name {
        "Input.ChoiceSet" => &[
            ("choices", Kind::Choices, true),
            ("isMultiSelect", Kind::Flag, false),
            ("style", Kind::Member(&["compact", "expanded"]), false),
            ("value", Kind::Text, false),
            ("placeholder", Kind::Text, false),
            ("wrap", Kind::Flag, false),
        ],
        "Input.Date" | "Input.Time" => &[
            ("max", Kind::Text, false),
            ("min", Kind::Text, false),
            ("placeholder", Kind::Text, false),
            ("value", Kind::Text, false),
        ],
        "Input.Number" => &[
            ("max", Kind::Number, false),
            ("min", Kind::Number, false),
            ("placeholder", Kind::Text, false),
            ("value", Kind::Number, false),
        ],
        "Input.Text" => &[
            ("isMultiline", Kind::Flag, false),
            ("maxLength", Kind::Number, false),
            ("placeholder", Kind::Text, false),
            ("regex", Kind::Text, false),
            (
                "style",
                Kind::Member(&["text", "tel", "url", "email"]),
                false,
            ),
            ("inlineAction", Kind::SelectAction, false),
            ("value", Kind::Text, false),
        ],
        "Input.Toggle" => &[
            ("title", Kind::Text, true),
            ("value", Kind::Text, false),
            ("valueOff", Kind::Text, false),
            ("valueOn", Kind::Text, false),
            ("wrap", Kind::Flag, false),
        ],
        _ => return None,
    })
}

/// Own and shared properties of an action type. None for an unknown type.
pub(crate) fn action(name: &str) -> Option<[&'static [Rule]; 3]> {
    let own: &[Rule] = match name {
        "Action.OpenUrl" => &[("url", Kind::Uri, true)],
        "Action.Submit" | "Action.Execute" => &[
            ("data", Kind::TextOrObject, false),
            ("associatedInputs", ASSOCIATED, false),
            ("verb", Kind::Text, false),
        ],
        "Action.ShowCard" => &[("card", Kind::Card, false)],
        "Action.ToggleVisibility" => &[("targetElements", Kind::Targets, true)],
        _ => return None,
    };
    Some([own, ACTION, &[]])
}
