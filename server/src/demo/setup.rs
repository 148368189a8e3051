//! The configuration of the demo, written as an operator would write it.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use syncwatch_simulator::Running;

use super::servers;
use crate::config::{Config, load};

/// Key the webhook messages are signed with.
const WEBHOOK_SECRET: &str = "demo-webhook-key";

/// Minutes of real life last seconds here: windows of a few seconds instead of hours.
const TIMING: &str = r#"
[lanes.cloud.objects]
late_after = "6s"
grace = "4s"
[lanes.cloud.password_hash]
late_after = "6s"
grace = "4s"
[lanes.connect.objects]
interval = "3s"
late_after = "8s"
grace = "7s"
[lanes.connect.password_hash]
interval = "3s"
late_after = "8s"
grace = "7s"

# What an agent sees comes every five seconds; the wizard is to speak for what hangs on it.
[[lanes.override]]
tenant = "lindenhof"
engine = "connect"
interval = "5s"
late_after = "60s"
grace = "75s"

[alerts]
blind_after = "2s"
[alerts.servers]
suspended_after = "8s"
password_settled_after = "5s"
stalled_intervals = 12.0

[[route]]
min_severity = "warning"
receivers = ["mail", "teams", "webhook"]
"#;

const POLLS: &str = r#"request_timeout = "3s"
log_overlap = "10s"
log_settle = "2s"
log_requests = 100
polls.service_principals.schedule = "5s"
polls.jobs.schedule = "1s"
polls.job_schemas.schedule = "10s"
polls.provisioning_logs.schedule = "1s"
polls.directory_audits.schedule = "2s"
polls.organization.schedule = "2s"
polls.organization_beta.schedule = "2s"
polls.agents.enabled = false
polls.credentials.schedule = "30s"
"#;

/// Writes the configuration and the files it names into `folder`, and reads it back.
pub(super) fn write(folder: &Path, listen: SocketAddr, sim: &Running) -> anyhow::Result<Config> {
    let mut text = format!(
        "[server]\nlisten = {}\nexternal_url = {}\ninstance = \"demo\"\nshutdown_grace = \"5s\"\n\n[store]\nurl = {}\n",
        quoted(&listen.to_string()),
        quoted(&format!("http://{listen}")),
        quoted(&format!("sqlite:{}", folder.join("syncwatch.db").display())),
    );
    for credentials in sim.credentials() {
        let secret = credentials
            .client_secret
            .context("the simulated client has no secret")?;
        let file = keep(folder, &format!("{}.secret", credentials.tenant), &secret)?;
        let _ = write!(
            text,
            "\n[[tenant]]\nname = {}\nid = {}\nclient_id = {}\nclient_secret_file = {file}\ngraph_url = {}\nlogin_url = {}\n{POLLS}{}",
            quoted(&credentials.tenant),
            quoted(&credentials.tenant_id),
            quoted(&credentials.client_id),
            quoted(&credentials.graph_url),
            quoted(&credentials.login_url),
            enrolled(sim, &credentials.tenant),
        );
    }
    text.push_str(TIMING);
    text.push_str(&receivers(folder, sim)?);
    let path = folder.join("syncwatch.toml");
    std::fs::write(&path, &text).with_context(|| format!("cannot write {}", path.display()))?;
    load(&path.display().to_string(), &text, []).context("the configuration of the demo is wrong")
}

/// The agents of a tenant, as the configuration has them.
fn enrolled(sim: &Running, tenant: &str) -> String {
    let mut tenants = sim.story().tenants.iter();
    let tenant = tenants.find(|known| known.name == tenant);
    tenant.map_or_else(String::new, servers::enrolled)
}

fn receivers(folder: &Path, sim: &Running) -> anyhow::Result<String> {
    let (user, password) = sim.smtp_login();
    let password = keep(folder, "smtp.secret", &password)?;
    let authority = keep(folder, "smtp-ca.pem", sim.smtp_ca_pem())?;
    let teams = keep(folder, "teams.url", &sim.teams_url())?;
    let key = keep(folder, "webhook.secret", WEBHOOK_SECRET)?;
    sim.set_webhook_secret(Some(WEBHOOK_SECRET));
    Ok(format!(
        "\n[[receiver]]\nname = \"mail\"\nkind = \"mail\"\nhost = \"localhost\"\nport = {}\nusername = {}\n\
         password_file = {password}\nca_file = {authority}\nfrom = \"syncwatch <syncwatch@nordwall.example>\"\n\
         to = [\"noc@nordwall.example\"]\nretry_first = \"1s\"\n\
         \n[[receiver]]\nname = \"teams\"\nkind = \"teams\"\nurl_file = {teams}\npace = \"100ms\"\nretry_first = \"1s\"\n\
         \n[[receiver]]\nname = \"webhook\"\nkind = \"webhook\"\nurl = {}\nsecret_file = {key}\nretry_first = \"1s\"\n",
        sim.smtp_addr().port(),
        quoted(&user),
        quoted(&sim.webhook_url()),
    ))
}

/// Writes a file and gives its path as TOML.
fn keep(folder: &Path, name: &str, content: &str) -> anyhow::Result<String> {
    let path = folder.join(name);
    std::fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(quoted(&path.display().to_string()))
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
