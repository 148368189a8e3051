//! Stories and the config that goes with them.

use std::fmt::Write as _;
use std::path::Path;

use syncwatch_simulator::Running;

pub(crate) const WEBHOOK_SECRET: &str = "scenario-webhook-key";

/// The config of a service that watches everything the simulator shows and tells a mail, a
/// Teams and a webhook receiver.
pub(crate) fn config(sim: &Running, url: &str, folder: &Path, extra: &str, polls: &str) -> String {
    let mut text = format!("[server]\nlisten = \"127.0.0.1:0\"\n\n[store]\nurl = \"{url}\"\n");
    for login in sim.credentials() {
        write!(
            text,
            "\n[[tenant]]\nname = \"{}\"\nid = \"{}\"\nclient_id = \"{}\"\nclient_secret = \"{}\"\n\
             graph_url = \"{}\"\nlogin_url = \"{}\"\n{polls}",
            login.tenant,
            login.tenant_id,
            login.client_id,
            login.client_secret.expect("the story gives a secret"),
            login.graph_url,
            login.login_url,
        )
        .expect("writing to a String cannot fail");
    }
    text.push_str(extra);
    text.push_str(&receivers(sim, folder));
    text
}

fn receivers(sim: &Running, folder: &Path) -> String {
    let (user, password) = sim.smtp_login();
    let authority = folder.join("smtp-ca.pem");
    std::fs::write(&authority, sim.smtp_ca_pem()).expect("written");
    format!(
        "\n[[receiver]]\nname = \"mail\"\nkind = \"mail\"\nhost = \"localhost\"\nport = {}\nusername = \"{user}\"\n\
         password = \"{password}\"\nca_file = \"{}\"\nfrom = \"syncwatch@nordwall.example\"\n\
         to = [\"noc@nordwall.example\"]\n\
         \n[[receiver]]\nname = \"teams\"\nkind = \"teams\"\nurl = \"{}\"\npace = \"10ms\"\n\
         \n[[receiver]]\nname = \"webhook\"\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"{WEBHOOK_SECRET}\"\n",
        sim.smtp_addr().port(),
        authority.display(),
        sim.teams_url(),
        sim.webhook_url(),
    )
}

/// What a webhook was told: event, rule, subject path, idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Told {
    pub(crate) receiver: &'static str,
    pub(crate) event: String,
    pub(crate) rule: String,
    pub(crate) subject: String,
    pub(crate) key: String,
}

/// Everything that was acknowledged by the webhook and the mail server, in the order of arrival.
pub(crate) fn told(sim: &Running) -> Vec<Told> {
    let mut told = Vec::new();
    for call in sim
        .webhook()
        .arrivals()
        .iter()
        .filter(|call| call.status < 300)
    {
        let body: serde_json::Value = serde_json::from_str(&call.body).expect("a JSON body");
        let text = |path: &str| {
            body.pointer(path)
                .and_then(|value| value.as_str())
                .unwrap_or_default()
                .to_owned()
        };
        told.push(Told {
            receiver: "webhook",
            event: text("/event"),
            rule: text("/alert/rule"),
            subject: format!("{}/{}", text("/alert/tenant"), text("/alert/subject")),
            key: call.header("idempotency-key").expect("a key").to_owned(),
        });
    }
    for mail in sim
        .mail()
        .arrivals()
        .iter()
        .filter(|mail| mail.status < 300)
    {
        let header = |name: &str| mail.header(name).unwrap_or_default();
        told.push(Told {
            receiver: "mail",
            event: header("X-Syncwatch-Event"),
            rule: header("X-Syncwatch-Rule"),
            subject: header("Subject"),
            key: header("X-Syncwatch-Idempotency-Key"),
        });
    }
    told
}
