//! Distinguished names and the domains they name.

/// DNS name of the domain whose root a distinguished name is: `DC=ad,DC=hauser,DC=example` is
/// `ad.hauser.example`. `None` for any other object, and for what is no distinguished name.
pub(in crate::report) fn domain_of(dn: &str) -> Option<String> {
    let labels: Option<Vec<&str>> = dn.split(',').map(label).collect();
    Some(labels?.join(".").to_ascii_lowercase())
}

/// The value of `DC=value`.
fn label(part: &str) -> Option<&str> {
    let (attribute, value) = part.split_once('=')?;
    let value = value.trim();
    let is_label = value
        .bytes()
        .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_'));
    (attribute.trim().eq_ignore_ascii_case("dc") && !value.is_empty() && is_label).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_of_a_domain_gives_its_dns_name() {
        for dn in ["DC=ad,DC=hauser,DC=example", "dc=AD, dc=Hauser, dc=Example"] {
            assert_eq!(domain_of(dn).as_deref(), Some("ad.hauser.example"));
        }
    }

    #[test]
    fn other_names_are_no_domain() {
        for dn in [
            "",
            "default",
            "CN=Configuration,DC=hauser,DC=example",
            "OU=Staff,DC=hauser,DC=example",
            "DC=",
            "DC=a b,DC=example",
            "DC=a,,DC=b",
        ] {
            assert_eq!(domain_of(dn), None, "{dn}");
        }
    }
}
