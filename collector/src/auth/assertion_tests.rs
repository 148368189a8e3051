use ring::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;

use super::*;

const CERTIFICATE: &[u8] = include_bytes!("fixtures/rsa.cert.pem");
const OTHER_CERTIFICATE: &[u8] = include_bytes!("fixtures/other.cert.pem");
const PKCS8: &[u8] = include_bytes!("fixtures/rsa.pkcs8.pem");
const PKCS1: &[u8] = include_bytes!("fixtures/rsa.pkcs1.pem");
const ENCRYPTED: &[u8] = include_bytes!("fixtures/rsa.encrypted.pem");
const EC: &[u8] = include_bytes!("fixtures/ec.pkcs8.pem");
/// `openssl x509 -outform DER | openssl dgst -sha256 -binary`, base64url.
const THUMBPRINT: &str = include_str!("fixtures/rsa.cert.x5t-s256.txt");

fn part(jwt: &str, index: usize) -> Vec<u8> {
    let text = jwt.split('.').nth(index).expect("a JWT has three parts");
    URL_SAFE_NO_PAD
        .decode(text)
        .expect("base64url without padding")
}

fn json_part(jwt: &str, index: usize) -> Value {
    serde_json::from_slice(&part(jwt, index)).expect("header and claims are JSON")
}

#[test]
fn both_key_forms_sign_what_the_certificate_verifies() {
    let now = Timestamp::from_millis(1_793_000_000_500);
    for key in [PKCS8, PKCS1] {
        let signer = Signer::new(CERTIFICATE, key).expect("key and certificate fit");
        let jwt = signer
            .sign("app-1", "https://login.example/t/oauth2/v2.0/token", now)
            .expect("signed");
        let (signed, _) = jwt.rsplit_once('.').expect("a JWT has three parts");
        UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, signer.key.public().as_ref())
            .verify(signed.as_bytes(), &part(&jwt, 2))
            .expect("the signature is PS256");
        let header = json_part(&jwt, 0);
        assert_eq!(header["alg"], "PS256");
        assert_eq!(header["x5t#S256"], THUMBPRINT.trim());
        let claims = json_part(&jwt, 1);
        assert_eq!(claims["aud"], "https://login.example/t/oauth2/v2.0/token");
        assert_eq!(
            (&claims["iss"], &claims["sub"]),
            (&"app-1".into(), &"app-1".into())
        );
        assert_eq!(claims["nbf"], 1_793_000_000_i64 - 60);
        assert_eq!(claims["exp"], 1_793_000_000_i64 + 540);
    }
}

#[test]
fn an_assertion_is_used_once() {
    let signer = Signer::new(CERTIFICATE, PKCS8).expect("key and certificate fit");
    let now = Timestamp::from_millis(0);
    let ids: std::collections::BTreeSet<_> = (0..8)
        .map(|_| json_part(&signer.sign("a", "b", now).expect("signed"), 1)["jti"].to_string())
        .collect();
    assert_eq!(ids.len(), 8);
}

#[test]
fn files_that_cannot_sign_are_told_apart() {
    for (certificate, key, refused) in [
        (PKCS8, PKCS8, AssertionError::NoCertificate),
        (CERTIFICATE, CERTIFICATE, AssertionError::NoKey),
        (CERTIFICATE, ENCRYPTED, AssertionError::NoKey),
        (CERTIFICATE, &b""[..], AssertionError::NoKey),
        (CERTIFICATE, EC, AssertionError::NotRsa),
        (OTHER_CERTIFICATE, PKCS8, AssertionError::Mismatch),
    ] {
        assert_eq!(Signer::new(certificate, key).err(), Some(refused));
    }
}
