//! Postfix: a mail server that insists on TLS and a login, and keeps what it accepts.

mod mail;
mod setup;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

pub use mail::Mail;

use super::port::Port;
use super::process::{Process, StopSignal, log_tail};
use super::program::{as_root, output};
use crate::tls::Authority;
use crate::wait;
use setup::Layout;

/// A running Postfix.
///
/// It accepts mail for every address and keeps it in one mailbox; [`Self::REFUSED`] and [`Self::DEFERRED`] are the
/// exceptions. A login is asked for, and never without TLS.
#[derive(Debug)]
pub struct Postfix {
    // Stopped before its folder goes.
    process: Process,
    starttls: Port,
    implicit_tls: Port,
    layout: Layout,
    _folder: TempDir,
}

impl Postfix {
    /// A recipient that is refused for good: 550.
    pub const REFUSED: &str = "refused@example.test";
    /// A recipient that is refused for now: 450.
    pub const DEFERRED: &str = "deferred@example.test";

    /// Starts it and waits until it greets.
    ///
    /// # Errors
    /// When Postfix or its SASL tools are not installed, or we may not start it: it has to be started by root.
    pub async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("syncwatch-postfix-")
            .tempdir()
            .context("a folder")?;
        let (starttls, implicit_tls) = (Port::claim()?, Port::claim()?);
        let layout = Layout::create(folder.path(), &starttls, &implicit_tls, &Authority::new()?)?;
        let mut command = layout.postfix()?;
        command.arg("start-fg");
        let process = Process::spawn(
            "Postfix",
            &mut command,
            layout.output_log(),
            StopSignal::Terminate,
        )?;
        let mut started = Self {
            process,
            starttls,
            implicit_tls,
            layout,
            _folder: folder,
        };
        let addr = started.starttls.addr();
        let greeted = started.process.ready(async || greeting(addr).await).await;
        greeted.with_context(|| log_tail(&started.layout.mail_log()))?;
        Ok(started)
    }

    /// The host to connect to; its certificate also names `127.0.0.1`.
    #[must_use]
    pub fn host(&self) -> &'static str {
        "localhost"
    }

    /// The port that starts in the clear and refuses all but STARTTLS.
    #[must_use]
    pub fn starttls_port(&self) -> u16 {
        self.starttls.number()
    }

    /// The port that speaks TLS from the first byte.
    #[must_use]
    pub fn implicit_tls_port(&self) -> u16 {
        self.implicit_tls.number()
    }

    /// The login's name.
    #[must_use]
    pub fn user(&self) -> &'static str {
        setup::USER
    }

    /// The login's password.
    #[must_use]
    pub fn password(&self) -> &'static str {
        setup::PASSWORD
    }

    /// The certificate of the authority behind its own certificate, PEM.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.layout.ca_file()
    }

    /// What it has accepted and delivered so far, oldest first.
    ///
    /// # Errors
    /// When the mailbox cannot be read.
    pub fn messages(&self) -> anyhow::Result<Vec<Mail>> {
        mail::read_maildir(&self.layout.mailbox())
    }

    /// Waits until at least `count` messages have been delivered.
    ///
    /// # Errors
    /// When they are not in time; the text holds the end of the mail log.
    pub async fn wait_for_messages(
        &self,
        count: usize,
        limit: Duration,
    ) -> anyhow::Result<Vec<Mail>> {
        wait::until(&format!("{count} mails"), limit, async || {
            let messages = self.messages()?;
            ensure!(
                messages.len() >= count,
                "{} there; {}",
                messages.len(),
                log_tail(&self.layout.mail_log())
            );
            Ok::<_, anyhow::Error>(messages)
        })
        .await
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // Through its own command: under sudo the process is not ours to signal.
        if let Err(error) = self
            .layout
            .postfix()
            .and_then(|mut stop| output(stop.arg("stop")))
        {
            eprintln!("could not stop Postfix: {error:#}");
        }
        if let Err(error) = self.layout.reclaim() {
            eprintln!("could not take back the folder of Postfix: {error:#}");
        }
    }
}

async fn greeting(addr: std::net::SocketAddr) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(addr).await?;
    let mut start = [0; 3];
    tokio::time::timeout(Duration::from_secs(5), stream.read_exact(&mut start))
        .await
        .context("no greeting")??;
    ensure!(
        &start == b"220",
        "greeted with {}",
        String::from_utf8_lossy(&start)
    );
    Ok(())
}

/// The command `postfix` for one configuration folder.
fn postfix_command(config: &Path) -> anyhow::Result<std::process::Command> {
    let program = super::program::find_program(&["postfix"], "postfix")?;
    let mut command = as_root(program, "Postfix is started by root only")?;
    command.arg("-c").arg(config);
    Ok(command)
}
