//! Certificates in place of tokens, on both ways home, with the real agent.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use syncwatch_agent::spool::Spool;
use syncwatch_domain::clock::SystemClock;
use syncwatch_domain::report::Section;
use syncwatch_domain::source::ReadFailure;
use syncwatch_tests::peers::Port;
use syncwatch_tests::tls::Authority;
use syncwatch_tests::wait::until;

use crate::ask::at_fault;
use crate::drain::{no_sections, record, start};
use crate::post::Post;
use crate::site::Site;

const PATIENCE: Duration = Duration::from_secs(60);
const HOST: &str = "SYNC01";
const NAME: &str = "sync01.hauser.example";
const SERVICE: &str = "syncwatch.hauser.example";
/// Records that wait.
const RECORDS: u64 = 3;

/// A folder with an authority, and the agent below it.
struct Bench {
    folder: tempfile::TempDir,
    authority: Authority,
}

impl Bench {
    fn new() -> Self {
        let bench = Self {
            folder: tempfile::tempdir().expect("a folder"),
            authority: Authority::new().expect("an authority"),
        };
        std::fs::create_dir_all(bench.path("agent")).expect("a folder");
        std::fs::write(bench.path("ca.pem"), bench.authority.ca_pem()).expect("written");
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Issues a certificate for a name, in `<file>.pem` and `<file>.key`.
    fn issue(&self, file: &str, name: &str, has_ended: bool) {
        let issued = if has_ended {
            self.authority.issue_ended(&[name])
        } else {
            self.authority.issue(&[name])
        };
        let issued = issued.expect("a certificate");
        std::fs::write(self.path(&format!("{file}.key")), issued.key_pem).expect("written");
        std::fs::write(self.path(&format!("{file}.pem")), issued.cert_pem).expect("written");
    }

    /// An agent that reads nothing and has some records to bring home.
    fn post(&self, sections: &str) -> Post {
        let sections = format!("{sections}{}", no_sections());
        let post = Post::with(&self.path("agent"), HOST, &sections);
        let mut spool = Spool::open(&post.spool(), 1 << 30, start()).expect("a spool");
        for minute in 0..RECORDS {
            let mut record = record(Section::Scheduler, minute);
            spool.append(&mut record, None).expect("written");
        }
        post
    }
}

async fn all_home(site: &Site, post: &Post) {
    let reached = until("the records", PATIENCE, async || {
        let stored = site.stored().await;
        if stored == RECORDS {
            return Ok(());
        }
        Err(format!("{stored} of {RECORDS}; {}", post.log()))
    });
    reached.await.expect("the records");
}

/// Waits until the log of the agent holds some words.
async fn said(post: &Post, words: &str) {
    let found = until("words in the log", PATIENCE, async || {
        let log = post.log();
        if log.contains(words) {
            return Ok(());
        }
        Err(log)
    });
    found.await.expect("the words");
}

#[tokio::test]
async fn an_agent_that_pushes_is_known_by_the_certificate_of_its_host() {
    let bench = Bench::new();
    bench.issue("intake", "127.0.0.1", false);
    let sections = format!(
        "[[tenant.agent]]\nhost = \"{HOST}\"\ncertificate_name = \"{NAME}\"\n\
         [intake]\nlisten = \"127.0.0.1:0\"\ncertificate_file = \"{}\"\nprivate_key_file = \"{}\"\nclient_ca_file = \"{}\"\n",
        bench.path("intake.pem").display(),
        bench.path("intake.key").display(),
        bench.path("ca.pem").display()
    );
    let site = Site::with(Arc::new(SystemClock), &sections).await;
    let address = site.intake.expect("an intake");
    let mut post = bench.post(&format!(
        "[service]\nurl = \"https://{address}\"\nca_file = \"../ca.pem\"\nclient_cert_file = \"own.pem\"\nclient_key_file = \"own.key\"\n"
    ));
    // That of another host, then one that has ended: both are seen, none lets in.
    bench.issue("agent/own", "sync02.hauser.example", false);
    post.start();
    said(&post, "the certificate has no name").await;
    post.kill();
    bench.issue("agent/own", NAME, true);
    post.start();
    said(&post, "kind=\"connection\"").await;
    assert_eq!(site.stored().await, 0);
    // It is renewed while the agent runs.
    bench.issue("agent/own", NAME, false);
    all_home(&site, &post).await;
    post.kill();
    site.running.stop();
}

#[tokio::test]
async fn an_agent_that_is_asked_knows_the_service_by_its_certificate() {
    let bench = Bench::new();
    bench.issue("agent/listen", "127.0.0.1", false);
    let port = Port::claim().expect("a port");
    let mut post = bench.post(&format!(
        "[listen]\naddr = \"{}\"\ncert_file = \"listen.pem\"\nkey_file = \"listen.key\"\n\
         client_ca_file = \"../ca.pem\"\nclient_name = \"{SERVICE}\"\n",
        port.addr()
    ));
    post.start();
    // Another agent has a certificate of the same authority.
    bench.issue("asks", NAME, false);
    let sections = format!(
        "[[tenant.agent]]\nhost = \"{HOST}\"\nurl = \"https://{}\"\nevery = \"1s\"\nsilent_after = \"2s\"\n\
         ca_file = \"{}\"\nclient_certificate_file = \"{}\"\nclient_private_key_file = \"{}\"\n",
        port.addr(),
        bench.path("ca.pem").display(),
        bench.path("asks.pem").display(),
        bench.path("asks.key").display()
    );
    let site = Site::with(Arc::new(SystemClock), &sections).await;
    let refused = at_fault(&site, ReadFailure::Refused, "401").await;
    let text = refused.failure_text.unwrap_or_default();
    assert!(text.contains("client_name"), "{text}");
    bench.issue("asks", SERVICE, true);
    at_fault(&site, ReadFailure::Network, "CertificateExpired").await;
    assert_eq!(site.stored().await, 0);
    bench.issue("asks", SERVICE, false);
    all_home(&site, &post).await;
    let heard = site.heard(HOST).await.expect("a source");
    assert_eq!(heard.failing_since, None);
    post.kill();
    site.running.stop();
}
