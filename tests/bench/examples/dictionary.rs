//! Makes the dictionary that log rows are packed with from the shapes in `store/dictionaries`.
//!
//! Run it after a change of the shapes and raise the dictionary's number in the store: rows written under the old one
//! must stay readable.
//!
//! `cargo run --release -p syncwatch-bench --example dictionary`

use std::path::Path;

use anyhow::Context;
use syncwatch_simulator::Seed;

const SHAPES: &str = include_str!("../../../store/dictionaries/1.samples.jsonl");
/// Rows made of every shape.
const PER_SHAPE: u64 = 200;
/// Larger ones pack hardly better and cost more cache.
const SIZE: usize = 32 * 1024;
const TARGET: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../store/dictionaries/1.zdict"
);

const NAMES: [&str; 12] = [
    "Ada", "Bela", "Carla", "Dario", "Edda", "Falk", "Greta", "Henri", "Ines", "Jonas", "Käthe",
    "Lars",
];
const WORDS: [&str; 16] = [
    "Sales",
    "Finance",
    "Retail",
    "North",
    "Plant 4",
    "Support",
    "Research",
    "Legal",
    "Depot",
    "Staff",
    "Contractors",
    "Field",
    "Halle",
    "Board",
    "Quality",
    "Harbour",
];
const CODES: [&str; 6] = [
    "AttributeValueMustBeUnique",
    "EntryConflict",
    "TimeOut",
    "InternalServerError",
    "InvalidAnchor",
    "NoActiveAgents",
];

fn main() -> anyhow::Result<()> {
    let mut samples = Vec::new();
    for (at, shape) in SHAPES.lines().enumerate() {
        let seed = Seed(20_261_122).corner("shape").nth(at as u64);
        for number in 0..PER_SHAPE {
            let row = filled(shape, seed.nth(number));
            // Nobody promises an order of the keys: half of the rows come in that of the alphabet.
            let value: serde_json::Value =
                serde_json::from_str(&row).with_context(|| format!("shape {at}: {row}"))?;
            samples.push(if number % 2 == 0 {
                row
            } else {
                value.to_string()
            });
        }
    }
    let dictionary = zstd::dict::from_samples(&samples, SIZE).context("train")?;
    std::fs::write(TARGET, &dictionary).with_context(|| format!("write {TARGET}"))?;
    println!(
        "{} samples, {} bytes: {}",
        samples.len(),
        dictionary.len(),
        Path::new(TARGET).display()
    );
    Ok(())
}

/// The shape with its places filled.
fn filled(shape: &str, seed: Seed) -> String {
    let mut row = String::with_capacity(shape.len() + 1000);
    let mut rest = shape;
    let mut place = 0;
    while let Some((before, after)) = rest.split_once('<') {
        let (name, after) = after.split_once('>').unwrap_or((after, ""));
        place += 1;
        row.push_str(before);
        row.push_str(&value(name, seed, seed.corner(name).nth(place)));
        rest = after;
    }
    row + rest
}

/// What stands in a place. What belongs to one object or tenant is the same all over a row.
fn value(name: &str, row: Seed, own: Seed) -> String {
    let of_row = row.corner(name);
    let tenant = Seed(row.below(5)).corner("tenant");
    let account = || {
        format!(
            "{}.{:x}",
            row.corner("person").pick(&NAMES).to_lowercase(),
            row.corner("number").below(4096)
        )
    };
    let domain = || format!("ad{}.example", tenant.below(90));
    match name {
        "tenant" => tenant.guid(),
        "tenanthex" => tenant.guid().replace('-', ""),
        "job" | "principal" => tenant.corner(name).guid(),
        "domain" => domain(),
        "upn" => format!("{}@{}", account(), domain()),
        "account" => account(),
        "name" => format!(
            "{} {}",
            row.corner("person").pick(&NAMES),
            of_row.pick(&WORDS)
        ),
        "word" => own.pick(&WORDS).to_owned(),
        "code" => of_row.pick(&CODES).to_owned(),
        "time" => time(row.corner("day"), own),
        "number" => own.below(4000).to_string(),
        "number8" => format!("{:08}", own.below(100_000_000)),
        "tag" => own.guid()[24..].to_uppercase(),
        "anchor" => format!("{}==", &own.guid().replace('-', "")[..22]),
        _ => own.guid(),
    }
}

/// An instant of the day of the row, with no fraction, three digits or seven.
fn time(day: Seed, own: Seed) -> String {
    let part = |name: &str, bound: u64| own.corner(name).below(bound);
    let fraction = match part("digits", 3) {
        0 => String::new(),
        1 => format!(".{:03}", part("fraction", 1000)),
        _ => format!(".{:07}", part("fraction", 10_000_000)),
    };
    let (month, day) = (
        day.corner("month").below(12) + 1,
        day.corner("day").below(28) + 1,
    );
    let (hour, minute, second) = (part("hour", 24), part("minute", 60), part("second", 60));
    format!("2026-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}
