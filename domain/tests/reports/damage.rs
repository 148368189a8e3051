//! Damaged reports: whatever is cut off, missing or nonsense is refused or does not matter, and
//! nothing panics.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use syncwatch_domain::report::forms::{Forms, ShapeError};
use syncwatch_domain::report::{
    company_features, connector_status, connectors, containers, database, events, password_sync,
    pending_exports, reachability, rules, runs, scheduler, services, settings, settings_export,
    versions,
};

use super::{ahead, data, utc, whole};

type Read = fn(&[Value], &Forms) -> Result<String, ShapeError>;

macro_rules! reader {
    ($module:ident) => {
        |data, forms| $module::read(data, forms).map(|read| format!("{read:?}"))
    };
}

/// Every section's reader, with files it can read.
const READERS: &[(Read, &[&str])] = &[
    (
        reader!(scheduler),
        &["scheduler.active.ps51", "scheduler.active.normalised"],
    ),
    (
        reader!(runs),
        &[
            "runs.ps51",
            "runs.normalised",
            "run.single-in-progress.ps51",
        ],
    ),
    (
        reader!(password_sync),
        &[
            "password-sync.normalised",
            "partition-password-sync-state.ps51",
        ],
    ),
    (
        reader!(events),
        &[
            "events.normalised",
            "events.phs.ps51",
            "events.positional.ps51",
        ],
    ),
    (reader!(connectors), &["connectors.ps51"]),
    (
        reader!(rules),
        &["rules.ps51", "rules.collapsed.normalised"],
    ),
    (
        reader!(settings),
        &["global-settings.ps51", "settings.normalised"],
    ),
    (
        reader!(services),
        &["services.normalised", "services.value-count-wrapper.ps51"],
    ),
    (reader!(connector_status), &["connector-status.busy.ps51"]),
    (reader!(company_features), &["company-feature.ps51"]),
    (reader!(database), &["database.ps51"]),
    (reader!(reachability), &["reachability.ps51"]),
    (reader!(versions), &["versions.normalised"]),
    (reader!(pending_exports), &["pending-exports.normalised"]),
    (reader!(containers), &["containers.normalised"]),
];

/// Places of every object and list in a value, as JSON pointers.
fn containers_of(value: &Value, at: &str, found: &mut Vec<String>) {
    let mut go = |key: &str, inner: &Value| {
        let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
        if inner.is_object() || inner.is_array() {
            found.push(at.clone());
        }
        containers_of(inner, &at, found);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, inner)| go(key, inner)),
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                go(&index.to_string(), inner);
            }
        }
        _ => {}
    }
}

/// A depth limit leaves the name of a type, or an empty text for an empty list.
#[test]
fn what_is_cut_off_anywhere_is_refused_or_does_not_matter() {
    for (read, files) in READERS {
        for file in *files {
            let sound = data(file);
            let expected = read(&sound, &utc()).unwrap_or_else(|error| panic!("{file}: {error}"));
            let sound = Value::Array(sound);
            let mut places = Vec::new();
            containers_of(&sound, "", &mut places);
            assert!(!places.is_empty(), "{file}");
            for place in places {
                for left in [
                    "Microsoft.IdentityManagement.Some.Type",
                    "System.Object[]",
                    "",
                ] {
                    // The data of an event may be a single empty text.
                    if left.is_empty() && place.contains("/Properties") {
                        continue;
                    }
                    let mut cut = sound.clone();
                    *cut.pointer_mut(&place).unwrap() = left.into();
                    let read = read(cut.as_array().unwrap(), &utc());
                    assert!(
                        read.is_err() || read.as_ref() == Ok(&expected),
                        "{file}{place} with {left:?}: {read:?}"
                    );
                }
            }
        }
    }
}

/// Lists arrive as they are, wrapped once more, or with what PowerShell adds.
#[test]
fn wrapping_of_the_whole_changes_nothing() {
    for (read, files) in READERS {
        for file in files.iter().filter(|file| !file.contains("wrapper")) {
            let sound = data(file);
            let expected = read(&sound, &utc());
            let count = sound.len();
            for wrapped in [
                json!([sound]),
                json!([{"value": sound, "Count": count}]),
                json!([null, sound]),
            ] {
                let read = read(wrapped.as_array().unwrap(), &utc());
                assert_eq!(read, expected, "{file}");
            }
        }
    }
}

#[test]
fn nothing_is_an_empty_list_or_missing_and_never_something() {
    for (read, files) in READERS {
        let nothing = read(&[], &utc());
        assert_eq!(nothing, read(&[Value::Null], &utc()), "{files:?}");
        assert_eq!(nothing, read(&[json!([])], &utc()), "{files:?}");
        if let Err(error) = nothing {
            assert!(matches!(error, ShapeError::Missing { .. }), "{error}");
        }
    }
}

#[test]
fn what_is_no_object_is_refused_with_its_place() {
    for (read, files) in READERS {
        for value in [json!(5), json!("no"), json!(true)] {
            let error = read(&[value], &utc()).unwrap_err().to_string();
            assert!(error.starts_with("data[0]"), "{files:?}: {error}");
        }
    }
}

/// Names that readers ask for, so that nonsense gets further than the first of them.
fn names() -> Vec<String> {
    let mut all = Vec::new();
    for (_, files) in READERS {
        for file in *files {
            names_of(&Value::Array(data(file)), &mut all);
        }
    }
    all.sort();
    all.dedup();
    all
}

fn names_of(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                all.push(name.clone());
                names_of(inner, all);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names_of(item, all)),
        _ => {}
    }
}

fn nonsense() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        ".{0,20}".prop_map(Value::String),
        "(/Date\\()?[-+0-9:.TZP]{0,20}(\\)/)?".prop_map(Value::String),
        "(System|DC|OU|Delta|Count)[.=,: a-z]{0,12}".prop_map(Value::String),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text,
    ];
    let names = prop::sample::select(names());
    leaf.prop_recursive(4, 60, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((names.clone(), inner), 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A file of which one value anywhere is something else.
fn damaged() -> impl Strategy<Value = (usize, Value)> {
    let files: Vec<(usize, &str)> = READERS
        .iter()
        .enumerate()
        .flat_map(|(index, (_, files))| files.iter().map(move |file| (index, *file)))
        .collect();
    (
        prop::sample::select(files),
        any::<prop::sample::Index>(),
        nonsense(),
    )
        .prop_map(|((reader, file), which, nonsense)| {
            let mut value = Value::Array(data(file));
            let mut places = Vec::new();
            leaves_of(&value, "", &mut places);
            let place = which.get(&places).clone();
            if let Some(there) = value.pointer_mut(&place) {
                *there = nonsense;
            }
            (reader, value)
        })
}

fn leaves_of(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                leaves_of(inner, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                leaves_of(inner, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn all_forms() -> [Forms; 3] {
    [utc(), ahead(60), Forms::without_offset()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nonsense_makes_no_reader_panic(value in nonsense()) {
        for forms in all_forms() {
            for (read, _) in READERS {
                if let Err(error) = read(std::slice::from_ref(&value), &forms) {
                    prop_assert!(error.to_string().len() < 600);
                }
            }
        }
        let _ = settings_export::read(&value);
    }

    #[test]
    fn single_nonsense_in_a_sound_report_makes_no_reader_panic((reader, value) in damaged()) {
        let list = match value {
            Value::Array(items) => items,
            other => vec![other],
        };
        for forms in all_forms() {
            let _ = READERS[reader].0(&list, &forms);
        }
    }

    #[test]
    fn damaged_export_makes_no_panic(which in any::<prop::sample::Index>(), nonsense in nonsense()) {
        let mut value = whole("settings-export");
        let mut places = Vec::new();
        leaves_of(&value, "", &mut places);
        if let Some(there) = value.pointer_mut(which.get(places.as_slice()).as_str()) {
            *there = nonsense;
        }
        let _ = settings_export::read(&value);
    }
}
