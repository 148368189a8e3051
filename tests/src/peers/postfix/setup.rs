//! The folder of a private Postfix: configuration, queue, certificate, login, mailbox.
//!
//! Written as the user who runs the tests; then the parts that Postfix wants so are handed to root and to its own
//! account.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use super::postfix_command;
use crate::peers::port::Port;
use crate::peers::program::{as_root, find_program, output, plain_user, user_id};
use crate::tls::Authority;

pub(super) const USER: &str = "monitor";
pub(super) const PASSWORD: &str = "correct horse battery staple";

/// The realm of the login; the server's own name.
const HOST: &str = "mail.example.test";

/// The package's own folder of configuration.
const PACKAGED: &str = "/etc/postfix";

#[derive(Debug)]
pub(super) struct Layout {
    folder: PathBuf,
}

impl Layout {
    pub(super) fn create(
        folder: &Path,
        starttls: &Port,
        implicit: &Port,
        authority: &Authority,
    ) -> anyhow::Result<Self> {
        let layout = Self {
            folder: folder.to_owned(),
        };
        // Postfix's own accounts have to get through.
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o755))
            .context("open the folder")?;
        for name in ["etc/sasl", "queue", "data", "mail", "log"] {
            std::fs::create_dir_all(folder.join(name)).with_context(|| format!("create {name}"))?;
        }
        layout.write("etc/main.cf", &layout.main_cf()?)?;
        layout.write("etc/master.cf", &master_cf(starttls, implicit))?;
        for name in ["dynamicmaps.cf", "postfix-files"] {
            std::fs::copy(
                Path::new(PACKAGED).join(name),
                folder.join("etc").join(name),
            )
            .with_context(|| format!("copy {PACKAGED}/{name}"))?;
            std::fs::create_dir_all(folder.join("etc").join(format!("{name}.d")))
                .context("create a folder")?;
        }
        let issued = authority.issue(&["localhost", "127.0.0.1"])?;
        layout.write("ca.pem", authority.ca_pem())?;
        layout.write("etc/cert.pem", &issued.cert_pem)?;
        layout.write("etc/key.pem", &issued.key_pem)?;
        layout.add_login()?;
        layout.hand_over()?;
        Ok(layout)
    }

    pub(super) fn postfix(&self) -> anyhow::Result<Command> {
        postfix_command(&self.folder.join("etc"))
    }

    pub(super) fn ca_file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    pub(super) fn mailbox(&self) -> PathBuf {
        self.folder.join("mail/inbox")
    }

    pub(super) fn mail_log(&self) -> PathBuf {
        self.folder.join("log/mail.log")
    }

    pub(super) fn output_log(&self) -> PathBuf {
        self.folder.join("output.log")
    }

    /// Makes every file ours again, so that the temporary folder can be removed.
    pub(super) fn reclaim(&self) -> anyhow::Result<()> {
        if user_id()? == 0 {
            return Ok(());
        }
        self.chown(
            &user_id()?.to_string(),
            &["etc", "queue", "data", "mail", "log"],
        )
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        std::fs::write(self.folder.join(name), text).with_context(|| format!("write {name}"))
    }

    fn main_cf(&self) -> anyhow::Result<String> {
        // Mail is delivered as ourselves, so that we can read it; root is refused for that.
        let (uid, gid) = if user_id()? == 0 {
            plain_user()?
        } else {
            (user_id()?, group_id()?)
        };
        let folder = self.folder.display();
        Ok(format!(
            "compatibility_level = 3.6
myhostname = {HOST}
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log/mail.log
maillog_file_prefixes = {folder}
inet_interfaces = loopback-only
inet_protocols = ipv4
mydestination =
mynetworks =
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = static:all
virtual_mailbox_maps = static:inbox/
virtual_mailbox_base = {folder}/mail
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_transport = virtual
default_transport = error:no mail leaves this machine
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_cert_file = {folder}/etc/cert.pem
smtpd_tls_key_file = {folder}/etc/key.pem
smtpd_sasl_auth_enable = yes
smtpd_sasl_local_domain = {HOST}
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = check_recipient_access inline:{{ {{{refused}=550 5.1.1 no such mailbox}}, \
             {{{deferred}=450 4.2.0 mailbox is busy}} }}, permit_sasl_authenticated, reject
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
",
            refused = super::Postfix::REFUSED,
            deferred = super::Postfix::DEFERRED,
        ))
    }

    /// The login database; Postfix finds its settings in `sasl/` of the configuration folder and nowhere else.
    fn add_login(&self) -> anyhow::Result<()> {
        let database = self.folder.join("etc/sasldb2");
        let settings = format!(
            "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: {}\n",
            database.display()
        );
        self.write("etc/sasl/smtpd.conf", &settings)?;
        let mut child = Command::new(find_program(
            &["saslpasswd2"],
            "sasl2-bin libsasl2-modules libsasl2-modules-db",
        )?)
        .args(["-p", "-c", "-u", HOST, "-f"])
        .arg(&database)
        .arg(USER)
        .stdin(Stdio::piped())
        .spawn()
        .context("start saslpasswd2")?;
        let mut stdin = child.stdin.take().context("its input")?;
        stdin
            .write_all(PASSWORD.as_bytes())
            .context("hand over the password")?;
        drop(stdin);
        let status = child.wait().context("wait for saslpasswd2")?;
        if !status.success() {
            bail!("saslpasswd2 failed: {status}");
        }
        // Read by Postfix's account; a throw-away password.
        std::fs::set_permissions(&database, PermissionsExt::from_mode(0o644))
            .context("open the login database")
    }

    fn hand_over(&self) -> anyhow::Result<()> {
        let key = self.folder.join("etc/key.pem");
        std::fs::set_permissions(key, PermissionsExt::from_mode(0o600)).context("close the key")?;
        self.chown("root", &["etc", "queue", "log"])?;
        self.chown("postfix", &["data"])?;
        if user_id()? == 0 {
            self.chown(&plain_user()?.0.to_string(), &["mail"])?;
        }
        Ok(())
    }

    fn chown(&self, owner: &str, names: &[&str]) -> anyhow::Result<()> {
        let mut command = as_root("chown", "Postfix's files belong to root")?;
        command
            .arg("-R")
            .arg(owner)
            .args(names.iter().map(|name| self.folder.join(name)));
        output(&mut command).map(drop)
    }
}

fn group_id() -> anyhow::Result<u32> {
    use std::os::unix::fs::MetadataExt;
    Ok(std::fs::metadata("/proc/self")
        .context("read /proc/self")?
        .gid())
}

/// Only the services that receiving and keeping mail takes; none in a chroot.
fn master_cf(starttls: &Port, implicit: &Port) -> String {
    format!(
        "{} inet n - n - - smtpd
{} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
",
        starttls.addr(),
        implicit.addr()
    )
}
