//! What goes into the store and what comes out, in the words of the domain.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;
use syncwatch_domain::alert::Alert;
use syncwatch_domain::cadence::{Intervals, Timing};
use syncwatch_domain::cycle::Cycle;
use syncwatch_domain::delivery::{AttemptResult, NewDelivery};
use syncwatch_domain::job::{ErrorGroup, Job};
use syncwatch_domain::lane::{LaneKey, LaneStatus};
use syncwatch_domain::log::{ProvisioningAction, ProvisioningStatus, RowId};
use syncwatch_domain::owner::ObjectType;
use syncwatch_domain::report::{AgentIdentity, Record};
use syncwatch_domain::source::{ReadFailure, SourceKey, SourceState};
use syncwatch_domain::time::Timestamp;
use syncwatch_domain::window::LaneFacts;

use crate::log_page::LogPage;
use crate::object::ObjectPage;

/// Number of a source's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub i64);

/// Number of a lane's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneId(pub i64);

/// A source and what its next read continues from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSource {
    /// Number of its row.
    pub id: SourceId,
    /// What is known of it.
    pub state: SourceState,
    /// Watermark, page token and the like, in the poll's own notation.
    pub resume: Option<String>,
}

/// How a poll ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PollOutcome {
    /// The source was read; that covers every lane of it.
    Read,
    /// Only the lanes listed as confirmed were read.
    Partial,
    /// It could not be read.
    Failed {
        /// Why, as a word.
        failure: ReadFailure,
        /// Why, as a sentence without secrets.
        text: String,
    },
}

/// Whether cycles are expected of a lane.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expectation {
    /// Yes.
    Expected,
    /// No: disabled on purpose, paused, staging.
    Paused {
        /// Why, for people.
        reason: String,
    },
    /// The source cannot tell this lane from another one.
    Masked {
        /// Why, for people.
        reason: String,
    },
}

/// What a poll learned of one lane.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LaneUpdate {
    /// Which lane; made when it is new.
    pub key: LaneKey,
    /// The Cloud Sync job behind it.
    pub job_id: Option<String>,
    /// Cycles seen, in any order, also ones reported before.
    pub cycles: Vec<Cycle>,
    /// Interval the source promises.
    pub promised: Option<Duration>,
    /// Whether cycles are expected.
    pub expectation: Expectation,
    /// This read covered the lane even where the outcome is [`PollOutcome::Partial`].
    pub confirmed: bool,
    /// Logs that cover this span were read completely: gaps between successes in it are missed windows.
    pub gaps_between: Option<(Timestamp, Timestamp)>,
}

/// Which log rows come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogStream {
    /// Provisioning log.
    Provisioning,
    /// Directory audits.
    Audit,
}

/// One row of a log: the fields rules need, and the row as it came.
///
/// All rows of a page are in memory at the same time, so it is small: ids are bytes, texts are
/// those of the page unless they had to be unescaped.
#[derive(Clone, Debug)]
pub struct LogRow<'a> {
    /// Id of the row.
    pub id: RowId,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Job it belongs to; empty for audits.
    pub job_id: Cow<'a, str>,
    /// What was tried.
    pub action: ProvisioningAction,
    /// How it went.
    pub status: ProvisioningStatus,
    /// Error code of a failure.
    pub error_code: Option<Cow<'a, str>>,
    /// Source object, where it tells.
    pub object_id: Option<Cow<'a, str>>,
    /// Cycle it belongs to, where it tells; for the reader of the page, stored only within `raw`.
    pub cycle_id: Option<RowId>,
    /// The row's JSON.
    pub raw: &'a [u8],
}

/// A small fact of a tenant that is neither lane nor job; the last known value wins.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// Name within the tenant, e.g. `credential/<key id>`.
    pub name: String,
    /// Value.
    pub value: Value,
}

/// Everything one poll learned; committed as a whole.
#[derive(Clone, Debug)]
pub struct PollCommit<'a> {
    /// Which source was polled.
    pub source: SourceId,
    /// Start of the request: what the answer is sure to cover.
    pub started_at: Timestamp,
    /// End of the request.
    pub finished_at: Timestamp,
    /// How it ended.
    pub outcome: PollOutcome,
    /// Lanes whose facts changed.
    pub lanes: Vec<LaneUpdate>,
    /// Jobs seen.
    pub jobs: Vec<Job>,
    /// Jobs of this source that are not listed are gone.
    pub jobs_complete: bool,
    /// A page of a log, as [`crate::Store::prepare_log`] gives it.
    pub log: Option<&'a LogPage>,
    /// What a page of a delta query told.
    pub objects: Option<ObjectPage>,
    /// What a page of a list of objects named.
    pub listed: Option<ListedPage>,
    /// What the next read continues from; `None` leaves it as it is.
    pub resume: Option<String>,
    /// Sources found by this poll.
    pub discovered: Vec<SourceKey>,
    /// Sources that are gone.
    pub retired: Vec<SourceKey>,
    /// Sources that the config does not ask for any more.
    pub unwatched: Vec<SourceKey>,
    /// Small facts.
    pub facts: Vec<Fact>,
}

impl PollCommit<'_> {
    /// A commit that says no more than how the poll ended.
    #[must_use]
    pub fn bare(
        source: SourceId,
        started_at: Timestamp,
        finished_at: Timestamp,
        outcome: PollOutcome,
    ) -> Self {
        Self {
            source,
            started_at,
            finished_at,
            outcome,
            lanes: Vec::new(),
            jobs: Vec::new(),
            jobs_complete: false,
            log: None,
            objects: None,
            listed: None,
            resume: None,
            discovered: Vec::new(),
            retired: Vec::new(),
            unwatched: Vec::new(),
            facts: Vec::new(),
        }
    }
}

/// What one page of a list of objects named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedPage {
    /// Which list.
    pub list: ObjectList,
    /// Number of the reading: higher than that of every reading of the list before.
    pub reading: i64,
    /// The reading ends with this page: what it did not name is not on the list.
    pub ends: bool,
    /// Ids of the objects, in lower case.
    pub ids: Vec<String>,
}

/// Objects that have something in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectList {
    /// The source of authority of objects of this type was moved to Entra ID.
    CloudManaged(ObjectType),
    /// They are direct members of the group with this distinguished name, in its only spelling.
    Members(String),
}

impl ObjectList {
    /// First part of the words for members.
    pub(crate) const MEMBERS: &'static str = "members/";

    /// The word for it in the database.
    pub(crate) fn to_word(&self) -> String {
        match self {
            Self::CloudManaged(kind) => format!("cloud_managed/{kind}"),
            Self::Members(group) => format!("{}{group}", Self::MEMBERS),
        }
    }
}

/// What a commit of a poll did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PollReceipt {
    /// Log rows that are new.
    pub stored: u64,
    /// Log rows that were there already.
    pub repeated: u64,
    /// Log rows whose id is known under another instant: kept out.
    pub conflicting: u64,
    /// The sources of [`PollCommit::discovered`].
    pub discovered: Vec<StoredSource>,
}

/// A lane that a read must cover, and the job behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrossingLane {
    /// Which lane.
    pub key: LaneKey,
    /// The Cloud Sync job behind it.
    pub job_id: Option<String>,
}

/// A lane whose verdict can change now, with all that judging needs.
#[derive(Clone, Debug, PartialEq)]
pub struct DueLane {
    /// Number of its row.
    pub id: LaneId,
    /// Which lane.
    pub key: LaneKey,
    /// The Cloud Sync job behind it.
    pub job_id: Option<String>,
    /// Its source.
    pub source_key: SourceKey,
    /// When it was first known: the end of the read that found it.
    pub first_seen_at: Timestamp,
    /// Status on record.
    pub status: LaneStatus,
    /// Guards the judgement: it is refused if the lane changed meanwhile.
    pub version: i64,
    /// The facts to judge. A masked lane has no window here.
    pub facts: LaneFacts,
    /// Its timing.
    pub timing: Timing,
    /// Its three intervals.
    pub intervals: Intervals,
    /// Why it is paused or masked.
    pub idle_reason: Option<String>,
}

/// A judged lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneJudgement {
    /// Which lane.
    pub id: LaneId,
    /// Version that was judged.
    pub version: i64,
    /// Status before.
    pub from: LaneStatus,
    /// Status now.
    pub to: LaneStatus,
    /// Since when, in event time.
    pub occurred_at: Option<Timestamp>,
    /// The instant that a read of the source must cover before the lane is judged again: `late_at`
    /// for on time, `deadline_at` for late and blind, `None` while only a change can matter.
    pub due_at: Option<Timestamp>,
}

/// A job with the version the evaluator saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredJob {
    /// The job.
    pub job: Job,
    /// It is no longer listed.
    pub gone: bool,
    /// Guards [`Seen`].
    pub version: i64,
}

/// Open errors of single objects of one job and group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectErrorSummary {
    /// Tenant.
    pub tenant: String,
    /// Job.
    pub job_id: String,
    /// Group of the error codes.
    pub group: ErrorGroup,
    /// Objects that fail at present; zero when all recovered.
    pub objects: i64,
    /// First failure among them.
    pub first_at: Option<Timestamp>,
    /// Newest failure among them.
    pub last_at: Option<Timestamp>,
    /// The codes, most frequent first, with their counts.
    pub codes: Vec<(String, i64)>,
    /// Version of the job's errors; guards [`Seen`].
    pub version: i64,
}

/// A fact as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredFact {
    /// Tenant.
    pub tenant: String,
    /// Name within the tenant.
    pub name: String,
    /// Value.
    pub value: Value,
    /// When it was read.
    pub read_at: Timestamp,
}

/// What changed since the evaluator last looked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unseen {
    /// Sources that changed, and all that fail.
    pub sources: Vec<StoredSource>,
    /// Jobs that changed, at most as many as one look takes.
    pub jobs: Vec<StoredJob>,
    /// There may be more jobs.
    pub more: bool,
    /// Summaries of the jobs whose object errors changed, every group of each.
    pub object_errors: Vec<ObjectErrorSummary>,
    /// Facts that changed.
    pub facts: Vec<StoredFact>,
}

/// Which rows of [`Unseen`] a judgement dealt with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Sources, with the attempt that was looked at, and whether they were retired then.
    pub sources: Vec<(SourceId, Option<Timestamp>, bool)>,
    /// Jobs (tenant, job id) with their versions.
    pub jobs: Vec<(String, String, i64)>,
    /// Jobs (tenant, job id) whose object errors were looked at, with the version of those.
    pub object_errors: Vec<(String, String, i64)>,
    /// Facts (tenant, name) with the read that was looked at.
    pub facts: Vec<(String, String, Timestamp)>,
}

/// Transitions, alerts and messages that belong together; committed as a whole.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// When it was judged.
    pub now: Timestamp,
    /// Judged lanes.
    pub lanes: Vec<LaneJudgement>,
    /// Alerts to write, by id.
    pub alerts: Vec<Alert>,
    /// Who is told what.
    pub deliveries: Vec<NewDelivery>,
    /// Rows that were dealt with.
    pub seen: Seen,
}

/// What a judgement did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JudgementReceipt {
    /// `false`: a lane or an alert changed while it was judged; nothing was written, judge again.
    pub committed: bool,
    /// Deliveries that were new.
    pub deliveries: u64,
}

/// One attempt to deliver, and what follows from it.
#[derive(Clone, Debug)]
pub struct AttemptRecord {
    /// Which delivery.
    pub delivery_id: i64,
    /// Start of the attempt.
    pub began_at: Timestamp,
    /// End of the attempt.
    pub ended_at: Timestamp,
    /// What the receiver said.
    pub result: AttemptResult,
    /// For [`AttemptResult::Retry`]: when to try again.
    pub next_due_at: Option<Timestamp>,
    /// For [`AttemptResult::GiveUp`]: who is told instead.
    pub fallback: Option<NewDelivery>,
}

/// How many deliveries a receiver can take at present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// Name of the receiver in the config.
    pub receiver: String,
    /// Free places.
    pub limit: u32,
}

/// How much waits to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxDepth {
    /// Deliveries not finished.
    pub depth: i64,
    /// The oldest of them.
    pub oldest_created_at: Option<Timestamp>,
}

/// An agent, as it last reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAgent {
    /// Tenant it belongs to.
    pub tenant: String,
    /// What it says about itself.
    pub identity: AgentIdentity,
    /// When its first report came.
    pub first_seen_at: Timestamp,
    /// When its newest report came.
    pub reported_at: Timestamp,
    /// How far its clock is ahead, in milliseconds; negative when it is behind.
    pub clock_ahead_ms: i64,
    /// How far the spool has come home that it reports from.
    pub spool: Option<SpoolProgress>,
}

/// How far a spool has come home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolProgress {
    /// Its name.
    pub spool: String,
    /// Every record up to this number is committed.
    pub acknowledged: u64,
    /// Records that waited on the server behind the newest batch.
    pub waiting: u64,
    /// Records of all spools of the agent that were dropped on the server and never came home.
    pub lost: u64,
}

/// A record as it is to be kept.
#[derive(Clone, Copy, Debug)]
pub struct AgentRecord<'a> {
    /// The record as it came.
    pub record: &'a Record,
    /// When it was read, the clock of its server corrected.
    pub read_at: Timestamp,
}

/// A batch of an agent, and all that was learned from it; committed as a whole.
#[derive(Debug)]
pub struct ReportCommit<'a> {
    /// Tenant of the agent.
    pub tenant: &'a str,
    /// Who reports.
    pub agent: &'a AgentIdentity,
    /// The spool the records come from.
    pub spool: &'a str,
    /// How far that spool had come home when the batch was looked at.
    pub acknowledged: u64,
    /// How far it has come home with this batch.
    pub acknowledges: u64,
    /// Records after [`Self::acknowledged`] up to [`Self::acknowledges`] that were dropped on the server.
    pub lost: u64,
    /// Records that wait on the server behind this batch.
    pub waiting: u64,
    /// When the batch came.
    pub received_at: Timestamp,
    /// How far the agent's clock is ahead, in milliseconds.
    pub clock_ahead_ms: i64,
    /// Its records after [`Self::acknowledged`].
    pub records: Vec<AgentRecord<'a>>,
    /// What they say, one poll per section.
    pub polls: Vec<PollCommit<'a>>,
}
