//! Who the users and groups are: names, ids and places, derived from the seed and an index, so that a log row,
//! a directory object and an audit record about the same person agree without being stored three times.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::chance::Seed;
use crate::places;

const FIRST: [&str; 32] = [
    "Anna",
    "Jürgen",
    "Zoë",
    "Lukas",
    "Márta",
    "Søren",
    "Chloé",
    "Björn",
    "Katarzyna",
    "Emre",
    "Ines",
    "Günther",
    "Łucja",
    "Matthias",
    "Renée",
    "Öykü",
    "Tobias",
    "Fatima",
    "Jörg",
    "Helene",
    "Ivana",
    "Paul",
    "Noémi",
    "Ruedi",
    "Sanne",
    "Thomas",
    "Ulrike",
    "Viktor",
    "Wolfgang",
    "Xenia",
    "Yannick",
    "Aïcha",
];

const LAST: [&str; 32] = [
    "Müller",
    "Weiß",
    "Groß",
    "Schäfer",
    "O'Neill",
    "Jäger",
    "Krüger",
    "Nowak",
    "Østergaard",
    "Yılmaz",
    "Meyer",
    "Özdemir",
    "Hofer",
    "Kovács",
    "Brändli",
    "Vogel",
    "Štěpánek",
    "van den Berg",
    "Lütz",
    "Roth",
    "Süß",
    "Fuchs",
    "Gruber",
    "Huber",
    "Lange",
    "Ćosić",
    "Peters",
    "Ritter",
    "Sommer",
    "Thiele",
    "Unger",
    "Voß",
];

const TEAMS: [&str; 10] = [
    "Einkauf",
    "Vertrieb Süd",
    "Forschung & Entwicklung",
    "IT",
    "Personal",
    "Werk Nürnberg",
    "Buchhaltung",
    "Logistik",
    "Qualität \"QS\"",
    "Geschäftsleitung",
];

/// One person, as far as a seed and an index tell.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) object_guid: String,
    pub(crate) display_name: String,
    pub(crate) mailbox: String,
    pub(crate) account: String,
    pub(crate) team: &'static str,
    /// Its number among the people of the tenant: no two in one container have the same name.
    pub(crate) number: u32,
    /// Where it lies in its domain at first; see [`crate::places`].
    pub(crate) place: usize,
}

impl Person {
    /// The n-th person of a tenant.
    pub(crate) fn nth(seed: Seed, n: u32) -> Self {
        let own = seed.corner("person").nth(u64::from(n));
        let first = own.corner("first").pick(&FIRST);
        let last = own.corner("last").pick(&LAST);
        let nick = own.corner("nick").happens(0.04);
        Self {
            id: own.corner("id").guid(),
            object_guid: own.corner("guid").guid(),
            display_name: if nick {
                format!("{first} \"{}\" {last}", &plain(first)[..2])
            } else {
                format!("{first} {last}")
            },
            mailbox: format!("{}.{}{n}", plain(first), plain(last)),
            account: format!("{}{n}", plain(last)),
            team: own.corner("team").pick(&TEAMS),
            number: n,
            place: places::draw(own.corner("place")),
        }
    }

    /// `CN=Anna Müller 7\, IT,OU=...`: with an escaped comma for some, as real directories have.
    pub(crate) fn dn(&self, ad_domain: &str) -> String {
        self.dn_in(self.place, ad_domain)
    }

    /// The same after a move to another place of the domain.
    pub(crate) fn dn_in(&self, place: usize, ad_domain: &str) -> String {
        let comma = if self.id.starts_with(['0', '1']) {
            "\\, extern"
        } else {
            ""
        };
        format!(
            "CN={} {}{comma},{},{}",
            self.display_name.replace('"', "\\\""),
            self.number,
            places::path(place),
            domain_dn(ad_domain)
        )
    }

    /// The immutable id: base64 of the 16 bytes of the object GUID in Windows layout.
    pub(crate) fn immutable_id(&self) -> String {
        let hex: String = self
            .object_guid
            .chars()
            .filter(char::is_ascii_hexdigit)
            .collect();
        let byte = |at: usize| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap_or(0);
        let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
        STANDARD.encode(order.map(byte))
    }
}

/// `DC=werke,DC=example`.
pub(crate) fn domain_dn(ad_domain: &str) -> String {
    let parts: Vec<String> = ad_domain
        .split('.')
        .map(|label| format!("DC={label}"))
        .collect();
    parts.join(",")
}

/// Lower-case ASCII for addresses.
fn plain(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.to_lowercase().chars() {
        match c {
            'ä' | 'á' | 'ï' => text.push('a'),
            'ö' | 'ø' | 'ó' => text.push('o'),
            'ü' | 'ú' => text.push('u'),
            'ë' | 'é' | 'ě' => text.push('e'),
            'ł' => text.push('l'),
            'ı' => text.push('i'),
            'ć' => text.push('c'),
            'š' => text.push('s'),
            'ß' => text.push_str("ss"),
            c if c.is_ascii_alphabetic() => text.push(c),
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_the_same_whenever_asked() {
        let seed = Seed(9);
        assert_eq!(Person::nth(seed, 5).id, Person::nth(seed, 5).id);
        assert_ne!(Person::nth(seed, 5).id, Person::nth(seed, 6).id);
        let person = Person::nth(seed, 5);
        assert!(person.mailbox.is_ascii(), "{}", person.mailbox);
        assert_eq!(person.immutable_id().len(), 24);
    }

    #[test]
    fn immutable_id_uses_the_windows_byte_order() {
        let mut person = Person::nth(Seed(1), 1);
        person.object_guid = "3f2504e0-4f89-41d3-9a0c-0305e82c3301".to_owned();
        assert_eq!(person.immutable_id(), "4AQlP4lP00GaDAMF6CwzAQ==");
    }
}
