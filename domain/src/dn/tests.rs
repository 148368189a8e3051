#![expect(clippy::unwrap_used, reason = "tests")]

mod spelling;

use proptest::prelude::*;

use self::spelling::{Name, names, texts};
use super::*;

#[test]
fn one_name_has_many_spellings() {
    for (one, other) in [
        ("OU=Staff,DC=x", "ou=STAFF,dc=X"),
        ("OU=Staff,DC=x", "OU=Staff , DC = x"),
        (
            "OU=Staff,DC=x",
            "2.5.4.11=Staff,0.9.2342.19200300.100.1.25=x",
        ),
        ("OU=Staff,DC=x", "oid.2.5.4.11=Staff,DC=x"),
        ("OU=Staff,DC=x", "OU=#0C055374616666,DC=x"),
        ("OU=Staff,DC=x", "OU=#1e0a00530074006100660066,DC=x"),
        ("OU=Staff,DC=x", "OU=\\53taff,DC=x"),
        ("CN=Doe\\, J,DC=x", "CN=Doe\\2C J,DC=x"),
        ("CN=Doe\\, J,DC=x", "cn=doe\\2c j,dc=x"),
        ("CN=a\\ ,DC=x", "CN=a\\20,DC=x"),
        ("CN=\\#a,DC=x", "CN=\\23a,DC=x"),
        ("CN=Straße,DC=x", "CN=STRASSE,DC=x"),
        ("CN=M\\C3\\BCller,DC=x", "CN=MÜLLER,DC=x"),
        ("CN=Ὀδυσσεύς,DC=x", "CN=ὈΔΥΣΣΕΎΣ,DC=x"),
        ("CN=a+OU=b,DC=x", "OU=B + CN=A,DC=x"),
    ] {
        assert!(is_same(one, other).unwrap(), "{one} {other}");
        assert!(is_within(one, other).unwrap(), "{one} {other}");
    }
}

#[test]
fn other_names_are_other_names() {
    for (one, other) in [
        ("OU=Staff,DC=x", "OU=NotStaff,DC=x"),
        ("OU=Staff,DC=x", "CN=Staff,DC=x"),
        ("OU=Staff,DC=x", "OU=Staff,DC=x,DC=y"),
        ("CN=a\\ ,DC=x", "CN=a,DC=x"),
        ("CN=a\\,DC=x", "CN=a,DC=x"),
        ("CN=a+OU=b,DC=x", "CN=a,OU=b,DC=x"),
        ("CN=a\\+OU=b,DC=x", "CN=a+OU=b,DC=x"),
    ] {
        assert!(!is_same(one, other).unwrap(), "{one} {other}");
    }
}

#[test]
fn only_whole_parts_lie_below() {
    for (dn, container, within) in [
        ("CN=a,OU=Staff,DC=x", "ou=staff,dc=x", true),
        ("CN=a,OU=b,OU=Staff,DC=x", "DC=x", true),
        ("CN=a,OU=NotStaff,DC=x", "OU=Staff,DC=x", false),
        ("OU=Staff,DC=x", "CN=a,OU=Staff,DC=x", false),
        ("CN=a\\,OU=Staff,DC=x", "OU=Staff,DC=x", false),
        ("CN=a\\\\,OU=Staff,DC=x", "OU=Staff,DC=x", true),
        ("CN=a\\5c,OU=Staff,DC=x", "OU=Staff,DC=x", true),
        ("CN=a\\5C\\,OU=Staff,DC=x", "OU=Staff,DC=x", false),
    ] {
        assert_eq!(
            is_within(dn, container).unwrap(),
            within,
            "{dn} {container}"
        );
    }
}

#[test]
fn what_is_no_name_is_refused_with_the_part_that_is_wrong() {
    for (text, part, why) in [
        ("", "", "no equals sign"),
        ("Staff", "Staff", "no equals sign"),
        ("OU=a,,DC=x", "", "no equals sign"),
        ("OU=a,", "", "no equals sign"),
        ("=a,DC=x", "=a", "no type"),
        ("O U=a", "O U=a", "no type"),
        ("CN=a\\", "CN=a\\\\", "ends in a backslash"),
        ("CN=a\\4", "CN=a\\\\4", "one hexadecimal digit"),
        ("CN=a\\4,DC=x", "CN=a\\\\4", "one hexadecimal digit"),
        ("CN=\"a, b\",DC=x", "CN=\\\"a", "quotation mark"),
        ("CN=\\FF", "CN=\\\\FF", "not UTF-8"),
        ("CN=#0C", "CN=#0C", "hexadecimal digits"),
        ("CN=#0C0561", "CN=#0C0561", "hexadecimal digits"),
        ("CN=#0201FF", "CN=#0201FF", "hexadecimal digits"),
        ("CN=#0g", "CN=#0g", "hexadecimal digits"),
        (
            "CN=#0C88888888888888888888",
            "CN=#0C88",
            "hexadecimal digits",
        ),
    ] {
        let error = canonical(text).unwrap_err().to_string();
        assert!(error.contains(&format!("\"{part}")), "{text}: {error}");
        assert!(error.contains(why), "{text}: {error}");
    }
    let long = format!("CN={}", "\\".repeat(1001));
    assert!(canonical(&long).unwrap_err().to_string().len() < 300);
}

#[test]
fn a_name_lies_in_a_domain() {
    for (dn, name) in [
        ("CN=a,OU=b,DC=Corp,DC=Example", Some("corp.example")),
        ("DC=x", Some("x")),
        ("CN=a,DC=inner,OU=b,DC=x,DC=y", Some("x.y")),
        ("CN=a,O=x", None),
        ("", None),
    ] {
        assert_eq!(domain(dn).as_deref(), name, "{dn}");
    }
}

#[test]
fn very_deep_and_very_long_names_are_names() {
    let deep = format!("{}DC=x", "OU=a,".repeat(10_000));
    let longer = format!("CN=b,{deep}");
    assert!(is_within(&longer, &deep).unwrap());
    let mut tree = Tree::<u32>::new();
    *tree.entry(&deep).unwrap() = 7;
    let last = |sum: &mut u32, value: &u32| *sum = (*value).max(*sum);
    assert_eq!(tree.fold(&longer, 0, last).unwrap(), 7);
    assert_eq!(Memo::new(&tree, 0, last).find(&longer).unwrap(), 7);
    assert_eq!(tree.fold(&deep[5..], 0, last).unwrap(), 0);
    let long = format!("CN={},DC=x", "Ä\\,".repeat(100_000));
    assert!(is_same(&long, &long.to_lowercase()).unwrap());
    assert!(is_within(&long, "DC=X").unwrap());
}

#[test]
fn a_memo_forgets_and_rests_without_changing_what_it_finds() {
    let mut tree = Tree::<u32>::new();
    for number in 0..50 {
        *tree.entry(&format!("OU={number},DC=x")).unwrap() = number + 1;
    }
    let last = |sum: &mut u32, value: &u32| *sum = if *value > 0 { *value } else { *sum };
    let mut memo = Memo::new(&tree, 0, last);
    // First no parent comes twice, then few come again and again.
    for round in 0..3_u32 {
        for number in 0..100_000_u32 {
            let home = number % 60;
            let cost = if round == 1 { 0 } else { number };
            let dn = format!("CN=u{number},OU=s{cost},OU={home},DC=x");
            let expected = if home < 50 { home + 1 } else { 0 };
            assert_eq!(memo.find(&dn).unwrap(), expected, "{dn}");
        }
    }
}

proptest! {
    #[test]
    fn every_spelling_of_a_name_is_that_name((name, spellings) in names().prop_flat_map(|name| {
        let spelled = name.spelled();
        (Just(name), [spelled.clone(), spelled])
    })) {
        let [one, other] = spellings;
        prop_assert_eq!(canonical(&one).unwrap(), canonical(&other).unwrap(), "{:?}", name);
        let once = canonical(&one).unwrap();
        prop_assert_eq!(&canonical(&once).unwrap(), &once);
    }

    #[test]
    fn two_names_are_the_same_when_their_parts_are(
        (one, other, one_spelled, other_spelled) in (names(), names()).prop_flat_map(|(one, other)| {
            let spelled = (one.spelled(), other.spelled());
            (Just(one), Just(other), spelled.0, spelled.1)
        })
    ) {
        let same = one.key() == other.key();
        prop_assert_eq!(is_same(&one_spelled, &other_spelled).unwrap(), same);
        let within = one.key().ends_with(&other.key());
        prop_assert_eq!(is_within(&one_spelled, &other_spelled).unwrap(), within);
    }

    #[test]
    fn the_nearest_container_is_the_longest_that_a_name_ends_in(
        (containers, dns) in Name::family().prop_flat_map(|(containers, dns)| {
            let spelled = |names: Vec<Name>| -> Vec<_> {
                names.into_iter().map(|name| { let text = name.spelled(); (Just(name), text) }).collect()
            };
            (spelled(containers), spelled(dns))
        })
    ) {
        let mut tree = Tree::<Option<usize>>::new();
        for (index, (_, text)) in containers.iter().enumerate() {
            *tree.entry(text).unwrap() = Some(index);
        }
        let step = |sum: &mut Option<usize>, value: &Option<usize>| *sum = value.or(*sum);
        let mut memo = Memo::new(&tree, None, step);
        for (name, text) in &dns {
            // The last of equal names holds the place.
            let expected = containers
                .iter()
                .enumerate()
                .filter(|(_, (container, _))| name.key().ends_with(&container.key()))
                .max_by_key(|(index, (container, _))| (container.key().len(), *index))
                .map(|(index, _)| index);
            prop_assert_eq!(tree.fold(text, None, step).unwrap(), expected, "{}", text);
            prop_assert_eq!(memo.find(text).unwrap(), expected, "{}", text);
            prop_assert_eq!(memo.find(text).unwrap(), expected, "{} again", text);
        }
    }

    #[test]
    fn no_text_is_too_odd((one, other) in (texts(), texts())) {
        let is_name = canonical(&one).is_ok();
        prop_assert_eq!(is_same(&one, &one).is_ok(), is_name);
        if let Ok(name) = canonical(&one) {
            prop_assert_eq!(canonical(&name).unwrap(), name);
        }
        let _ = (is_within(&one, &other), domain(&one), parent(&one));
        let mut tree = Tree::<u8>::new();
        if tree.entry(&one).is_ok() {
            prop_assert!(tree.fold(&one, 0, |sum, _| *sum += 1).unwrap() > 0);
        }
        let _ = Memo::new(&tree, 0, |sum: &mut u8, _: &u8| *sum = sum.wrapping_add(1)).find(&other);
    }
}

#[test]
fn a_common_name_is_told_as_it_was_meant() {
    for (dn, expected) in [
        ("CN=Pilot,OU=Groups,DC=x", Some("Pilot")),
        ("cn = Pilot Süd ,DC=x", Some("Pilot Süd")),
        (
            r#"CN=Einkauf\, Werk \"2\",DC=x"#,
            Some(r#"Einkauf, Werk "2""#),
        ),
        (r"2.5.4.3=M\C3\BCller,DC=x", Some("Müller")),
        ("OU=Pilot,DC=x", None),
        ("CN=a+uid=b,DC=x", None),
        ("Pilot", None),
        ("", None),
    ] {
        assert_eq!(common_name(dn).as_deref(), expected, "{dn}");
    }
}
