//! Every way to prove who asks, and refusals that tell what to do.

use std::path::Path;

use syncwatch_collector::config::{IdentityKind, ManagedIdentitySection};
use syncwatch_collector::live;
use syncwatch_domain::clock::SystemClock;

use super::*;

const KEYS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../collector/src/auth/fixtures"
);

/// Signs in with what is left of a section after `change`.
async fn sign_in(
    client: &str,
    change: impl FnOnce(&mut TenantSection, &Running),
) -> live::LiveFinding {
    let (sim, clock) = simulate(story(client, "")).await;
    let mut section = section(&sim);
    change(&mut section, &sim);
    live::check(&checked(&section), &(clock as Arc<dyn Clock>)).await
}

#[tokio::test]
async fn every_kind_of_credential_is_accepted_and_tells_its_rights() {
    let certificate =
        std::fs::read_to_string(Path::new(KEYS).join("rsa.cert.pem")).expect("a certificate");
    let by_certificate = format!("certificate_pem = '''\n{certificate}'''");
    let token = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(token.path(), "outside-token\n").expect("written");
    let file = token.path().display().to_string();
    let findings = [
        sign_in(BY_SECRET, |_, _| ()).await,
        sign_in(&by_certificate, |section, _| {
            section.certificate_file = Some(format!("{KEYS}/rsa.cert.pem"));
            section.private_key_file = Some(format!("{KEYS}/rsa.pkcs8.pem"));
        })
        .await,
        sign_in(
            "federated = [{ token = \"outside-token\" }]",
            |section, _| {
                section.federated_token_file = Some(file.clone());
            },
        )
        .await,
        sign_in("managed_identity = true", |section, sim| {
            section.client_id = None;
            section.managed_identity = Some(ManagedIdentitySection {
                kind: IdentityKind::Vm,
                client_id: Some(CLIENT.to_owned()),
                endpoint: Some(sim.imds_url()),
            });
        })
        .await,
    ];
    for (index, finding) in findings.iter().enumerate() {
        assert_eq!(finding.sign_in, Ok(()), "{index}");
        let held = |poll| {
            finding
                .rights
                .iter()
                .find(|right| right.poll == poll)
                .and_then(|right| right.held_by)
        };
        assert_eq!(
            held(Poll::Jobs),
            Some("Synchronization.Read.All"),
            "{index}: {finding:?}"
        );
        assert_eq!(held(Poll::Agents), None, "{index}");
    }
}

#[tokio::test]
async fn a_wrong_proof_is_refused_with_a_hint() {
    let certificate =
        std::fs::read_to_string(Path::new(KEYS).join("other.cert.pem")).expect("a certificate");
    let other = format!("certificate_pem = '''\n{certificate}'''");
    for (finding, hint) in [
        (
            sign_in(BY_SECRET, |section, _| {
                section.client_secret = Some(Secret::new("guess".into()));
            })
            .await,
            "AADSTS7000215",
        ),
        (
            sign_in(&other, |section, _| {
                section.certificate_file = Some(format!("{KEYS}/rsa.cert.pem"));
                section.private_key_file = Some(format!("{KEYS}/rsa.pkcs8.pem"));
            })
            .await,
            "AADSTS700027",
        ),
        (
            sign_in(BY_SECRET, |section, _| {
                section.client_id = Some("00000000-1111-4222-8333-444444444444".into());
            })
            .await,
            "AADSTS700016",
        ),
    ] {
        let text = finding.sign_in.expect_err(hint);
        assert!(text.contains(hint) && !text.contains("guess"), "{text}");
    }
}

#[tokio::test]
async fn a_sign_in_service_that_is_gone_is_an_outage_with_one_cause() {
    let (sim, _clock) = simulate(story(BY_SECRET, "")).await;
    sim.apply(&Action::LoginDown {
        mode: DownMode::Unavailable,
    })
    .expect("applied");
    let finding = live::check(
        &checked(&section(&sim)),
        &(Arc::new(SystemClock) as Arc<dyn Clock>),
    )
    .await;
    let text = finding.sign_in.expect_err("no token");
    assert!(text.contains("sign-in failed (HTTP 503"), "{text}");
}
