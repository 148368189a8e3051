//! `syncwatch generate`: documents that are made from the code, so that they cannot lie.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, CommandFactory};

use crate::cli::{Cli, Failed};
use crate::config::{generate, json_schema};

/// Where to write them, and whether.
#[derive(Clone, Debug, Args)]
pub struct GenerateArgs {
    /// Change nothing; fail when a document is not as it would be made.
    #[arg(long)]
    check: bool,
    /// Root of the source tree.
    #[arg(long, default_value = ".")]
    root: PathBuf,
}

/// Every generated document: its path from the root, and its text.
pub(crate) fn documents() -> Vec<(&'static str, String)> {
    let schema = serde_json::to_string_pretty(&json_schema()).expect("a schema is plain JSON");
    vec![
        ("docs/config.md", generate::reference()),
        ("docs/config.schema.json", schema + "\n"),
        ("docs/metrics.md", syncwatch_exporters::reference()),
        ("docs/cli.md", commands()),
        ("deploy/config/syncwatch.example.toml", generate::example()),
    ]
}

/// Writes or checks every document.
pub(crate) fn run(args: &GenerateArgs) -> Result<(), Failed> {
    let mut differing = Vec::new();
    for (path, text) in documents() {
        let file = args.root.join(path);
        if std::fs::read_to_string(&file).is_ok_and(|old| old == text) {
            continue;
        }
        differing.push(path);
        if !args.check {
            let folder = file.parent().context("a document lies in a folder")?;
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
            std::fs::write(&file, text)
                .with_context(|| format!("cannot write {}", file.display()))?;
            println!("wrote {path}");
        }
    }
    if args.check && !differing.is_empty() {
        return Err(anyhow::anyhow!(
            "not as generated: {}; run syncwatch generate",
            differing.join(", ")
        )
        .into());
    }
    Ok(())
}

/// `docs/cli.md`.
fn commands() -> String {
    let mut cli = Cli::command();
    cli.build();
    let mut text = String::from(
        "# Commands\n\n<!-- Made by `syncwatch generate` from the command line. Do not edit. -->\n\n",
    );
    text.push_str(&about(&cli));
    for command in cli
        .get_subcommands()
        .filter(|command| !command.is_hide_set() && command.get_name() != "help")
    {
        let _ = write!(
            text,
            "## `syncwatch {}`\n\n{}",
            command.get_name(),
            about(command)
        );
        let options: Vec<_> = command
            .get_arguments()
            .filter(|option| option.get_id() != "help")
            .collect();
        if options.is_empty() {
            continue;
        }
        text.push_str("| Option | Default | Meaning |\n| --- | --- | --- |\n");
        for option in options {
            let _ = writeln!(
                text,
                "| {} | {} | {} |",
                usage(option),
                default(option),
                meaning(option)
            );
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text + "\n"
}

fn about(command: &clap::Command) -> String {
    let text = command
        .get_long_about()
        .or_else(|| command.get_about())
        .map(ToString::to_string);
    text.map_or_else(String::new, |text| {
        format!("{}.\n\n", text.trim_end_matches('.'))
    })
}

fn usage(option: &clap::Arg) -> String {
    let long = option
        .get_long()
        .map_or_else(String::new, |long| format!("--{long}"));
    let value = option
        .get_action()
        .takes_values()
        .then(|| option.get_value_names())
        .flatten();
    let value = value
        .and_then(<[_]>::first)
        .map_or_else(String::new, |value| format!(" <{value}>"));
    format!("`{long}{value}`")
}

fn default(option: &clap::Arg) -> String {
    let values: Vec<_> = option
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy())
        .collect();
    if values.is_empty() || !option.get_action().takes_values() {
        "-".to_owned()
    } else {
        format!("`{}`", values.join(" "))
    }
}

fn meaning(option: &clap::Arg) -> String {
    let mut text = option
        .get_long_help()
        .or_else(|| option.get_help())
        .map(ToString::to_string)
        .unwrap_or_default();
    text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if !text.ends_with('.') {
        text.push('.');
    }
    let words: Vec<String> = option
        .get_possible_values()
        .iter()
        .map(|one| format!("`{}`", one.get_name()))
        .collect();
    if !words.is_empty() && option.get_action().takes_values() {
        let _ = write!(text, " One of {}.", words.join(", "));
    }
    if let Some(variable) = option.get_env() {
        let _ = write!(text, " Environment: `{}`.", variable.to_string_lossy());
    }
    text.replace('|', "\\|")
}
