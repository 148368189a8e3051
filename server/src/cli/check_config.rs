//! `syncwatch check-config`.

use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use serde_json::json;
use syncwatch_collector::live::{self, LiveFinding};
use syncwatch_domain::clock::{Clock, SystemClock};

use super::table::Table;
use super::{ConfigArgs, Failed, Output, load, output, read};
use crate::config::{Config, Problem, Report, place_of};
use crate::words::count;

/// What to check.
#[derive(Clone, Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Also sign in to every tenant and list which rights are there.
    #[arg(long)]
    live: bool,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Reports every problem; exits 78 if there is one.
pub(super) async fn run(args: &CheckArgs) -> Result<(), Failed> {
    let checked = load(&args.config).and_then(|config| check_files(args, config));
    let config = match (checked, args.output) {
        (Ok(config), _) => config,
        (Err(Failed::Config(report)), Output::Json) => {
            output::json(&report)?;
            return Err(Failed::Code(78));
        }
        (Err(failed), _) => return Err(failed),
    };
    let remarks = remarks(&config);
    let mut found = Vec::new();
    if args.live {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        for tenant in &config.tenants {
            found.push(Finding::of(&tenant.name, live::check(tenant, &clock).await));
        }
    }
    match args.output {
        Output::Json => {
            output::json(&json!({ "problems": [], "remarks": remarks, "tenants": found }))?;
        }
        Output::Text => output::text(&text(args, &config, &remarks, &found))?,
    }
    if found.iter().all(Finding::is_good) {
        Ok(())
    } else {
        Err(Failed::Findings)
    }
}

/// Looks at the files the configuration names: they must be there and readable.
fn check_files(args: &CheckArgs, config: Config) -> Result<Config, Failed> {
    let text = read(&args.config)?;
    let mut problems = Vec::new();
    for (number, tenant) in config.tenants.iter().enumerate() {
        for problem in tenant.check_files() {
            let key = format!("tenant[{number}].{}", problem.path);
            let mut found = Problem::new(place_of(&text, &key), key, problem.sentence);
            found.mend = problem.hint;
            problems.push(found);
        }
    }
    for (key, path) in config.secret_files() {
        if let Err(error) = std::fs::File::open(&path) {
            let what = format!("{} cannot be read: {error}", path.display());
            let mend = "create it, readable for the user of the service";
            problems.push(Problem::new(place_of(&text, &key), key, what).mend(mend));
        }
    }
    if problems.is_empty() {
        return Ok(config);
    }
    let name = args.config.config.display().to_string();
    Err(Failed::Config(Box::new(Report::new(&name, problems))))
}

/// What is no mistake and still worth a word.
fn remarks(config: &Config) -> Vec<String> {
    let mut remarks = Vec::new();
    if config.notifications.receivers.is_empty() {
        remarks.push("there is no [[receiver]]: alerts are shown on the status page and in the metrics, nobody is told".to_owned());
    }
    if !config.server.listen.ip().is_loopback() {
        remarks.push(format!(
            "{} is open to the network and asks for no password: put a reverse proxy in front",
            config.server.listen
        ));
    }
    remarks
}

/// What signing in to a tenant showed.
#[derive(Debug, Serialize)]
struct Finding {
    tenant: String,
    signed_in: bool,
    error: Option<String>,
    rights: Vec<RightRow>,
}

#[derive(Debug, Serialize)]
struct RightRow {
    poll: String,
    permission: &'static str,
    held: Option<bool>,
    held_by: Option<&'static str>,
    optional: bool,
    lost: &'static str,
}

impl Finding {
    fn of(tenant: &str, finding: LiveFinding) -> Self {
        let rights = finding.rights.into_iter().map(|found| RightRow {
            poll: found.poll.to_string(),
            permission: found.right.permission,
            held: found.known.then_some(found.held_by.is_some()),
            held_by: found.held_by,
            optional: found.right.optional,
            lost: found.right.lost,
        });
        Self {
            tenant: tenant.to_owned(),
            signed_in: finding.sign_in.is_ok(),
            error: finding.sign_in.err(),
            rights: rights.collect(),
        }
    }

    /// Signed in, and no right that is needed is known to be missing.
    fn is_good(&self) -> bool {
        self.signed_in
            && self
                .rights
                .iter()
                .all(|right| right.optional || right.held != Some(false))
    }
}

fn text(args: &CheckArgs, config: &Config, remarks: &[String], found: &[Finding]) -> String {
    let mut text = format!(
        "{} is good: {}, {}, {}\n",
        args.config.config.display(),
        count(config.tenants.len(), "tenant"),
        count(config.notifications.receivers.len(), "receiver"),
        count(config.notifications.routes.len(), "route"),
    );
    for remark in remarks {
        text.push_str(&format!("remark: {remark}\n"));
    }
    for finding in found {
        match &finding.error {
            Some(error) => {
                text.push_str(&format!("\n{}: cannot sign in: {error}\n", finding.tenant));
            }
            None => text.push_str(&format!(
                "\n{}: signed in\n{}",
                finding.tenant,
                rights(finding).render(2)
            )),
        }
    }
    text
}

fn rights(finding: &Finding) -> Table {
    let mut table = Table::new(&["POLL", "PERMISSION", "HELD", "LOST WITHOUT IT"]);
    for right in &finding.rights {
        let held = match (right.held, right.held_by) {
            (Some(true), Some(by)) if by != right.permission => format!("by {by}"),
            (Some(true), _) => "yes".to_owned(),
            (Some(false), _) if right.optional => "no (optional)".to_owned(),
            (Some(false), _) => "NO".to_owned(),
            (None, _) => "unknown".to_owned(),
        };
        table.row(vec![
            right.poll.clone(),
            right.permission.to_owned(),
            held,
            right.lost.to_owned(),
        ]);
    }
    table
}
