//! `auditLogs/provisioning`: strict time filter, no count, rows late, twice and out of order.

use crate::bulk::{self, Origin, RowFacts};
use crate::chance::Seed;
use crate::graph::error::GraphError;
use crate::graph::odata::{Field, Op, Rule, plain};
use crate::graph::{Answer, Ask, Body, Family, Listing, Outcome, Scene};
use crate::story::Settings;
use crate::world::logs::ProvisioningRow;
use crate::world::tenant::TenantState;

/// Most rows per page.
const MOST: usize = 1000;
/// Rows may swap places with neighbours this close.
const SHUFFLE_MS: i64 = 1500;

const RULES: &[Rule] = &[
    plain("activityDateTime", &[Op::Eq, Op::Gt, Op::Lt]),
    plain("durationInMilliseconds", &[Op::Eq, Op::Gt, Op::Lt]),
    plain("changeId", &[Op::Eq, Op::Contains]),
    plain("cycleId", &[Op::Eq, Op::Contains]),
    plain("jobId", &[Op::Eq, Op::Contains]),
    plain("tenantId", &[Op::Eq, Op::Contains]),
    plain("provisioningAction", &[Op::Eq, Op::Contains]),
    plain("provisioningStatusInfo/status", &[Op::Eq, Op::Contains]),
    plain("servicePrincipal/id", &[Op::Eq, Op::Contains]),
    plain("servicePrincipal/name", &[Op::Eq, Op::Contains]),
    plain("sourceSystem/displayName", &[Op::Eq, Op::Contains]),
    plain("targetSystem/displayName", &[Op::Eq, Op::Contains]),
];

fn field<'a>(origins: &'a [Origin], row: &ProvisioningRow, path: &str) -> Field<'a> {
    let origin = &origins[usize::from(row.job)];
    match path.to_ascii_lowercase().as_str() {
        "activitydatetime" => Field::ms(row.at),
        "durationinmilliseconds" => Field::Number(bulk::duration_ms(origin, row.key)),
        "jobid" => Field::text(&origin.job_id),
        "cycleid" => Field::owned(bulk::cycle_id(origin, row.cycle)),
        "changeid" => Field::owned(bulk::change_id(origin, row.key)),
        "tenantid" => Field::text(&origin.tenant_id),
        "provisioningaction" => Field::text(row.kind.action()),
        "provisioningstatusinfo/status" => Field::text(row.kind.status()),
        "serviceprincipal/id" => Field::text(&origin.service_principal),
        "serviceprincipal/name" => Field::text(&origin.service_principal_name),
        "sourcesystem/displayname" => Field::text("Active Directory"),
        "targetsystem/displayname" => Field::text("Microsoft Entra ID"),
        _ => Field::Null,
    }
}

/// Refuses windows no log query of a busy tenant survives.
pub(crate) fn check_window(
    window: (Option<i64>, Option<i64>),
    now: i64,
    settings: &Settings,
) -> Result<(), GraphError> {
    let to = window.1.unwrap_or(now.saturating_mul(10_000));
    let from = window
        .0
        .unwrap_or(to.saturating_sub(10_000_i64.saturating_mul(86_400_000)));
    if to.saturating_sub(from) / 10_000 > settings.wide_window.as_ms() {
        return Err(GraphError::new(504, "UnknownError", ""));
    }
    Ok(())
}

/// `GET /auditLogs/provisioning`.
pub(crate) fn list(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Outcome {
    // $orderby is documented, accepted and not to be relied on.
    ask.query.only(&["filter", "top", "orderby", "skiptoken"])?;
    let now = scene.now;
    let settings = scene.settings;
    let origins: Vec<Origin> = (0..scene.tenant.jobs.len())
        .map(|job| {
            scene
                .tenant
                .origin_of(u16::try_from(job).unwrap_or(u16::MAX))
        })
        .collect();
    let page = scene.page(ask, Family::Reports, |tenant| {
        let filter = ask.query.filter()?;
        if let Some(expr) = &filter {
            expr.check(RULES)?;
            check_window(expr.window(), now, settings)?;
        }
        let top = ask.query.top(100, MOST)?;
        let matches = |row: &ProvisioningRow| {
            row.visible <= now
                && filter
                    .as_ref()
                    .is_none_or(|expr| expr.holds(true, &|path| field(&origins, row, path)))
        };
        let items = newest_first(&tenant.logs.provisioning, tenant.seed, matches);
        Ok(Listing {
            items,
            top,
            advanced: false,
            counted: false,
        })
    })?;
    let mut out = String::with_capacity(page.items.len() * 3000 + 400);
    bulk::open_page(&mut out, &ask.root(), page.next_link.as_deref());
    for (n, index) in page.items.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        render(&mut out, scene.tenant, &origins, *index);
    }
    out.push_str("]}");
    Ok(Answer {
        status: 200,
        body: Body::Raw(out),
        headers: Vec::new(),
    })
}

fn newest_first(
    rows: &[ProvisioningRow],
    seed: Seed,
    matches: impl Fn(&ProvisioningRow) -> bool,
) -> Vec<u32> {
    let mut hits: Vec<(i64, u32)> = (0_u32..)
        .zip(rows)
        .filter(|(_, row)| matches(row))
        .map(|(index, row)| {
            (
                row.at + seed.corner("shuffle").nth(row.key).upto(SHUFFLE_MS),
                index,
            )
        })
        .collect();
    hits.sort_unstable_by(|a, b| b.cmp(a));
    hits.into_iter().map(|(_, index)| index).collect()
}

fn render(out: &mut String, tenant: &TenantState, origins: &[Origin], index: u32) {
    let row = &tenant.logs.provisioning[index as usize];
    let facts = RowFacts {
        key: row.key,
        cycle: row.cycle,
        at_ms: row.at,
        person: row.person,
        kind: row.kind,
        code: tenant
            .logs
            .codes
            .get(usize::from(row.code))
            .map_or("", String::as_str),
    };
    bulk::write_row(out, &origins[usize::from(row.job)], &facts);
}
