//! Agents that push: who is let in, what is turned away, and that a batch counts once.

use std::io::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};
use syncwatch::{App, Running};
use syncwatch_domain::clock::ScriptedClock;
use syncwatch_store::Store;

use crate::support::{Answer, Site, client, config_text, now, read};

const TOKEN: &str = "tulip-agent-of-sync01";
const AGENT: &str = "[[tenant.agent]]\nhost = \"SYNC01\"\ntoken = \"tulip-agent-of-sync01\"\n\
    [[tenant.agent]]\nhost = \"SYNC02\"\ntoken = \"tulip-agent-of-sync02\"\n";

fn batch(records: &Value) -> Value {
    json!({
        "schema": 1,
        "agent": {"id": "agent-1", "host": "sync01", "version": "0.1.0", "roles": ["connect_active"]},
        "sent_at": now(), "elapsed": {"run": "r", "ms": 5000},
        "spool": {"id": "spool-1", "first": 1, "next": 9},
        "records": records,
    })
}

fn record(seq: u64) -> Value {
    json!({
        "seq": seq, "section": "weather", "collected_at": now(), "elapsed": {"run": "r", "ms": 4000},
        "outcome": "read", "data": [{"Sky": "grey"}],
    })
}

async fn send(site: &Site, token: Option<&str>, body: impl Into<reqwest::Body>) -> Answer {
    let mut request = client()
        .post(format!("{}/agent/v1/reports", site.url))
        .header("content-type", "application/json")
        .body(body);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    Answer::of(request).await
}

async fn start() -> Site {
    Site::start(AGENT, async |_| {}).await
}

async fn stored(site: &Site) -> i64 {
    site.store.agent_record_count().await.unwrap()
}

#[tokio::test]
async fn a_batch_is_acknowledged_once_it_is_stored_and_counts_once() {
    let site = start().await;
    let body = batch(&json!([record(1), record(2)])).to_string();
    for _ in 0..3 {
        let answer = send(&site, Some(TOKEN), body.clone()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json()["acknowledged"], 2);
        assert_eq!(answer.json()["spool"], "spool-1");
        assert_eq!(stored(&site).await, 2);
    }
    let overlapping = batch(&json!([record(2), record(3)])).to_string();
    let answer = send(&site, Some(TOKEN), overlapping).await;
    assert_eq!(answer.json()["acknowledged"], 3);
    assert_eq!(stored(&site).await, 3);
    // A section nobody knows is kept as it came.
    let kept = site
        .store
        .agent_records("orchard", "agent-1", "weather", 1)
        .await
        .unwrap();
    assert_eq!(kept[0].record.data, [json!({"Sky": "grey"})]);
}

#[tokio::test]
async fn whoever_has_no_right_token_is_turned_away_and_nothing_is_stored() {
    let site = start().await;
    let body = batch(&json!([record(1)])).to_string();
    for (token, status) in [
        (None, 401),
        (Some("tulip-agent-of-sync0"), 401),
        (Some(""), 401),
        (Some("tulip-agent-of-sync02"), 403),
    ] {
        let answer = send(&site, token, body.clone()).await;
        assert_eq!(answer.status, status, "{token:?}: {}", answer.body);
        assert!(!answer.body.contains("tulip"), "{}", answer.body);
    }
    assert_eq!(stored(&site).await, 0);
}

#[tokio::test]
async fn garbage_and_batches_that_hang_together_badly_are_refused_with_a_sentence() {
    let site = start().await;
    let newer = {
        let mut newer = batch(&json!([record(1)]));
        newer["schema"] = json!(99);
        newer.to_string()
    };
    for (body, said) in [
        ("<html>proxy</html>".to_owned(), "not a report"),
        (String::new(), "not a report"),
        (
            batch(&json!([record(2), record(2)])).to_string(),
            "out of order",
        ),
        (batch(&json!([record(0)])).to_string(), "out of order"),
        (newer, "update syncwatch"),
    ] {
        let answer = send(&site, Some(TOKEN), body).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert!(answer.body.contains(said), "{}", answer.body);
    }
    let answer = send(&site, Some(TOKEN), vec![b'['; 10 * 1024 * 1024]).await;
    assert_eq!(answer.status, 413, "{}", answer.body);
    assert_eq!(stored(&site).await, 0);
}

/// Files of an authority and of certificates it signed.
struct Certificates {
    folder: tempfile::TempDir,
}

impl Certificates {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn write(&self, name: &str, pem: &str) {
        let mut file = std::fs::File::create(self.folder.path().join(name)).unwrap();
        file.write_all(pem.as_bytes()).unwrap();
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// An authority, a certificate for the service, some for agents and some that have ended.
    fn make(&self) {
        let ours = ["127.0.0.1"];
        let signed: [(&str, &[&str], bool); 7] = [
            ("service", &ours, false),
            ("agent", &ours, false),
            ("ended", &ours, true),
            ("sync01", &["sync01.orchard.example"], false),
            ("sync01-ended", &["sync01.orchard.example"], true),
            ("sync02", &["sync02.orchard.example"], false),
            ("wildcard", &["*.orchard.example"], false),
        ];
        self.sign(&signed);
    }

    fn sign(&self, signed: &[(&str, &[&str], bool)]) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = params.self_signed(&key).unwrap();
        self.write("ca.pem", &authority.pem());
        let issuer = rcgen::Issuer::new(params, key);
        for (name, names, ended) in signed {
            let key = rcgen::KeyPair::generate().unwrap();
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            let mut params = rcgen::CertificateParams::new(names).unwrap();
            if *ended {
                params.not_before = rcgen::date_time_ymd(2020, 1, 1);
                params.not_after = rcgen::date_time_ymd(2021, 1, 1);
            }
            let certificate = params.signed_by(&key, &issuer).unwrap();
            self.write(&format!("{name}.pem"), &certificate.pem());
            self.write(&format!("{name}.key"), &key.serialize_pem());
        }
    }

    /// `[intake]` with these files.
    fn intake(&self) -> String {
        format!(
            "[intake]\nlisten = \"127.0.0.1:0\"\ncertificate_file = \"{}\"\nprivate_key_file = \"{}\"\nclient_ca_file = \"{}\"\n",
            self.path("service.pem"),
            self.path("service.key"),
            self.path("ca.pem")
        )
    }

    fn client(&self, shows: Option<&str>) -> reqwest::Client {
        let ca = std::fs::read(self.path("ca.pem")).unwrap();
        let roots = reqwest::Certificate::from_pem_bundle(&ca).unwrap();
        let mut builder = reqwest::Client::builder().no_proxy().tls_certs_only(roots);
        if let Some(name) = shows {
            let mut pem = std::fs::read(self.path(&format!("{name}.pem"))).unwrap();
            pem.extend(std::fs::read(self.path(&format!("{name}.key"))).unwrap());
            builder = builder.identity(reqwest::Identity::from_pem(&pem).unwrap());
        }
        builder.build().unwrap()
    }
}

/// A service with an intake of its own, and where that is.
async fn start_secure(
    folder: &tempfile::TempDir,
    sections: &str,
) -> (Running, Store, std::net::SocketAddr) {
    syncwatch::install_crypto();
    let config = read(&config_text(folder, sections));
    let app = App::build(config, Arc::new(ScriptedClock::new(now())))
        .await
        .unwrap();
    let address = app.intake_addr().unwrap();
    let running = app.start();
    let store = running.store().await.unwrap();
    (running, store, address)
}

const PATH: &str = "/agent/v1/reports";

#[tokio::test]
async fn over_tls_an_agent_shows_a_certificate_that_is_in_force_beside_its_token() {
    let files = Certificates::new();
    files.make();
    let folder = tempfile::tempdir().unwrap();
    let sections = format!("{AGENT}{}", files.intake());
    let (_running, store, address) = start_secure(&folder, &sections).await;
    let send = async |client: reqwest::Client, path: &str, token: &str| {
        client
            .post(format!("https://{address}{path}"))
            .bearer_auth(token)
            .json(&batch(&json!([record(1)])))
            .send()
            .await
    };
    for shows in [None, Some("ended")] {
        let answer = send(files.client(shows), PATH, TOKEN).await;
        assert!(answer.is_err(), "{shows:?}: {answer:?}");
    }
    assert_eq!(store.agent_record_count().await.unwrap(), 0);
    let agent = files.client(Some("agent"));
    for (path, token, status) in [
        (PATH, "some other token", 401),
        ("/metrics", TOKEN, 404),
        (PATH, TOKEN, 200),
    ] {
        let answer = send(agent.clone(), path, token).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
    }
    assert_eq!(store.agent_record_count().await.unwrap(), 1);
}

/// Both agents show certificates in place of tokens.
const NAMED: &str = "[[tenant.agent]]\nhost = \"SYNC01\"\ncertificate_name = \"Sync01.orchard.example\"\n\
    [[tenant.agent]]\nhost = \"SYNC02\"\ncertificate_name = \"sync02.orchard.example\"\n";

#[tokio::test]
async fn a_certificate_of_its_host_stands_in_place_of_a_token() {
    let files = Certificates::new();
    files.make();
    let folder = tempfile::tempdir().unwrap();
    let sections = format!("{NAMED}{}", files.intake());
    let (running, store, address) = start_secure(&folder, &sections).await;
    let send = async |shows: &str| {
        let client = files.client(Some(shows));
        let request = client.post(format!("https://{address}{PATH}"));
        let sent = request.json(&batch(&json!([record(1)]))).send().await;
        sent.map(|answer| answer.status().as_u16())
    };
    // It has ended, has another name, or the name of another host than the one that reports.
    assert!(send("sync01-ended").await.is_err());
    for (shows, status) in [("agent", 401), ("wildcard", 401), ("sync02", 403)] {
        assert_eq!(send(shows).await.unwrap(), status, "{shows}");
    }
    // Where no certificate is shown nobody has one.
    let plain = client().post(format!("{}{PATH}", running.url()));
    let plain = plain.json(&batch(&json!([record(1)]))).send().await;
    assert_eq!(plain.unwrap().status(), 401);
    assert_eq!(store.agent_record_count().await.unwrap(), 0);
    assert_eq!(send("sync01").await.unwrap(), 200);
    assert_eq!(store.agent_record_count().await.unwrap(), 1);
}

#[test]
fn a_certificate_that_nobody_is_asked_for_is_a_mistake_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let text = config_text(&folder, NAMED);
    let report = syncwatch::config::load("c", &text, [])
        .unwrap_err()
        .to_string();
    assert!(report.contains("agent[0].certificate_name"), "{report}");
    assert!(report.contains("client_ca_file in [intake]"), "{report}");
}

#[tokio::test]
async fn certificates_that_were_renewed_are_used_without_a_restart() {
    let files = Certificates::new();
    files.make();
    let folder = tempfile::tempdir().unwrap();
    let sections = format!("{NAMED}{}", files.intake());
    let (_running, _store, address) = start_secure(&folder, &sections).await;
    let send = async |client: reqwest::Client| {
        let request = client.post(format!("https://{address}{PATH}"));
        let sent = request.json(&batch(&json!([record(1)]))).send().await;
        sent.map(|answer| answer.status().as_u16())
    };
    let before = || files.client(Some("sync01"));
    assert_eq!(send(before()).await.unwrap(), 200);
    // Half of a change, and a file that is cut off: what was in force stays.
    let next = Certificates::new();
    next.make();
    files.write("service.pem", &next.text("service.pem"));
    assert_eq!(send(before()).await.unwrap(), 200);
    files.write("service.pem", "");
    assert_eq!(send(before()).await.unwrap(), 200);
    for name in ["service.pem", "service.key", "ca.pem"] {
        files.write(name, &next.text(name));
    }
    assert_eq!(send(next.client(Some("sync01"))).await.unwrap(), 200);
    // Whoever trusts the old authority does not get through any more, nor does its certificate.
    let folder_of_old = Certificates::new();
    folder_of_old.write("ca.pem", &next.text("ca.pem"));
    for name in ["sync01.pem", "sync01.key"] {
        folder_of_old.write(name, &files.text(name));
    }
    assert!(send(folder_of_old.client(Some("sync01"))).await.is_err());
}
