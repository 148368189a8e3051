#![expect(clippy::unwrap_used, reason = "tests")]

use serde::Deserialize;
use syncwatch_domain::span::Span;

use super::*;
use crate::testing::snapshot;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    receiver: Vec<RawReceiver>,
    route: Vec<RawRoute>,
}

fn read(text: &str) -> Result<Notifications, Vec<Problem>> {
    let file: File = toml::from_str(text).unwrap();
    check(file.receiver, file.route)
}

/// Every problem as one line, for comparison.
fn complaints(text: &str) -> String {
    let problems = read(text).unwrap_err();
    problems
        .iter()
        .map(|problem| format!("{}: {} ({})\n", problem.path, problem.message, problem.hint))
        .collect()
}

const GOOD: &str = r#"
    [[receiver]]
    name = "noc-mail"
    kind = "mail"
    host = "smtp.orchard.example"
    username = "monitor"
    password_file = "/run/secrets/smtp"
    from = "syncwatch <syncwatch@orchard.example>"
    to = ["noc@orchard.example", "Identity Team <identity@orchard.example>"]
    fallback = "noc-teams"

    [[receiver]]
    name = "noc-teams"
    kind = "teams"
    url_file = "/run/secrets/teams"

    [[receiver]]
    name = "tickets"
    kind = "webhook"
    url = "http://127.0.0.1:8080/hook"
    secret = "tulip"
    headers = { Authorization = "Bearer daffodil" }
    timeout = "3s"
    retry_first = "1s"
    retry_cap = "1m"
    give_up_after = "2h"
    fallback = "none"

    [[route]]
    match = { tenant = "orchard", engine = ["connect", "cloud"] }
    min_severity = "critical"
    rules = ["WindowMissed", "JobQuarantined"]
    receivers = ["noc-mail", "tickets"]
    continue = true
    send_resolved = false

    [[route]]
    receivers = ["noc-teams"]
"#;

#[test]
fn a_good_file_is_understood_with_its_defaults() {
    let found = read(GOOD).unwrap();
    let [mail, teams, webhook] = &found.receivers[..] else {
        panic!("{found:?}");
    };
    let Channel::Mail(settings) = &mail.channel else {
        panic!("{mail:?}");
    };
    assert_eq!((settings.port, settings.tls), (587, MailTls::StartTls));
    assert_eq!(settings.to.len(), 2);
    assert_eq!(mail.timeout, Duration::from_secs(30));
    assert_eq!(mail.fallback, Fallback::Named("noc-teams".into()));
    assert_eq!(teams.fallback, Fallback::Another);
    let Channel::Teams(settings) = &teams.channel else {
        panic!("{teams:?}");
    };
    assert_eq!(settings.pace, Duration::from_secs(2));
    assert_eq!(teams.give_up_after, Duration::from_secs(24 * 3_600));
    assert_eq!(webhook.timeout, Duration::from_secs(3));
    assert_eq!(webhook.fallback, Fallback::Nobody);
    let waits = Backoff {
        first: Span::secs(1),
        cap: Span::minutes(1),
    };
    assert_eq!(webhook.backoff, waits);
    let route = Route {
        labels: vec![
            ("engine".into(), vec!["connect".into(), "cloud".into()]),
            ("tenant".into(), vec!["orchard".into()]),
        ],
        min_severity: Severity::Critical,
        rules: vec![Rule::WindowMissed, Rule::JobQuarantined],
        receivers: vec!["noc-mail".into(), "tickets".into()],
        go_on: true,
        send_resolved: false,
    };
    assert_eq!(found.routes[0], route);
    assert_eq!(found.routes[1].min_severity, Severity::Info);
    assert!(found.routes[1].send_resolved && !found.routes[1].go_on);
}

#[test]
fn an_empty_file_is_good() {
    let found = read("").unwrap();
    assert!(found.receivers.is_empty() && found.routes.is_empty());
}

#[test]
fn every_mistake_is_reported_at_once_with_place_and_hint() {
    let found = complaints(
        r#"
            [[receiver]]
            kind = "sms"
            timeout = "10"
            retry_first = "10m"
            retry_cap = "1m"
            give_up_after = "400d"

            [[receiver]]
            name = "noc mail"
            kind = "mail"
            host = "smtp.orchard.example:25"
            port = 0
            tls = "none"
            username = "monitor"
            from = "syncwatch"
            to = []
            hello = "a b"
            url = "https://orchard.example/hook"
            fallback = "nobody"

            [[receiver]]
            name = "plain-mail"
            kind = "mail"
            host = "smtp.orchard.example"
            tls = "none"
            password = "tulip"
            from = "syncwatch@orchard.example"
            to = ["noc@orchard.example", "noc at orchard"]
            fallback = "plain-mail"

            [[receiver]]
            name = "hook"
            kind = "webhook"
            url = "http://hook.orchard.example/in"
            secret = "tulip"
            secret_file = "/run/secrets/hook"
            headers = { Host = "elsewhere", "X-Two Words" = "x", X-Line = "a\nb" }

            [[receiver]]
            name = "hook"
            kind = "webhook"
            url = "https://monitor:tulip@hook.orchard.example/in"

            [[receiver]]
            name = "old-teams"
            kind = "teams"
            url = "https://orchard.webhook.office.com/webhookb2/tulip"
            host = "x"

            [[receiver]]
            name = "teams-a"
            kind = "teams"
            url_file = "/run/secrets/teams"

            [[receiver]]
            name = "teams-b"
            kind = "teams"
            url_file = "/run/secrets/teams"

            [[receiver]]
            name = "teams-c"
            kind = "teams"
            url = "ftp://tulip"
            pace = "1h"

            [[receiver]]
            name = "teams-d"
            kind = "teams"

            [[route]]
            match = { tenand = "orchard", engine = "conect", kind = [], severity = "critical", rule = "x" }
            min_severity = "high"
            rules = ["WindowMised"]
            receivers = ["hok"]

            [[route]]
        "#,
    );
    snapshot("config_problems", &found);
}

#[test]
fn no_complaint_and_no_debug_form_repeats_a_secret() {
    let found = read(GOOD).unwrap();
    let printed = format!("{found:?}");
    assert!(
        !printed.contains("tulip") && !printed.contains("daffodil"),
        "{printed}"
    );
    let complaints = complaints(
        r#"
        [[receiver]]
        name = "a"
        kind = "teams"
        url = "http://tulip.example/?sig=tulip"
        [[receiver]]
        name = "b"
        kind = "webhook"
        url = "tulip"
        headers = { "x y" = "tulip" }
        secret = " "
        "#,
    );
    assert_eq!(complaints.lines().count(), 4, "{complaints}");
    assert!(!complaints.contains("tulip"), "{complaints}");
}

#[test]
fn a_secret_of_the_wrong_type_is_refused_without_being_repeated() {
    for key in ["password", "url", "secret", "headers = { Authorization"] {
        let close = if key.contains('{') { "}" } else { "" };
        let text = format!("[[receiver]]\n{key} = 734512 {close}");
        let error = toml::from_str::<File>(&text).unwrap_err();
        let message = error.message();
        assert!(message.contains("text in quotes"), "{key}: {message}");
        assert!(!message.contains("734512"), "{key}: {message}");
    }
}

#[test]
fn unknown_keys_and_wrong_types_are_refused() {
    for (text, expected) in [
        ("[[receiver]]\nhots = \"x\"", "unknown field `hots`"),
        ("[[receiver]]\nport = \"x\"", "expected u16"),
        ("[[route]]\nreceiver = \"x\"", "unknown field `receiver`"),
        (
            "[[route]]\nmatch = { tenant = 3 }",
            "expected a text or a list of texts",
        ),
    ] {
        let error = toml::from_str::<File>(text).unwrap_err();
        assert!(
            error.message().contains(expected),
            "{text}: {}",
            error.message()
        );
    }
}

#[test]
fn mail_without_tls_and_plain_http_are_for_loopback() {
    for host in ["127.0.0.1", "::1", "localhost", "127.9.9.9"] {
        let bracketed = if host.contains("::") {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        let text = format!(
            "[[receiver]]\nname = \"m\"\nkind = \"mail\"\nhost = \"{host}\"\ntls = \"none\"\n\
             from = \"a@b.example\"\nto = [\"c@d.example\"]\n\
             [[receiver]]\nname = \"w\"\nkind = \"webhook\"\nurl = \"http://{bracketed}:1/\"\n"
        );
        let found = read(&text).unwrap();
        let Channel::Mail(mail) = &found.receivers[0].channel else {
            panic!("{found:?}");
        };
        assert_eq!(mail.port, 25);
    }
}

#[test]
fn every_key_has_a_description_in_the_schema() {
    for schema in [
        schemars::schema_for!(RawReceiver),
        schemars::schema_for!(RawRoute),
    ] {
        let schema = serde_json::to_value(schema).unwrap();
        assert_eq!(schema["additionalProperties"], false);
        let properties = schema["properties"].as_object().unwrap();
        assert!(properties.len() >= 6);
        for (key, property) in properties {
            assert!(property["description"].is_string(), "{key}: {property}");
        }
    }
}

#[test]
fn the_schema_names_the_words_and_defaults_that_the_checks_use() {
    let schema = serde_json::to_value(schemars::schema_for!(RawReceiver)).unwrap();
    let minimal = |kind: &str| {
        let rest = match kind {
            "mail" => "host = \"127.0.0.1\"\nfrom = \"a@b.example\"\nto = [\"c@d.example\"]",
            _ => "url = \"https://orchard.example/\"",
        };
        let text = format!("[[receiver]]\nname = \"r\"\nkind = \"{kind}\"\n{rest}\n");
        read(&text).unwrap().receivers.remove(0)
    };
    let default = |key: &str| {
        Span::parse(schema["properties"][key]["default"].as_str().unwrap())
            .unwrap()
            .0
    };
    for kind in schema["properties"]["kind"]["enum"].as_array().unwrap() {
        let receiver = minimal(kind.as_str().unwrap());
        assert_eq!(receiver.backoff.first.0, default("retry_first"));
        assert_eq!(receiver.backoff.cap.0, default("retry_cap"));
        assert_eq!(receiver.give_up_after, default("give_up_after"));
        if let Channel::Teams(teams) = receiver.channel {
            assert_eq!(teams.pace, default("pace"));
        }
    }
    for tls in schema["properties"]["tls"]["enum"].as_array().unwrap() {
        let text = format!(
            "[[receiver]]\nname = \"r\"\nkind = \"mail\"\nhost = \"127.0.0.1\"\ntls = {tls}\n\
             from = \"a@b.example\"\nto = [\"c@d.example\"]\n"
        );
        assert!(read(&text).is_ok(), "{tls}");
    }
    let schema = serde_json::to_value(schemars::schema_for!(RawRoute)).unwrap();
    let words: Vec<_> = Severity::ALL.iter().map(|word| word.as_str()).collect();
    assert_eq!(
        schema["properties"]["min_severity"]["enum"],
        serde_json::json!(words)
    );
    assert_eq!(schema["properties"]["min_severity"]["default"], "info");
    assert_eq!(schema["properties"]["send_resolved"]["default"], true);
}
