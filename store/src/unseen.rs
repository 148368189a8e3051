//! What changed since the evaluator last looked, and the small facts and jobs it looks at.

use syncwatch_domain::job::Job;
use syncwatch_domain::time::Timestamp;

use crate::error::{During, StoreError};
use crate::model::{Seen, StoredFact, StoredJob, StoredSource, Unseen};
use crate::pools::{Tx, execute, fetch};
use crate::source::SourceRow;
use crate::store::Store;

type FactRow = (String, String, String, i64);

fn fact(row: FactRow) -> Result<StoredFact, StoreError> {
    let (tenant, name, value, read_at) = row;
    Ok(StoredFact {
        tenant,
        name,
        value: serde_json::from_str(&value).during("read a fact")?,
        read_at: Timestamp::from_millis(read_at),
    })
}

/// Which tables hold something the evaluator has not looked at.
#[derive(sqlx::FromRow)]
struct News {
    sources: bool,
    jobs: bool,
    object_errors: bool,
    facts: bool,
}

impl Store {
    /// Rows that changed since they were last marked seen, and every source that fails.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn unseen(&self) -> Result<Unseen, StoreError> {
        let mut unseen = Unseen::default();
        // Mostly there is nothing, and one question is enough to know.
        for news in self.news().await? {
            if news.sources {
                unseen.sources = self.unseen_sources().await?;
            }
            if news.jobs {
                unseen.jobs = self.unseen_jobs().await?;
            }
            if news.object_errors {
                unseen.object_errors = self.unseen_object_errors().await?;
            }
            if news.facts {
                unseen.facts = self.unseen_facts().await?;
            }
        }
        Ok(unseen)
    }

    async fn news(&self) -> Result<Vec<News>, StoreError> {
        fetch!(
            self,
            "look for changes",
            sqlx::query_as(
                "select exists (select 1 from source where unseen = 1) \
                 or exists (select 1 from source where failing_since is not null) as sources, \
                 exists (select 1 from job where unseen = 1) as jobs, \
                 exists (select 1 from object_error_job where unseen = 1) as object_errors, \
                 exists (select 1 from fact where unseen = 1) as facts"
            )
        )
    }

    async fn unseen_sources(&self) -> Result<Vec<StoredSource>, StoreError> {
        let rows: Vec<SourceRow> = fetch!(
            self,
            "list changed sources",
            sqlx::query_as(
                "select s.id, s.tenant, s.poll, s.instance, s.first_seen_at, s.attempted_at, s.read_at, \
                 s.failing_since, s.failures, s.failure, s.failure_text, s.took_ms, s.retired, s.resume \
                 from source s where s.unseen = 1 or s.failing_since is not null order by s.id"
            )
        )?;
        rows.into_iter().map(StoredSource::try_from).collect()
    }

    /// Jobs that changed since they were last marked seen.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn unseen_jobs(&self) -> Result<Vec<StoredJob>, StoreError> {
        let rows: Vec<(String, i64, i64)> = fetch!(
            self,
            "list changed jobs",
            sqlx::query_as(
                "select facts, gone, version from job where unseen = 1 order by tenant, job_id"
            )
        )?;
        rows.into_iter()
            .map(|(facts, gone, version)| {
                let job: Job = serde_json::from_str(&facts).during("read a job")?;
                Ok(StoredJob {
                    job,
                    gone: gone != 0,
                    version,
                })
            })
            .collect()
    }

    async fn unseen_facts(&self) -> Result<Vec<StoredFact>, StoreError> {
        let rows: Vec<FactRow> = fetch!(
            self,
            "list changed facts",
            sqlx::query_as(
                "select tenant, name, value, read_at from fact where unseen = 1 order by tenant, name"
            )
        )?;
        rows.into_iter().map(fact).collect()
    }

    /// All jobs that are listed at present.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn jobs(&self) -> Result<Vec<Job>, StoreError> {
        let rows: Vec<(String,)> = fetch!(
            self,
            "list jobs",
            sqlx::query_as("select facts from job where gone = 0 order by tenant, job_id")
        )?;
        rows.into_iter()
            .map(|row| serde_json::from_str(&row.0).during("read a job"))
            .collect()
    }

    /// Facts of one tenant, or of all.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn facts(&self, tenant: Option<&str>) -> Result<Vec<StoredFact>, StoreError> {
        let rows: Vec<FactRow> = fetch!(
            self,
            "list facts",
            sqlx::query_as(
                "select tenant, name, value, read_at from fact where tenant = $1 or $1 = '' order by tenant, name"
            )
            .bind(tenant.unwrap_or_default())
        )?;
        rows.into_iter().map(fact).collect()
    }

    /// Marks rows seen, unless they changed again meanwhile.
    pub(crate) async fn mark_seen(&self, tx: &mut Tx, seen: &Seen) -> Result<(), StoreError> {
        for (source, attempted_at, retired) in &seen.sources {
            execute!(
                tx,
                "mark a source seen",
                sqlx::query(
                    "update source set unseen = 0 where id = $1 and unseen = 1 \
                     and coalesce(attempted_at, 0) = coalesce($2, 0) and retired = $3"
                )
                .bind(source.0)
                .bind(attempted_at.map(Timestamp::as_millis))
                .bind(i64::from(*retired))
            )?;
        }
        for (tenant, job_id, version) in &seen.jobs {
            execute!(
                tx,
                "mark a job seen",
                sqlx::query(
                    "update job set unseen = 0 where tenant = $1 and job_id = $2 and version = $3"
                )
                .bind(tenant.as_str())
                .bind(job_id.as_str())
                .bind(*version)
            )?;
        }
        for (tenant, job_id, version) in &seen.object_errors {
            execute!(
                tx,
                "mark object errors seen",
                sqlx::query(
                    "update object_error_job set unseen = 0 where version = $3 and job_ref in \
                     (select id from job_ref where tenant = $1 and job_id = $2)"
                )
                .bind(tenant.as_str())
                .bind(job_id.as_str())
                .bind(*version)
            )?;
        }
        for (tenant, name, read_at) in &seen.facts {
            execute!(
                tx,
                "mark a fact seen",
                sqlx::query(
                    "update fact set unseen = 0 where tenant = $1 and name = $2 and read_at = $3"
                )
                .bind(tenant.as_str())
                .bind(name.as_str())
                .bind(read_at.as_millis())
            )?;
        }
        Ok(())
    }
}
