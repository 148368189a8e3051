//! The generated reference is the one in the documents.

use crate::catalogue::FAMILIES;

#[test]
fn reference_in_the_documents_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
    let on_disk = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        on_disk == crate::reference(),
        "docs/metrics.md is not what the catalogue says: run `syncwatch generate`"
    );
}

#[test]
fn reference_names_every_family_and_every_label_once() {
    let text = crate::reference();
    for family in FAMILIES {
        let row = format!("\n| `{}` |", family.name());
        assert_eq!(text.matches(&row).count(), 1, "{row}");
    }
    assert!(
        text.contains("`on_time`, `late`, `missed`"),
        "the words of a closed set are listed"
    );
}
