//! A generic webhook receiver that checks signatures when it knows the secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// One call of the webhook.
#[derive(Debug, Clone)]
pub struct WebhookCall {
    /// Time of arrival, simulated.
    pub at_ms: i64,
    /// The answer it got.
    pub status: u16,
    /// Path and query.
    pub target: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as sent.
    pub body: String,
    /// What came of checking the signature.
    pub signature: SignatureCheck,
}

impl WebhookCall {
    /// A header by name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_str(&self.body).ok()
    }
}

/// Result of checking a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureCheck {
    /// The receiver knows no secret.
    NoSecret,
    /// No signature header that is understood.
    Missing,
    /// A signature of another secret or body.
    Wrong,
    /// A good signature.
    Good,
}

/// Checks one of three schemes, each HMAC-SHA256:
///
/// - Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,<base64 of id.timestamp.body>`;
/// - a header `<x>-signature: v1=<hex of timestamp.body>` with `<x>-timestamp`;
/// - a header ending in `signature` with the hex tag of the body, bare or after `sha256=`.
pub(crate) fn check(
    secret: Option<&[u8]>,
    headers: &[(String, String)],
    body: &[u8],
) -> SignatureCheck {
    let Some(secret) = secret else {
        return SignatureCheck::NoSecret;
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let get = |name: &str| {
        headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    let Some((name, value)) = headers.iter().find(|(name, _)| name.ends_with("signature")) else {
        return SignatureCheck::Missing;
    };
    let prefix = name.trim_end_matches("signature");
    let stamp = get(&format!("{prefix}timestamp")).unwrap_or("");
    let good = if let (true, Some(id)) = (name == "webhook-signature", get("webhook-id")) {
        let signed = [format!("{id}.{stamp}.").as_bytes(), body].concat();
        value
            .split(' ')
            .filter_map(|one| one.strip_prefix("v1,"))
            .filter_map(|one| STANDARD.decode(one).ok())
            .any(|one| hmac::verify(&key, &signed, &one).is_ok())
    } else if let Some(tag) = value.strip_prefix("v1=") {
        let signed = [format!("{stamp}.").as_bytes(), body].concat();
        from_hex(tag).is_some_and(|tag| hmac::verify(&key, &signed, &tag).is_ok())
    } else {
        from_hex(value.trim_start_matches("sha256="))
            .is_some_and(|tag| hmac::verify(&key, body, &tag).is_ok())
    };
    if good {
        SignatureCheck::Good
    } else {
        SignatureCheck::Wrong
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    (0..text.len())
        .step_by(2)
        .map(|at| {
            text.get(at..at + 2)
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
        })
        .collect()
}

/// The key bytes of a configured secret: `whsec_` secrets are base64, others are taken as they are.
pub(crate) fn key_bytes(secret: &str) -> Vec<u8> {
    match secret
        .strip_prefix("whsec_")
        .and_then(|encoded| STANDARD.decode(encoded).ok())
    {
        Some(bytes) => bytes,
        None => secret.as_bytes().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_webhooks_signatures_are_checked() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        let tag = STANDARD.encode(hmac::sign(&key, b"id1.77.{}").as_ref());
        let headers = |signature: &str| {
            vec![
                ("webhook-id".to_owned(), "id1".to_owned()),
                ("webhook-timestamp".to_owned(), "77".to_owned()),
                ("webhook-signature".to_owned(), signature.to_owned()),
            ]
        };
        assert_eq!(
            check(
                Some(b"secret"),
                &headers(&format!("v1,AAAA v1,{tag}")),
                b"{}"
            ),
            SignatureCheck::Good
        );
        assert_eq!(
            check(Some(b"secret"), &headers(&format!("v1,{tag}")), b"{} "),
            SignatureCheck::Wrong
        );
        assert_eq!(
            check(Some(b"other"), &headers(&format!("v1,{tag}")), b"{}"),
            SignatureCheck::Wrong
        );
        assert_eq!(check(Some(b"secret"), &[], b"{}"), SignatureCheck::Missing);
        assert_eq!(check(None, &[], b"{}"), SignatureCheck::NoSecret);
    }

    #[test]
    fn signatures_over_time_and_body_are_checked() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        let tag: String = hmac::sign(&key, b"77.{}")
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let headers = |stamp: &str| {
            [
                ("x-syncwatch-signature".to_owned(), format!("v1={tag}")),
                ("x-syncwatch-timestamp".to_owned(), stamp.to_owned()),
            ]
        };
        assert_eq!(
            check(Some(b"secret"), &headers("77"), b"{}"),
            SignatureCheck::Good
        );
        assert_eq!(
            check(Some(b"secret"), &headers("78"), b"{}"),
            SignatureCheck::Wrong
        );
    }

    #[test]
    fn hex_signatures_of_the_body_are_checked() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        let tag: String = hmac::sign(&key, b"{}")
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let headers = [("x-syncwatch-signature".to_owned(), format!("sha256={tag}"))];
        assert_eq!(
            check(Some(b"secret"), &headers, b"{}"),
            SignatureCheck::Good
        );
        assert_eq!(
            check(Some(b"secret"), &headers, b"[]"),
            SignatureCheck::Wrong
        );
    }
}
