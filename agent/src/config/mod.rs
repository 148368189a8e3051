//! The configuration: one TOML file, `syncwatch-agent.toml`.
//!
//! Every mistake is told at once ([`Report`]). Paths in the file are taken from the folder of the
//! file; secrets stand in files of their own, read at use.

mod draft;
mod report;
mod ways;

use std::path::{Path, PathBuf};
use std::time::Duration;

use syncwatch_domain::report::Section;
use syncwatch_domain::span::Span;
use toml::de::DeTable;
use tracing::level_filters::LevelFilter;

use self::draft::{Draft, Table};
pub use self::report::{Place, Problem, Report};
use crate::home::listen::Listen;
use crate::home::push::Service;
use crate::plan::Schedule;

const INTERVALS: (Span, Span) = (Span::secs(5), Span::minutes(7 * 24 * 60));
const TIMEOUTS: (Span, Span) = (Span::secs(1), Span::minutes(60));
const SPOOL_BYTES: u64 = 256 * 1024 * 1024;
/// The least holds several of the largest batches.
const SPOOL_BOUNDS: (u64, u64) = (16 * 1024 * 1024, 1 << 40);
const LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace"];

/// The configuration, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Folder of the spool and of the agent's id.
    pub data_dir: PathBuf,
    /// Name of the machine, where it is not the one the system gives.
    pub host: Option<String>,
    /// Program that runs the scripts.
    pub interpreter: PathBuf,
    /// What is written to the log.
    pub log_level: LevelFilter,
    /// Where reports are pushed.
    pub service: Option<Service>,
    /// Where reports are asked for.
    pub listen: Option<Listen>,
    /// What the file says about sections.
    sections: Vec<(Section, Schedule)>,
    /// Bound of the spool.
    pub spool_bytes: u64,
    /// Names of users may leave the server.
    pub user_names: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: default_data_dir(),
            host: None,
            interpreter: crate::powershell::default_program(),
            log_level: LevelFilter::INFO,
            service: None,
            listen: None,
            sections: Vec::new(),
            spool_bytes: SPOOL_BYTES,
            user_names: false,
        }
    }
}

#[cfg(windows)]
fn default_data_dir() -> PathBuf {
    let base = std::env::var_os("ProgramData");
    let base = base.map_or_else(|| PathBuf::from(r"C:\ProgramData"), PathBuf::from);
    base.join("syncwatch-agent")
}

#[cfg(not(windows))]
fn default_data_dir() -> PathBuf {
    PathBuf::from("/var/lib/syncwatch-agent")
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or with every mistake in it.
    pub fn read(file: &Path) -> Result<Self, Report> {
        let name = file.display().to_string();
        match std::fs::read_to_string(file) {
            Ok(text) => load(&name, &text, file.parent().unwrap_or(Path::new(""))),
            Err(error) => {
                let problem = Problem {
                    place: Place::Whole,
                    key: String::new(),
                    what: format!("the file cannot be read: {error}"),
                    mend: "name another with --config".to_owned(),
                };
                Err(Report::new(&name, vec![problem]))
            }
        }
    }

    /// How a section is read.
    #[must_use]
    pub fn schedule(&self, section: Section) -> Schedule {
        let mut written = self.sections.iter();
        written
            .find(|(named, _)| *named == section)
            .map_or_else(|| Schedule::of(section), |(_, schedule)| *schedule)
    }

    /// Opens every file that is named and says which are missing.
    ///
    /// # Errors
    /// With every file that cannot be read.
    pub fn check_files(&self, file: &str) -> Result<(), Report> {
        let named = ways::files(self.service.as_ref(), self.listen.as_ref());
        let missing = named.into_iter().filter_map(|(key, path)| {
            let error = std::fs::File::open(path).err()?;
            Some(Problem {
                place: Place::Whole,
                key: key.to_owned(),
                what: format!("{} cannot be read: {error}", path.display()),
                mend: "create it, readable for the account of the agent".to_owned(),
            })
        });
        let problems: Vec<Problem> = missing.collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Report::new(file, problems))
        }
    }
}

/// The data folder that a file names, whatever else is wrong with it; without one the standard
/// folder. A service has nowhere else to tell what is wrong.
#[must_use]
pub fn data_dir_of(file: &Path) -> PathBuf {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let (parsed, _) = DeTable::parse_recoverable(&text);
    let agent = parsed.get_ref().get("agent").map(toml::Spanned::get_ref);
    let named = agent.and_then(|agent| agent.get("data_dir")?.get_ref().as_str());
    let folder = file.parent().unwrap_or(Path::new(""));
    named.map_or_else(default_data_dir, |named| folder.join(named))
}

/// Reads a configuration. `name` is what the report calls it, `folder` where its paths begin.
///
/// # Errors
/// With every mistake in it.
pub fn load(name: &str, text: &str, folder: &Path) -> Result<Config, Report> {
    let mut draft = Draft::new(text);
    let (parsed, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let message = error.message().trim_end_matches(", expected nothing");
        draft.problems.push(Problem {
            place: error.span().map_or(Place::Whole, |span| draft.place(&span)),
            key: String::new(),
            what: format!("this is not TOML: {message}"),
            mend: "texts stand in double quotes, tables are headed [name]".to_owned(),
        });
    }
    // Where the text itself is broken, the rest would be guessing.
    if draft.problems.is_empty() {
        let config = check(&mut draft, parsed.get_ref(), folder);
        if draft.problems.is_empty() {
            return Ok(config);
        }
    }
    Err(Report::new(name, draft.problems))
}

fn check<'t>(draft: &mut Draft<'_>, entries: &'t DeTable<'t>, folder: &Path) -> Config {
    let mut config = Config::default();
    let mut root = draft.root(entries);
    let mut agent = draft.table(&mut root, "agent");
    check_agent(draft, &mut agent, folder, &mut config);
    config.service = ways::service(draft, &mut root, folder);
    config.listen = ways::listen(draft, &mut root, folder);
    if !root.has("service") && !root.has("listen") {
        draft.say(
            &root,
            "service",
            "nobody would learn what the agent reads",
            "add [service] with url and token_file, or [listen] with addr and token_file",
        );
    }
    config.sections = check_sections(draft, &mut root);
    let mut spool = draft.table(&mut root, "spool");
    if let Some(bytes) = draft.bytes(&mut spool, "max_bytes", SPOOL_BOUNDS) {
        config.spool_bytes = bytes;
    }
    draft.close(&spool);
    let mut privacy = draft.table(&mut root, "privacy");
    config.user_names = draft.flag(&mut privacy, "user_names").unwrap_or_default();
    draft.close(&privacy);
    draft.close(&root);
    config
}

fn check_agent<'t>(
    draft: &mut Draft<'_>,
    agent: &mut Table<'t>,
    folder: &Path,
    config: &mut Config,
) {
    if let Some(data_dir) = draft.text(agent, "data_dir") {
        config.data_dir = folder.join(data_dir);
    }
    config.host = draft.text(agent, "host");
    if let Some(host) = &config.host
        && (host.len() > 255 || host.contains(['/', ' ']))
    {
        let mend = "write the computer name of the server, such as \"SYNC01\"";
        draft.say(
            agent,
            "host",
            &format!("{host:?} is not the name of a server"),
            mend,
        );
    }
    if let Some(interpreter) = draft.text(agent, "interpreter") {
        // A bare name is looked for where the system looks for programs.
        let is_bare = Path::new(&interpreter).components().count() == 1;
        config.interpreter = if is_bare {
            PathBuf::from(interpreter)
        } else {
            folder.join(interpreter)
        };
    }
    if let Some(level) = draft.text(agent, "log_level") {
        if LEVELS.contains(&level.as_str()) {
            config.log_level = level.parse().unwrap_or(LevelFilter::INFO);
        } else {
            let mend = format!("use one of: {}", LEVELS.join(", "));
            draft.say(agent, "log_level", &format!("{level:?} is no level"), &mend);
        }
    }
    draft.close(agent);
}

fn check_sections<'t>(draft: &mut Draft<'_>, root: &mut Table<'t>) -> Vec<(Section, Schedule)> {
    let mut sections = draft.table(root, "sections");
    let mut all = Vec::new();
    for section in Section::ALL {
        let mut table = draft.table(&mut sections, section.as_str());
        if !table.is_written() {
            continue;
        }
        let default = Schedule::of(*section);
        let or = |span: Option<Span>, default: Duration| span.map_or(default, |span| span.0);
        let interval = draft.span(&mut table, "interval", INTERVALS);
        let timeout = draft.span(&mut table, "timeout", TIMEOUTS);
        let schedule = Schedule {
            interval: or(interval, default.interval),
            timeout: or(timeout, default.timeout),
            enabled: draft.flag(&mut table, "enabled"),
        };
        draft.close(&table);
        all.push((*section, schedule));
    }
    draft.close(&sections);
    all
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod documents;
#[cfg(test)]
mod tests;
