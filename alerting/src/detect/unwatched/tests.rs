use super::*;
use crate::detect::testing::read_source;
use crate::detect::words::labels;

#[test]
fn an_alert_is_watched_as_long_as_a_poll_that_tells_about_it_is_there() {
    let jobs = read_source(Poll::Jobs, "3f1d0a52", 0);
    let principals = read_source(Poll::ServicePrincipals, "", 0);
    let logs = read_source(Poll::ProvisioningLogs, "", 0);
    let organization = read_source(Poll::Organization, "", 0);
    for (rule, path, source, live, watched) in [
        (Rule::JobPaused, "job/1", "jobs", vec![&jobs], true),
        (Rule::JobPaused, "job/1", "jobs", vec![&principals], true),
        (Rule::JobPaused, "job/1", "jobs", vec![&logs], false),
        (Rule::JobPaused, "job/1", "jobs", vec![], false),
        (
            Rule::ObjectErrors,
            "job/1/errors/data",
            "provisioning_logs",
            vec![&jobs, &logs],
            true,
        ),
        (
            Rule::ObjectErrors,
            "job/1/errors/data",
            "provisioning_logs",
            vec![&jobs],
            false,
        ),
        (
            Rule::SourceUnreachable,
            "graph",
            "graph",
            vec![&organization],
            true,
        ),
        (Rule::SourceUnreachable, "graph", "graph", vec![], false),
        (Rule::WindowMissed, "engine/cloud", "", vec![], true),
        (
            Rule::RightMissing,
            "right/AuditLog.Read.All",
            "graph",
            vec![&logs],
            true,
        ),
        (
            Rule::RightMissing,
            "right/AuditLog.Read.All",
            "provisioning_logs",
            vec![&jobs],
            false,
        ),
        (
            Rule::RightMissing,
            "licence/premium",
            "graph",
            vec![&jobs],
            false,
        ),
    ] {
        let mut labels = labels([("source", source)]);
        labels.retain(|_, value| !value.is_empty());
        assert_eq!(
            is_watched(rule, path, &labels, &live),
            watched,
            "{rule} {path}: {source}"
        );
    }
}

#[test]
fn an_alert_about_a_server_is_watched_by_the_agent_of_that_server_alone() {
    let agent = read_source(Poll::AgentReports, "SYNC01", 0);
    let other = read_source(Poll::AgentSection, "SYNC02/scheduler", 0);
    let jobs = read_source(Poll::Jobs, "3f1d0a52", 0);
    let of_server = labels([("source", "agent_section"), ("server", "SYNC01")]);
    let of_tenant = labels([("source", "agent_section")]);
    for (labels, live, watched) in [
        (&of_server, vec![&agent], true),
        (&of_server, vec![&other, &jobs], false),
        (&of_tenant, vec![&other], true),
        (&of_tenant, vec![&jobs], false),
    ] {
        let found = is_watched(Rule::SchedulerStalled, "server/SYNC01", labels, &live);
        assert_eq!(found, watched, "{labels:?}");
    }
    let graph = labels([("source", "graph")]);
    assert!(!is_watched(
        Rule::SourceUnreachable,
        "graph",
        &graph,
        &[&agent]
    ));
}
