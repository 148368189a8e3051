//! Plays a story by hand: prints the addresses, then what arrives, until interrupted or told.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser;
use syncwatch_simulator::{Ports, Running, Simulator, Story, SystemClock};

/// Starts the simulated tenants and receivers on loopback.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Story file; without it the demo is played.
    #[arg(long)]
    story: Option<PathBuf>,
    /// First of a row of fixed ports; without it any free ports are used.
    #[arg(long)]
    base_port: Option<u16>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let story = match &args.story {
        Some(path) => Story::load(path).with_context(|| format!("story {}", path.display()))?,
        None => Story::demo(),
    };
    let ports = args.base_port.map_or_else(Ports::free, Ports::from_base);
    let running = Simulator::start(story, Arc::new(SystemClock), ports).await?;
    print_addresses(&running);
    follow(&running).await?;
    running.stop().await;
    Ok(())
}

fn print_addresses(running: &Running) {
    println!("login    {}", running.login_url());
    println!("imds     {}", running.imds_url());
    for one in running.credentials() {
        println!(
            "tenant   {} id {} client {} graph {}",
            one.tenant, one.tenant_id, one.client_id, one.graph_url
        );
    }
    let (user, _) = running.smtp_login();
    println!(
        "smtp     {} (STARTTLS), {} (TLS), user {user}",
        running.smtp_addr(),
        running.smtps_addr()
    );
    println!("teams    {}", running.teams_url());
    println!("webhook  {}", running.webhook_url());
}

async fn follow(running: &Running) -> anyhow::Result<()> {
    let (mut mail, mut teams, mut webhook) = (
        running.mail().watch(),
        running.teams().watch(),
        running.webhook().watch(),
    );
    loop {
        tokio::select! {
            stopped = tokio::signal::ctrl_c() => return stopped.context("cannot wait for the interrupt"),
            changed = mail.changed() => {
                changed?;
                if let Some(last) = running.mail().arrivals().last() {
                    println!("mail     {} {} {}", last.status, last.to.join(","), last.header("subject").unwrap_or_default());
                }
            }
            changed = teams.changed() => {
                changed?;
                if let Some(last) = running.teams().arrivals().last() {
                    println!("teams    {} {} {}", last.status, last.text().lines().next().unwrap_or(""), last.violations.join("; "));
                }
            }
            changed = webhook.changed() => {
                changed?;
                if let Some(last) = running.webhook().arrivals().last() {
                    println!("webhook  {} {}", last.status, last.body.chars().take(200).collect::<String>());
                }
            }
        }
    }
}
