//! What changed since the evaluator last looked, and the small facts and jobs it looks at.

use sqlx::AssertSqlSafe;
use syncwatch_domain::job::Job;
use syncwatch_domain::time::Timestamp;

use crate::error::{During, StoreError};
use crate::model::{Seen, StoredFact, StoredJob, StoredSource, Unseen};
use crate::pools::{Tx, execute, fetch};
use crate::source::SourceRow;
use crate::store::Store;

/// Jobs in one look, and keys per statement.
const JOBS_AT_ONCE: usize = 500;

type FactRow = (String, String, String, i64);
type JobRow = (String, i64, i64);

fn stored_jobs(rows: Vec<JobRow>) -> Result<Vec<StoredJob>, StoreError> {
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
    /// Jobs come in parts: when [`Unseen::more`] says so, the next look finds the rest.
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
                unseen.more = unseen.jobs.len() == JOBS_AT_ONCE;
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

    async fn unseen_jobs(&self) -> Result<Vec<StoredJob>, StoreError> {
        let rows: Vec<JobRow> = fetch!(
            self,
            "list changed jobs",
            sqlx::query_as(
                "select facts, gone, version from job where unseen = 1 order by tenant, job_id limit $1"
            )
            .bind(i64::try_from(JOBS_AT_ONCE).unwrap_or(i64::MAX))
        )?;
        stored_jobs(rows)
    }

    /// Those of the jobs, given by tenant and id, that changed since they were last marked seen.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn unseen_jobs_of(
        &self,
        jobs: &[(&str, &str)],
    ) -> Result<Vec<StoredJob>, StoreError> {
        let mut found = Vec::new();
        for chunk in jobs.chunks(JOBS_AT_ONCE) {
            let sql = format!(
                "select facts, gone, version from (values {}) as v join job on tenant = v.column1 \
                 and job_id = v.column2 where unseen = 1",
                self.pools()?.places(chunk.len(), 2)
            );
            let rows: Vec<JobRow> = fetch!(self, "list changed jobs by key", {
                let mut query = sqlx::query_as(AssertSqlSafe(sql.clone()));
                for (tenant, job_id) in chunk {
                    query = query.bind(*tenant).bind(*job_id);
                }
                query.persistent(chunk.len() == 1)
            })?;
            found.extend(stored_jobs(rows)?);
        }
        Ok(found)
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

    /// Listed jobs in the order of tenant and id, from the one after `after` on.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn jobs_after(
        &self,
        after: (&str, &str),
        limit: u32,
    ) -> Result<Vec<StoredJob>, StoreError> {
        let rows: Vec<JobRow> = fetch!(
            self,
            "list jobs in parts",
            sqlx::query_as(
                "select facts, gone, version from job where gone = 0 and (tenant, job_id) > ($1, $2) \
                 order by tenant, job_id limit $3"
            )
            .bind(after.0)
            .bind(after.1)
            .bind(i64::from(limit))
        )?;
        stored_jobs(rows)
    }

    /// Listed jobs that have or had objects that fail.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn jobs_with_object_errors(&self) -> Result<Vec<Job>, StoreError> {
        let rows: Vec<JobRow> = fetch!(
            self,
            "list jobs with object errors",
            sqlx::query_as(
                "select j.facts, j.gone, j.version from object_error_job o join job_ref r on r.id = o.job_ref \
                 join job j on j.tenant = r.tenant and j.job_id = r.job_id where j.gone = 0"
            )
        )?;
        Ok(stored_jobs(rows)?
            .into_iter()
            .map(|stored| stored.job)
            .collect())
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

    /// Facts of all tenants whose name begins and ends like this; empty texts match every name.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn facts_named(
        &self,
        begins: &str,
        ends: &str,
    ) -> Result<Vec<StoredFact>, StoreError> {
        let rows: Vec<FactRow> = fetch!(
            self,
            "list facts by name",
            sqlx::query_as(
                "select tenant, name, value, read_at from fact where substr(name, 1, length($1)) = $1 \
                 and substr(name, length(name) - length($2) + 1) = $2 order by tenant, name"
            )
            .bind(begins)
            .bind(ends)
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
        for chunk in seen.jobs.chunks(JOBS_AT_ONCE) {
            mark_jobs_seen(tx, chunk).await?;
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

async fn mark_jobs_seen(tx: &mut Tx, seen: &[(String, String, i64)]) -> Result<(), StoreError> {
    let sql = format!(
        "update job set unseen = 0 from (values {}) as v \
         where job.tenant = v.column1 and job.job_id = v.column2 and job.version = v.column3",
        tx.places(seen.len(), 3)
    );
    execute!(tx, "mark jobs seen", {
        let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
        for (tenant, job_id, version) in seen {
            query = query
                .bind(tenant.as_str())
                .bind(job_id.as_str())
                .bind(*version);
        }
        query.persistent(seen.len() == 1)
    })?;
    Ok(())
}
