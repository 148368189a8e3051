//! The families themselves.

use syncwatch_domain::alert::{AlertState, Rule, Severity};
use syncwatch_domain::cadence::IntervalBasis;
use syncwatch_domain::cycle::CycleOutcome;
use syncwatch_domain::delivery::AttemptOutcome;
use syncwatch_domain::job::{ErrorGroup, JobStatus};
use syncwatch_domain::lane::{Engine, LaneKind, LaneStatus};
use syncwatch_domain::log::{ProvisioningAction, ProvisioningStatus};
use syncwatch_domain::owner::{ObjectType, Owner};
use syncwatch_domain::report::Role;
use syncwatch_domain::source::{Poll, ReadFailure};

use super::{Family, Head, Kind, Label, Section, Unit, Values};

/// The words of a closed set of the domain, and more behind them.
macro_rules! words {
    ($set:ty $(, $more:literal)*) => {{
        const MORE: &[&str] = &[$($more),*];
        const WORDS: [&str; <$set>::ALL.len() + MORE.len()] = {
            let mut words = [""; <$set>::ALL.len() + MORE.len()];
            let mut at = 0;
            while at < words.len() {
                words[at] = if at < <$set>::ALL.len() { <$set>::ALL[at].as_str() } else { MORE[at - <$set>::ALL.len()] };
                at += 1;
            }
            words
        };
        &WORDS
    }};
}

/// Value of `error_group` for events without an error.
pub const NO_ERROR_GROUP: &str = "none";

/// Value of `kind` for agents of Cloud Sync.
pub const PROVISIONING: &str = "provisioning";
/// Value of `kind` for agents of ours.
pub const SYNCWATCH: &str = "syncwatch";

const fn names(name: &'static str, what: &'static str) -> Label {
    Label {
        name,
        values: Values::Names(what),
    }
}

const fn closed(name: &'static str, words: &'static [&'static str]) -> Label {
    Label {
        name,
        values: Values::Words(words),
    }
}

const TENANT: Label = names("tenant", "name of a `[[tenant]]` in the config");
const ENGINE: Label = closed("engine", words!(Engine));
const KIND: Label = closed("kind", words!(LaneKind));
const PARTITION: Label = names(
    "partition",
    "AD domain, Cloud Sync job or connector of the lane",
);
const POLL: Label = closed("poll", words!(Poll));
const CONFIGURATION: Label = names(
    "configuration",
    "service principal of a Cloud Sync configuration, or server and section of an agent; absent where a source covers the tenant",
);
const JOB: Label = names("job", "id of a Cloud Sync job");
const AGENT: Label = names(
    "agent",
    "machine of a provisioning agent, or server of a `[[tenant.agent]]` in the config",
);
const LOCAL_AGENT: Label = names("agent", "server of a `[[tenant.agent]]` in the config");
const AGENT_KIND: Label = closed("kind", &[PROVISIONING, SYNCWATCH]);
const SERVER: Label = names("server", "server of a `[[tenant.agent]]` in the config");
/// What is asked of Microsoft Graph, as the collector names it.
const ENDPOINT: Label = closed(
    "endpoint",
    &[
        "service_principals",
        "app_role_assignments",
        "jobs",
        "job",
        "schema",
        "provisioning",
        "directory_audits",
        "organization",
        "organization_beta",
        "agents",
        "applications",
        "users",
        "groups",
        "cloud_managed",
        "group_names",
        "group_members",
    ],
);
const RECEIVER: Label = names("receiver", "name of a `[[receiver]]` in the config");

macro_rules! families {
    ($($(#[$doc:meta])* $id:ident = $section:ident $kind:ident $unit:ident $name:literal [$($label:expr),*] $help:literal;)+) => {
        $($(#[$doc])* pub static $id: Family = Family {
            head: Head { name: $name, kind: Kind::$kind, unit: Unit::$unit, help: $help },
            labels: &[$($label),*],
            section: Section::$section,
        };)+

        /// Every family, in the order of the page.
        pub static FAMILIES: &[&Family] = &[$(&$id),+];
    };
}

families! {
    /// Which build runs.
    BUILD_INFO = Service Info None "syncwatch_build_info"
        [names("version", "version of the product")]
        "Build that runs; always 1.";
    /// Last success of a lane.
    LANE_LAST_SUCCESS = Lanes Gauge Seconds "syncwatch_lane_last_success_timestamp_seconds"
        [TENANT, ENGINE, KIND, PARTITION]
        "Newest success of the lane, by the clock of its source; left out until one was seen.";
    /// Deadline of a lane.
    LANE_DEADLINE = Lanes Gauge Seconds "syncwatch_lane_deadline_timestamp_seconds"
        [TENANT, ENGINE, KIND, PARTITION]
        "End of the lane's present window; left out while no success is expected of it.";
    /// Status of a lane.
    LANE_STATUS = Lanes Gauge None "syncwatch_lane_status"
        [TENANT, ENGINE, KIND, PARTITION, closed("status", words!(LaneStatus))]
        "1 for the status the lane has, 0 for the others.";
    /// Intervals of a lane.
    LANE_INTERVAL = Lanes Gauge Seconds "syncwatch_lane_interval_seconds"
        [TENANT, ENGINE, KIND, PARTITION, closed("basis", words!(IntervalBasis))]
        "Expected distance of two successes: set by the operator, said by the source, or learned; each left out where unknown.";
    /// Missed windows of a lane.
    MISSED_WINDOWS = Lanes Counter None "syncwatch_missed_windows_total"
        [TENANT, ENGINE, KIND, PARTITION]
        "Windows the lane missed since it is known, also those learned afterwards.";
    /// Cycles of a lane.
    CYCLES = Lanes Counter None "syncwatch_cycles_total"
        [TENANT, ENGINE, KIND, PARTITION, closed("outcome", words!(CycleOutcome))]
        "Cycles of the lane that were seen, by outcome.";
    /// Lengths of a lane's cycles.
    CYCLE_DURATION = Lanes Summary Seconds "syncwatch_cycle_duration_seconds"
        [TENANT, ENGINE, KIND, PARTITION]
        "Length of the lane's cycles whose start and end are known.";
    /// Whether a source can be read.
    SOURCE_UP = Sources Gauge None "syncwatch_source_up"
        [TENANT, POLL, CONFIGURATION]
        "1 if the newest attempt to read the source worked, else 0; left out before the first one and while a right, licence or feature is missing.";
    /// Last read of a source.
    SOURCE_LAST_SUCCESS = Sources Gauge Seconds "syncwatch_source_last_success_timestamp_seconds"
        [TENANT, POLL, CONFIGURATION]
        "Start of the newest read of the source that worked; left out until one did.";
    /// Length of polls.
    POLL_DURATION = Sources Histogram Seconds "syncwatch_poll_duration_seconds"
        [TENANT, POLL]
        "Length of polls, from the first request to the commit.";
    /// Requests to Graph.
    GRAPH_REQUESTS = Sources Counter None "syncwatch_graph_requests_total"
        [TENANT, ENDPOINT, Label { name: "code", values: Values::CodeOr(words!(ReadFailure)) }]
        "Requests to Microsoft Graph by status code, or by failure where no answer came.";
    /// Time Graph told us to wait.
    GRAPH_THROTTLED = Sources Counter Seconds "syncwatch_graph_throttled_seconds_total"
        [TENANT]
        "Time Microsoft Graph asked to wait for.";
    /// Status of a job.
    JOB_STATUS = Jobs Gauge None "syncwatch_job_status"
        [TENANT, names("domain", "AD domain the job serves"), JOB, closed("status", words!(JobStatus))]
        "1 for the status the Cloud Sync job has, 0 for the others.";
    /// Whether an agent is there.
    AGENT_UP = Agents Gauge None "syncwatch_agent_up"
        [TENANT, AGENT, AGENT_KIND]
        "provisioning: 1 if the cloud calls the agent of Cloud Sync active, else 0, left out while that cannot be read; syncwatch: 1 while reports of the agent on a sync server come within `silent_after`, else 0, left out until the first one came.";
    /// What is known of an agent.
    AGENT_INFO = Agents Info None "syncwatch_agent_info"
        [TENANT, AGENT, AGENT_KIND, names("id", "registration of a provisioning agent"), names("version", "version of an agent on a sync server")]
        "Agent that is registered in the cloud, or has reported to syncwatch; always 1.";
    /// The newest report of an agent of ours.
    AGENT_LAST_REPORT = Agents Gauge Seconds "syncwatch_agent_last_report_timestamp_seconds"
        [TENANT, LOCAL_AGENT]
        "When the newest report of the agent came, by the clock of the service; left out until one did.";
    /// How far off the clock of a sync server is.
    AGENT_CLOCK_SKEW = Agents Gauge Seconds "syncwatch_agent_clock_skew_seconds"
        [TENANT, LOCAL_AGENT]
        "How far the clock of the server was ahead when the newest report came, negative when it was behind; the way of the report is part of it.";
    /// What still has to come home.
    AGENT_WAITING_RECORDS = Agents Gauge None "syncwatch_agent_waiting_records"
        [TENANT, LOCAL_AGENT]
        "Records that waited in the spool on the server behind the newest report.";
    /// What will never come home.
    AGENT_LOST_RECORDS = Agents Counter None "syncwatch_agent_lost_records_total"
        [TENANT, LOCAL_AGENT]
        "Records that were dropped on the server because its spool was full, and never came home.";
    /// What a server does.
    SERVER_ROLE = Agents Gauge None "syncwatch_server_role"
        [TENANT, SERVER, closed("role", words!(Role))]
        "1 for every role the server has, as its agent said last, 0 for the others; left out until the agent knows one.";
    /// Size of Connect's database.
    SERVER_DATABASE = Agents Gauge Bytes "syncwatch_server_database_bytes"
        [TENANT, SERVER]
        "Space that the database of Connect Sync uses, as the agent said last; LocalDB ends at 10 GB.";
    /// Rows of the provisioning log.
    PROVISIONING_EVENTS = Jobs Counter None "syncwatch_provisioning_events_total"
        [TENANT, JOB, closed("action", words!(ProvisioningAction)), closed("status", words!(ProvisioningStatus)),
         closed("error_group", words!(ErrorGroup, "none"))]
        "Rows of the provisioning log that were stored, each once.";
    /// Objects by their owners.
    OBJECTS = Owners Gauge None "syncwatch_objects"
        [TENANT, names("domain", "AD domain of the objects; absent where it is not known"), closed("type", words!(ObjectType)),
         closed("owner", words!(Owner))]
        "Synced objects by the engine that exports them; left out where there is none.";
    /// Alerts on record.
    ALERTS = Alerts Gauge None "syncwatch_alerts"
        [TENANT, closed("rule", words!(Rule)), closed("severity", words!(Severity)), closed("state", words!(AlertState))]
        "Alerts on record: those that fire, and resolved ones until retention removes them; left out where there is none.";
    /// Attempts to deliver.
    NOTIFICATIONS = Alerts Counter None "syncwatch_notifications_total"
        [RECEIVER, closed("outcome", words!(AttemptOutcome))]
        "Attempts to hand a message to a receiver, by outcome.";
    /// Time from decision to hand-over.
    NOTIFICATION_LATENCY = Alerts Histogram Seconds "syncwatch_notification_latency_seconds" []
        "Time from the decision to tell a receiver to its acknowledgement, all attempts and waits included.";
    /// Messages that wait.
    OUTBOX_DEPTH = Alerts Gauge None "syncwatch_outbox_depth" []
        "Messages that wait to be acknowledged.";
    /// The oldest message that waits.
    OUTBOX_OLDEST = Alerts Gauge Seconds "syncwatch_outbox_oldest_timestamp_seconds" []
        "When the oldest waiting message was decided; left out while none waits.";
    /// Whether the config in force is the one on disk.
    CONFIG_RELOAD = Service Gauge None "syncwatch_config_last_reload_successful" []
        "1 if the newest reading of the config worked, else 0 and the one before it is in force.";
    /// Whether the store could be read.
    SNAPSHOT = Service Gauge None "syncwatch_snapshot_successful" []
        "1 if the store could be read for this page, else 0 and everything that comes from the store is left out.";
    /// Processor time.
    PROCESS_CPU = Process Counter Seconds "process_cpu_seconds_total" []
        "User and system time the process used.";
    /// Open files.
    PROCESS_OPEN_FDS = Process Gauge None "process_open_fds" []
        "File descriptors that are open.";
    /// Most open files.
    PROCESS_MAX_FDS = Process Gauge None "process_max_fds" []
        "File descriptors that may be open; left out where there is no limit.";
    /// Address space.
    PROCESS_VIRTUAL_MEMORY = Process Gauge Bytes "process_virtual_memory_bytes" []
        "Virtual memory of the process.";
    /// Memory.
    PROCESS_RESIDENT_MEMORY = Process Gauge Bytes "process_resident_memory_bytes" []
        "Memory of the process that is in RAM.";
    /// Start of the process.
    PROCESS_START_TIME = Process Gauge Seconds "process_start_time_seconds" []
        "When the process was started.";
    /// Threads.
    PROCESS_THREADS = Process Gauge None "process_threads" []
        "Threads of the process.";
}
