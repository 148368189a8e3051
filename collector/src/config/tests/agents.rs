//! `[[tenant.agent]]`: by what an agent is known.

use super::*;

/// An agent with `changes` on top of its name.
fn agent(changes: &Value) -> Value {
    let mut agent = json!({"host": "SYNC01"});
    for (key, value) in changes.as_object().unwrap() {
        agent[key] = value.clone();
    }
    json!({"agent": [agent]})
}

#[test]
fn an_agent_is_known_by_a_token_or_by_a_certificate() {
    let asked = "https://sync01.larch.example:9749";
    for changes in [
        json!({"token_file": "/t"}),
        json!({"token": "a token that is long"}),
        json!({"certificate_name": "sync01.larch.example"}),
        json!({"url": asked, "token_file": "/t"}),
        json!({"url": asked, "client_certificate_file": "/c", "client_private_key_file": "/k"}),
        json!({"url": asked, "token_file": "/t", "client_certificate_file": "/c", "client_private_key_file": "/k"}),
    ] {
        assert_eq!(paths(&agent(&changes)), [""; 0], "{changes}");
    }
    for (changes, key) in [
        (json!({}), "token_file"),
        (json!({"token": "short"}), "token_file"),
        (
            json!({"token": "a token that is long", "token_file": "/t"}),
            "token_file",
        ),
        (
            json!({"token_file": "/t", "certificate_name": "a.example"}),
            "token_file",
        ),
        (
            json!({"certificate_name": "*.larch.example"}),
            "certificate_name",
        ),
        (json!({"certificate_name": " "}), "certificate_name"),
        (
            json!({"url": asked, "certificate_name": "a.example"}),
            "certificate_name",
        ),
        (
            json!({"url": asked, "client_certificate_file": "/c"}),
            "client_private_key_file",
        ),
        (
            json!({"url": asked, "client_private_key_file": "/k"}),
            "client_certificate_file",
        ),
        (
            json!({"token_file": "/t", "client_certificate_file": "/c", "client_private_key_file": "/k"}),
            "client_certificate_file",
        ),
    ] {
        let expected = format!("agent[0].{key}");
        assert_eq!(paths(&agent(&changes)), [expected], "{changes}");
    }
}

#[test]
fn files_of_agents_are_looked_at() {
    let changes = json!({
        "url": "https://sync01.larch.example:9749", "token_file": "/nowhere/t", "ca_file": "/nowhere/ca",
        "client_certificate_file": "/nowhere/c", "client_private_key_file": "/nowhere/k",
    });
    let problems = section(&agent(&changes)).check().unwrap().check_files();
    let found: Vec<String> = problems.into_iter().map(|problem| problem.path).collect();
    assert_eq!(
        found,
        [
            "agent[0].token_file",
            "agent[0].ca_file",
            "agent[0].client_certificate_file",
            "agent[0].client_private_key_file",
        ]
    );
}
