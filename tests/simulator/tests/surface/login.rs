//! The token endpoint: secrets, signed assertions, federation, managed identities and every refusal.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use syncwatch_simulator::story::Federated;
use syncwatch_simulator::{Action, DownMode, Story};

use crate::setup::{NOW, STORY, Setup};

const CLIENT: &str = "8d1c0f3e-2a6b-4f57-b0d9-41c7e95a6b02";
const NARROW: &str = "2c9a5d10-7e34-4b8f-a6c1-0d5f83e2b974";
const SCOPE: (&str, &str) = ("scope", "https://graph.microsoft.com/.default");
const GRANT: (&str, &str) = ("grant_type", "client_credentials");
const CLIENT_PEM: &str = include_str!("keys/client.pem");
const CLIENT_KEY: &[u8] = include_bytes!("keys/client.key");
const ISSUER_PEM: &str = include_str!("keys/issuer.pem");
const ISSUER_KEY: &[u8] = include_bytes!("keys/issuer.key");

fn thumbprint(pem: &str) -> String {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    URL_SAFE_NO_PAD.encode(Sha256::digest(&der))
}

fn sign(header: &Value, claims: &Value, key: &[u8]) -> String {
    let der = PrivatePkcs8KeyDer::from_pem_slice(key).unwrap();
    let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let padding: &dyn RsaEncoding = if header["alg"] == "PS256" {
        &RSA_PSS_SHA256
    } else {
        &RSA_PKCS1_SHA256
    };
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(
        padding,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

async fn setup() -> Setup {
    let mut story = Story::parse(STORY).unwrap();
    story.tenants[0].clients[0].certificate_pem = Some(CLIENT_PEM.to_owned());
    story.tenants[0].clients[1]
        .federated
        .push(Federated::Issuer {
            issuer: "https://oidc.example/".to_owned(),
            subject: "system:serviceaccount:ns:watch".to_owned(),
            certificate_pem: ISSUER_PEM.to_owned(),
        });
    Setup::with(story).await
}

fn claims(setup: &Setup, jti: &str) -> Value {
    let endpoint = format!(
        "{}/3b0d4a52-6f7e-4c19-9a1d-52d6f0c8b741/oauth2/v2.0/token",
        setup.running.login_url()
    );
    let now = NOW / 1000;
    json!({"aud": endpoint, "iss": CLIENT, "sub": CLIENT, "jti": jti, "nbf": now, "iat": now, "exp": now + 600})
}

async fn grant_assertion(setup: &Setup, client: &str, assertion: &str) -> (u16, Value) {
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let fields = [
        GRANT,
        SCOPE,
        ("client_id", client),
        ("client_assertion_type", kind),
        ("client_assertion", assertion),
    ];
    let (status, body) = setup.grant(&fields).await;
    (status.as_u16(), body)
}

#[tokio::test]
async fn a_secret_buys_a_token_with_the_roles_of_the_moment() {
    let setup = setup().await;
    let token = setup.token().await;
    let payload = URL_SAFE_NO_PAD
        .decode(token.split('.').nth(1).unwrap())
        .unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(
        (claims["appid"].as_str(), claims["idtyp"].as_str()),
        (Some(CLIENT), Some("app"))
    );
    assert!(
        claims["roles"]
            .as_array()
            .unwrap()
            .contains(&json!("AuditLog.Read.All"))
    );
    setup.apply(&Action::RevokeRole {
        tenant: "big".to_owned(),
        role: "AuditLog.Read.All".to_owned(),
    });
    let old = setup.get(&token, "/v1.0/auditLogs/directoryAudits").await;
    assert_eq!(old.status(), 200, "a token keeps its roles");
    let fresh = setup.token().await;
    let refused = setup.error(&fresh, "/v1.0/auditLogs/directoryAudits").await;
    assert_eq!(
        refused,
        (403, "Authentication_MSGraphPermissionMissing".to_owned())
    );
    setup.stop().await;
}

#[tokio::test]
async fn tokens_end_and_rubbish_is_refused() {
    let setup = setup().await;
    let token = setup.token().await;
    let expired = "InvalidAuthenticationToken".to_owned();
    setup.clock.advance(3_600_000);
    assert_eq!(
        setup.error(&token, "/v1.0/organization").await,
        (401, expired.clone())
    );
    let fresh = setup.token().await;
    let forged = format!("{}x", fresh.rsplit_once('.').unwrap().0);
    assert_eq!(
        setup.error(&forged, "/v1.0/organization").await,
        (401, expired.clone())
    );
    assert_eq!(
        setup.error("a.b.c", "/v1.0/organization").await,
        (401, expired.clone())
    );
    setup.clock.advance(1);
    setup.apply(&Action::ExpireTokens {
        tenant: "big".to_owned(),
    });
    assert_eq!(
        setup.error(&fresh, "/v1.0/organization").await,
        (401, expired)
    );
    setup.stop().await;
}

#[tokio::test]
async fn both_signature_algorithms_are_verified() {
    let setup = setup().await;
    for (alg, jti) in [("PS256", "one"), ("RS256", "two")] {
        let header = json!({"alg": alg, "typ": "JWT", "x5t#S256": thumbprint(CLIENT_PEM)});
        let assertion = sign(&header, &claims(&setup, jti), CLIENT_KEY);
        let (status, body) = grant_assertion(&setup, CLIENT, &assertion).await;
        assert_eq!(status, 200, "{alg}: {body}");
        let (status, body) = grant_assertion(&setup, CLIENT, &assertion).await;
        assert_eq!(
            (status, body["error_codes"][0].as_u64()),
            (401, Some(700_027)),
            "the same jti again"
        );
    }
    setup.stop().await;
}

#[tokio::test]
async fn assertions_that_are_not_quite_right_are_refused() {
    let setup = setup().await;
    let good = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint(CLIENT_PEM)});
    let change = |name: &str, value: Value| {
        let mut claims = claims(&setup, name);
        claims[name] = value;
        claims
    };
    let now = NOW / 1000;
    let mut other_header = good.clone();
    other_header["x5t#S256"] = json!(thumbprint(ISSUER_PEM));
    for (what, assertion, code) in [
        (
            "key",
            sign(&good, &claims(&setup, "k"), ISSUER_KEY),
            700_027,
        ),
        (
            "thumbprint",
            sign(&other_header, &claims(&setup, "t"), CLIENT_KEY),
            700_027,
        ),
        (
            "audience",
            sign(
                &good,
                &change("aud", json!("https://elsewhere.example")),
                CLIENT_KEY,
            ),
            700_027,
        ),
        (
            "subject",
            sign(&good, &change("sub", json!(NARROW)), CLIENT_KEY),
            700_027,
        ),
        (
            "expiry",
            sign(&good, &change("exp", json!(now - 301)), CLIENT_KEY),
            700_024,
        ),
        (
            "beginning",
            sign(&good, &change("nbf", json!(now + 400)), CLIENT_KEY),
            700_024,
        ),
        (
            "no id",
            sign(&good, &change("jti", Value::Null), CLIENT_KEY),
            700_027,
        ),
        (
            "algorithm",
            sign(
                &json!({"alg": "none", "x5t#S256": thumbprint(CLIENT_PEM)}),
                &claims(&setup, "a"),
                CLIENT_KEY,
            ),
            700_027,
        ),
        ("rubbish", "rubbish".to_owned(), 700_027),
    ] {
        let (status, body) = grant_assertion(&setup, CLIENT, &assertion).await;
        assert_eq!(
            (status, body["error_codes"][0].as_u64()),
            (401, Some(code)),
            "{what}: {body}"
        );
    }
    setup.stop().await;
}

#[tokio::test]
async fn federated_tokens_are_matched_and_verified() {
    let setup = setup().await;
    assert_eq!(
        grant_assertion(&setup, NARROW, "an.external.token").await.0,
        200
    );
    let now = NOW / 1000;
    let external = |sub: &str, exp: i64, key: &[u8]| {
        let claims = json!({"iss": "https://oidc.example/", "sub": sub, "aud": ["api://AzureADTokenExchange"], "exp": exp});
        sign(&json!({"alg": "RS256", "kid": "1"}), &claims, key)
    };
    let subject = "system:serviceaccount:ns:watch";
    for (what, token, code) in [
        (
            "other subject",
            external("system:serviceaccount:ns:other", now + 60, ISSUER_KEY),
            Some(70_021),
        ),
        (
            "stale file",
            external(subject, now - 400, ISSUER_KEY),
            Some(700_024),
        ),
        (
            "other key",
            external(subject, now + 60, CLIENT_KEY),
            Some(700_027),
        ),
        ("good", external(subject, now + 60, ISSUER_KEY), None),
    ] {
        let (_, body) = grant_assertion(&setup, NARROW, &token).await;
        assert_eq!(body["error_codes"][0].as_u64(), code, "{what}: {body}");
    }
    setup.stop().await;
}

#[tokio::test]
async fn every_refusal_has_its_code_and_shape() {
    let setup = setup().await;
    let secret = ("client_secret", "test~Secret+1&2");
    let id = ("client_id", CLIENT);
    for (fields, status, error, code) in [
        (
            vec![GRANT, SCOPE, id, ("client_secret", "wrong")],
            401,
            "invalid_client",
            7_000_215,
        ),
        (vec![GRANT, SCOPE, id], 401, "invalid_client", 7_000_218),
        (
            vec![GRANT, SCOPE, ("client_id", "nobody"), secret],
            400,
            "unauthorized_client",
            700_016,
        ),
        (
            vec![GRANT, ("scope", "User.Read"), id, secret],
            400,
            "invalid_scope",
            70_011,
        ),
        (
            vec![("grant_type", "password"), SCOPE, id, secret],
            400,
            "unsupported_grant_type",
            70_003,
        ),
    ] {
        let (seen, body) = setup.grant(&fields).await;
        assert_eq!(
            (
                seen.as_u16(),
                body["error"].as_str(),
                body["error_codes"][0].as_u64()
            ),
            (status, Some(error), Some(code)),
            "{body}"
        );
        let description = body["error_description"].as_str().unwrap();
        assert!(
            description.starts_with(&format!("AADSTS{code}: ")) && description.contains("Trace ID"),
            "{description}"
        );
        assert_eq!(body["timestamp"], "2026-09-14 06:00:00Z");
    }
    let nowhere = format!(
        "{}/nowhere.example/oauth2/v2.0/token",
        setup.running.login_url()
    );
    let (_, body) = setup.grant_at(&nowhere, &[GRANT, SCOPE, id, secret]).await;
    assert_eq!(body["error_codes"][0], 90_002);
    setup.apply(&Action::LoginError {
        tenant: "big".to_owned(),
        code: 53_003,
        count: 1,
    });
    assert_eq!(
        setup.grant(&[GRANT, SCOPE, id, secret]).await.1["error_codes"][0],
        53_003
    );
    assert_eq!(
        setup.grant(&[GRANT, SCOPE, id, secret]).await.0,
        200,
        "told once"
    );
    setup.clock.advance(31 * 86_400_000);
    assert_eq!(
        setup.grant(&[GRANT, SCOPE, id, secret]).await.1["error_codes"][0],
        7_000_222
    );
    setup.stop().await;
}

#[tokio::test]
async fn a_login_host_that_is_down_answers_without_json_or_not_at_all() {
    let setup = setup().await;
    let url = format!(
        "{}/nordwall.example/oauth2/v2.0/token",
        setup.running.login_url()
    );
    setup.apply(&Action::LoginDown {
        mode: DownMode::Unavailable,
    });
    let response = setup.client.post(&url).send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert!(serde_json::from_str::<Value>(&response.text().await.unwrap()).is_err());
    setup.apply(&Action::LoginDown {
        mode: DownMode::Refuse,
    });
    assert!(setup.client.post(&url).send().await.is_err());
    setup.apply(&Action::LoginUp);
    setup.token().await;
    setup.stop().await;
}

#[tokio::test]
async fn managed_identities_answer_with_numbers_as_text() {
    let setup = setup().await;
    let imds = format!(
        "{}/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fgraph.microsoft.com%2F",
        setup.running.imds_url()
    );
    assert_eq!(
        setup.client.get(&imds).send().await.unwrap().status(),
        400,
        "the Metadata header is missing"
    );
    let body: Value = setup
        .client
        .get(&imds)
        .header("Metadata", "true")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        (body["refresh_token"].as_str(), body["expires_in"].as_str()),
        (Some(""), Some("86399"))
    );
    setup
        .json(body["access_token"].as_str().unwrap(), "/v1.0/organization")
        .await;
    let unknown = setup
        .client
        .get(format!("{imds}&client_id=nobody"))
        .header("Metadata", "true")
        .send()
        .await
        .unwrap();
    assert_eq!(
        unknown.json::<Value>().await.unwrap()["error_description"],
        "Identity not found"
    );

    let (endpoint, header) = setup.running.app_service_identity();
    let url = format!("{endpoint}?resource=https://graph.microsoft.com/&api-version=2019-08-01");
    assert_eq!(
        setup
            .client
            .get(&url)
            .header("X-IDENTITY-HEADER", "wrong")
            .send()
            .await
            .unwrap()
            .status(),
        401
    );
    let body: Value = setup
        .client
        .get(&url)
        .header("X-IDENTITY-HEADER", header)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(
        body["expires_on"].is_string() && body.get("expires_in").is_none(),
        "{body}"
    );
    setup
        .json(body["access_token"].as_str().unwrap(), "/v1.0/organization")
        .await;
    setup.stop().await;
}
