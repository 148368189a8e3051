//! Agents that push: who is let in, what is turned away, and that a batch counts once.

use std::io::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};
use syncwatch::App;
use syncwatch_domain::clock::ScriptedClock;

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

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// An authority, a certificate for the service, one for an agent and one that has ended.
    fn make(&self) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = params.self_signed(&key).unwrap();
        self.write("ca.pem", &authority.pem());
        let issuer = rcgen::Issuer::new(params, key);
        for (name, ended) in [("service", false), ("agent", false), ("ended", true)] {
            let key = rcgen::KeyPair::generate().unwrap();
            let mut params = rcgen::CertificateParams::new(vec!["127.0.0.1".into()]).unwrap();
            if ended {
                params.not_before = rcgen::date_time_ymd(2020, 1, 1);
                params.not_after = rcgen::date_time_ymd(2021, 1, 1);
            }
            let certificate = params.signed_by(&key, &issuer).unwrap();
            self.write(&format!("{name}.pem"), &certificate.pem());
            self.write(&format!("{name}.key"), &key.serialize_pem());
        }
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

#[tokio::test]
async fn over_tls_an_agent_shows_a_certificate_that_is_in_force_beside_its_token() {
    syncwatch::install_crypto();
    let files = Certificates::new();
    files.make();
    let folder = tempfile::tempdir().unwrap();
    let more = format!(
        "{AGENT}[intake]\nlisten = \"127.0.0.1:0\"\ncertificate_file = \"{}\"\nprivate_key_file = \"{}\"\nclient_ca_file = \"{}\"\n",
        files.path("service.pem"),
        files.path("service.key"),
        files.path("ca.pem")
    );
    let config = read(&config_text(&folder, &more));
    let app = App::build(config, Arc::new(ScriptedClock::new(now())))
        .await
        .unwrap();
    let address = app.intake_addr().unwrap();
    let running = app.start();
    let store = running.store().await.unwrap();
    let send = async |client: reqwest::Client, path: &str, token: &str| {
        client
            .post(format!("https://{address}{path}"))
            .bearer_auth(token)
            .json(&batch(&json!([record(1)])))
            .send()
            .await
    };
    let path = "/agent/v1/reports";
    for shows in [None, Some("ended")] {
        let answer = send(files.client(shows), path, TOKEN).await;
        assert!(answer.is_err(), "{shows:?}: {answer:?}");
    }
    assert_eq!(store.agent_record_count().await.unwrap(), 0);
    let agent = files.client(Some("agent"));
    for (path, token, status) in [
        (path, "some other token", 401),
        ("/metrics", TOKEN, 404),
        (path, TOKEN, 200),
    ] {
        let answer = send(agent.clone(), path, token).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
    }
    assert_eq!(store.agent_record_count().await.unwrap(), 1);
}
