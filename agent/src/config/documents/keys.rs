//! Every key with its meaning.

use syncwatch_domain::report::Section;
use syncwatch_domain::span::Span;

use super::super::ways::{TIMEOUT, TIMEOUTS as SENDING};
use super::super::{INTERVALS, LEVELS, SPOOL_BOUNDS, SPOOL_BYTES, Schedule, TIMEOUTS};
use super::{Key, Shown};
use crate::roles::Found;

pub(super) const HEAD_OF_REFERENCE: &str = "# Configuration of the agent

<!-- Made by the tests of syncwatch-agent from its list of keys. Do not edit. -->

One TOML file, `syncwatch-agent.toml` unless `--config` says otherwise. `syncwatch-agent check-config` reports every
mistake at once, with line, column and how to mend it, looks whether every file that is named can be read, and exits 78
if something is wrong. Unknown keys are refused. A commented example is `deploy/config/syncwatch-agent.example.toml`.

* At least one of `[service]` and `[listen]` must be there; both together are allowed.
* **Durations** are numbers with a unit: `500ms`, `30s`, `15m`, `1h30m`, `2d`.
* **Paths** that are not absolute begin at the folder of the file.
* **Tokens** stand in files of their own and are read at each use, so they can be replaced at any time.
* **Certificates** and keys are PEM files. They are read at the start and again when they were changed; a change that
  cannot be used leaves the former ones in force and is told in the log.
";

pub(super) const HEAD_OF_EXAMPLE: &str = "syncwatch-agent: example configuration. Made by the tests of syncwatch-agent from its list of keys. Lines behind a single # are settings that are not in force: they show the default, or an example. The reference is docs/agent-config.md; `syncwatch-agent check-config` tells what is wrong.";

pub(super) const SECTIONS: &str = "How single sections are read. A section is what one command of the server tells; each has a schedule of its own. Which of them a server has is found out from its Windows services.";

/// How the default of a key is told that is words and no value.
fn words(text: &str) -> Option<String> {
    Some(format!(" {text}"))
}

/// A key that the example shows with its default.
fn with_default(name: &'static str, kind: &'static str, default: &str, meaning: &str) -> Key {
    Key {
        name,
        kind,
        default: Some(default.to_owned()),
        meaning: meaning.to_owned(),
        value: default.to_owned(),
        is_written: false,
    }
}

/// A key without a default, with what the example shows.
fn with_example(name: &'static str, kind: &'static str, value: &str, meaning: &str) -> Key {
    Key {
        name,
        kind,
        default: None,
        meaning: meaning.to_owned(),
        value: value.to_owned(),
        is_written: false,
    }
}

fn in_force(key: Key) -> Key {
    Key {
        is_written: true,
        ..key
    }
}

fn quoted(span: Span) -> String {
    format!("\"{span}\"")
}

pub(super) fn tables() -> Vec<Shown> {
    let table = |path: &str, meaning: &str, is_written: bool, keys: Vec<Key>| Shown {
        path: path.to_owned(),
        meaning: meaning.to_owned(),
        is_written,
        keys,
    };
    let mut tables = vec![
        table("agent", "The agent itself.", true, agent()),
        table(
            "service",
            "Pushing: the agent posts its reports to syncwatch and opens no port.",
            true,
            service(),
        ),
        table(
            "listen",
            "Listening: syncwatch asks the agent for its reports (`url` in `[[tenant.agent]]`). For networks in which the server must not connect to others.",
            false,
            listen(),
        ),
        table(
            "spool",
            "What is kept until it was brought home.",
            true,
            spool(),
        ),
        table("privacy", "What may leave the server.", true, privacy()),
    ];
    tables.extend(Section::ALL.iter().map(|section| {
        table(
            &format!("sections.{section}"),
            &format!("{} On {}.", meaning(*section), servers(*section)),
            true,
            of_section(Some(*section)),
        )
    }));
    tables
}

fn agent() -> Vec<Key> {
    let data_dir = Key {
        default: words(r"`C:\ProgramData\syncwatch-agent`; elsewhere `/var/lib/syncwatch-agent`"),
        ..with_example(
            "data_dir",
            "text",
            r"'C:\ProgramData\syncwatch-agent'",
            "Folder of the spool, of the agent's id and of what it has to remember. Only the account of the agent and administrators should be able to read it.",
        )
    };
    let interpreter = Key {
        default: words("Windows PowerShell 5.1 by its full path"),
        ..with_example(
            "interpreter",
            "text",
            r"'C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe'",
            "Program that runs the agent's fixed scripts. The ADSync module needs Windows PowerShell 5.1.",
        )
    };
    let host = Key {
        default: words("the name of the machine"),
        ..with_example(
            "host",
            "text",
            "\"SYNC01\"",
            "Name of the server, as `host` in `[[tenant.agent]]` has it. A report under another name is refused.",
        )
    };
    let levels: Vec<String> = LEVELS.iter().map(|level| format!("`{level}`")).collect();
    let level = with_default(
        "log_level",
        "text",
        "\"info\"",
        &format!("Least level that is logged: {}.", levels.join(", ")),
    );
    vec![data_dir, host, interpreter, level]
}

fn service() -> Vec<Key> {
    let (least, most) = SENDING;
    vec![
        in_force(with_example(
            "url",
            "text",
            "\"https://syncwatch.hauser.example:9748\"",
            "Address of the `[intake]` of syncwatch. Plain `http` for loopback addresses only. Must be given.",
        )),
        in_force(with_example(
            "token_file",
            "text",
            "\"token\"",
            "File with the token that `[[tenant.agent]]` has for this server; one line. Must be given unless a certificate is shown in its place.",
        )),
        with_example(
            "ca_file",
            "text",
            "\"syncwatch-ca.pem\"",
            "Certificates that the one of syncwatch is checked against, in place of those the machine trusts.",
        ),
        with_example(
            "client_cert_file",
            "text",
            "\"sync01.pem\"",
            "Certificate that the agent shows, and those that signed it. Asked for where `[intake]` has a `client_ca_file`; in place of a token where `certificate_name` in `[[tenant.agent]]` is a DNS name in it.",
        ),
        with_example(
            "client_key_file",
            "text",
            "\"sync01.key\"",
            "Private key of that certificate.",
        ),
        with_default(
            "timeout",
            "duration",
            &quoted(TIMEOUT),
            &format!(
                "Longest time for one report, from the connection to the answer; {least} to {most}."
            ),
        ),
    ]
}

fn listen() -> Vec<Key> {
    vec![
        with_example(
            "addr",
            "text",
            "\"0.0.0.0:9749\"",
            "Address and port to listen on. Must be given.",
        ),
        with_example(
            "cert_file",
            "text",
            "\"listen.pem\"",
            "Certificate of this address, and those that signed it. Must be given unless the address is a loopback one.",
        ),
        with_example(
            "key_file",
            "text",
            "\"listen.key\"",
            "Private key of that certificate.",
        ),
        with_example(
            "token_file",
            "text",
            "\"token\"",
            "File with the token that lets in. Must be given unless `client_ca_file` is.",
        ),
        with_example(
            "client_ca_file",
            "text",
            "\"syncwatch-ca.pem\"",
            "Authority whose certificates let in, without a token. With `token_file` as well, either of them lets in.",
        ),
        with_example(
            "client_name",
            "text",
            "\"syncwatch.hauser.example\"",
            "DNS name that such a certificate must have, letter for letter but for case. Without it every certificate of the authority lets in: give it unless the authority signs for syncwatch alone.",
        ),
    ]
}

fn spool() -> Vec<Key> {
    let (least, most) = SPOOL_BOUNDS;
    vec![with_default(
        "max_bytes",
        "size",
        &format!("\"{}MiB\"", SPOOL_BYTES >> 20),
        &format!(
            "Room for records that are not home yet, in bytes or as a text with `KiB`, `MiB` or `GiB`; {}MiB to {}GiB. When it is full the oldest records go, which syncwatch tells as a gap.",
            least >> 20,
            most >> 30
        ),
    )]
}

fn privacy() -> Vec<Key> {
    vec![with_default(
        "user_names",
        "true or false",
        "false",
        "Names of users may leave the server in the texts of events and runs. Without it they are hidden there; what administrators did stays as it is, since who changed a rule is what the audit is for.",
    )]
}

/// Keys of a section, or of any.
pub(super) fn of_section(section: Option<Section>) -> Vec<Key> {
    let schedule = section.map(Schedule::of);
    let span = |of: fn(Schedule) -> std::time::Duration, example: &str| {
        schedule.map_or_else(|| example.to_owned(), |schedule| quoted(Span(of(schedule))))
    };
    let default = |value: &str| {
        if section.is_some() {
            Some(value.to_owned())
        } else {
            words("see below")
        }
    };
    let interval = span(|schedule| schedule.interval, "\"1m\"");
    let timeout = span(|schedule| schedule.timeout, "\"90s\"");
    let (least, most) = INTERVALS;
    let (shortest, longest) = TIMEOUTS;
    vec![
        Key {
            default: default(&interval),
            ..with_example(
                "interval",
                "duration",
                &interval,
                &format!("From the begin of one reading to that of the next; {least} to {most}."),
            )
        },
        Key {
            default: default(&timeout),
            ..with_example(
                "timeout",
                "duration",
                &timeout,
                &format!(
                    "Longest time of a reading; {shortest} to {longest}. One that takes longer has failed, and PowerShell is started anew."
                ),
            )
        },
        Key {
            default: words("where the server has it"),
            ..with_example(
                "enabled",
                "true or false",
                "true",
                "`false` never reads the section, `true` on every server.",
            )
        },
    ]
}

/// Which servers have a section.
pub(super) fn servers(section: Section) -> &'static str {
    if Found::default().have(section) {
        "every server"
    } else if section == Section::Containers {
        "servers with Connect Sync or an agent of Cloud Sync, when syncwatch asks for any"
    } else {
        "servers with Connect Sync"
    }
}

/// What a section tells.
pub(super) const fn meaning(section: Section) -> &'static str {
    match section {
        Section::Scheduler => {
            "Connect's scheduler: interval, next cycle, staging mode, suspension."
        }
        Section::ConnectorStatus => "Connectors that are busy at present.",
        Section::Runs => "Run history with counters and errors of each step.",
        Section::PasswordSync => "Password hash sync of each domain, and whether it is on.",
        Section::Events => "Events of Connect and of the agents in the Windows event logs.",
        Section::Connectors => "Connectors with their partitions and container filters.",
        Section::Rules => "Sync rules with scope filters and flows.",
        Section::Settings => "Global settings of Connect and its optional features.",
        Section::CompanyFeatures => "What the tenant says about Connect's features.",
        Section::Database => "Size and kind of Connect's database.",
        Section::Reachability => "Which domains can be reached.",
        Section::Services => "Windows services of Connect and of the agents.",
        Section::Versions => "Versions of what is installed.",
        Section::PendingExports => "What waits to be exported, per connector.",
        Section::Containers => {
            "Containers and groups that Cloud Sync configurations name, looked up in the directory."
        }
    }
}
