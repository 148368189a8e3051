#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use serde_json::json;

use super::*;

const PROVIDER: &str = "Directory Synchronization";

fn event(id: i64, message: &str) -> Value {
    json!({
        "LogName": "Application",
        "ProviderName": if id > 6000 { "ADSync" } else { PROVIDER },
        "Id": id,
        "Level": 4,
        "RecordId": 77_001,
        "TimeCreated": "2026-11-18T08:15:00.0000000Z",
        "Message": message,
        "Properties": [message],
    })
}

fn cleaned(section: Section, data: Value) -> Value {
    let mut reading = Reading::of(vec![data]);
    clean(section, &mut reading, false);
    reading.data.remove(0)
}

fn request(name: &str) -> String {
    format!(
        "Password Change Request - Anchor : c2VjcmV0LWFuY2hvcg==, CloudAnchor: User_1d2c, Dn : CN={name},OU=Staff,DC=ad,DC=hauser,DC=example, Change Date : 11/18/2026 08:14:02"
    )
}

fn result(name: &str, word: &str) -> String {
    format!(
        "Password Change Result - Anchor : c2VjcmV0LWFuY2hvcg==, Dn : CN={name},OU=Staff,DC=ad,DC=hauser,DC=example, PwdChangeOnLogon=False, Result : {word}."
    )
}

const TAIL: &str = "\r\n<forest-info>\r\n  <partition-name>DC=ad,DC=hauser,DC=example</partition-name>\r\n  <connector-id>0b7c</connector-id>\r\n</forest-info>";

#[test]
fn requests_keep_their_number_and_nothing_of_the_users() {
    let message = format!("{}\r\n{}{TAIL}", request("Lena Vogt"), request("Tom, Ash"));
    let after = cleaned(Section::Events, event(REQUESTS, &message));
    assert_eq!(
        after["Message"],
        format!("Password Change Request\r\nPassword Change Request{TAIL}")
    );
    assert_eq!(after.get("Properties"), None);
    assert_eq!(after["RecordId"], 77_001);
    let printed = after.to_string();
    for secret in ["Lena", "Ash", "anchor", "c2Vj", "User_", "Staff"] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
}

#[test]
fn results_keep_what_became_of_each() {
    let message = [
        result("Lena Vogt", "Success"),
        result("Result : Mallory", "FilteredByTarget"),
        result("Tom Ash", "<Tom Ash>"),
    ]
    .join("\r\n");
    let after = cleaned(Section::Events, event(RESULTS, &message));
    let lines: Vec<&str> = after["Message"].as_str().unwrap().lines().collect();
    assert_eq!(
        lines,
        [
            "Password Change Result - Result : Success.",
            "Password Change Result - Result : FilteredByTarget.",
            "Password Change Result - Result : Other.",
        ]
    );
}

#[test]
fn an_event_without_message_is_counted_by_its_data() {
    let mut bare = event(RESULTS, "");
    bare["Message"] = Value::Null;
    bare["Properties"] = json!([result("Lena Vogt", "Success")]);
    bare["UserData"] = json!({ "who": "Lena Vogt" });
    let after = cleaned(Section::Events, bare);
    assert_eq!(
        after["Message"],
        "Password Change Result - Result : Success."
    );
    assert!(!after.to_string().contains("Lena"), "{after}");
}

#[test]
fn numbers_that_the_host_counted_pass() {
    let counted = json!({
        "Kind": "Count", "LogName": "Application", "ProviderName": PROVIDER, "Id": 657,
        "Count": 12, "FirstAt": "2026-11-18T08:15:00Z", "LastAt": "2026-11-18T08:19:00Z",
    });
    assert_eq!(cleaned(Section::Events, counted.clone()), counted);
}

#[test]
fn the_error_of_an_object_keeps_its_name_and_its_attributes() {
    let message = "ECMA2 MA export run caused an error. \r\n \r\nDN: CN={5a6d4e76} \r\nError Name: AttributeValueMustBeUnique \r\nError Detail: values that may already be associated with another object: [ProxyAddresses smtp:lena.vogt@hauser.example;MailNickname lvogt;].";
    let after = cleaned(Section::Events, event(6941, message));
    assert_eq!(
        after["Message"],
        "ECMA2 MA export run caused an error. \r\n \r\nDN: CN=(hidden)\r\nError Name: AttributeValueMustBeUnique \r\nError Detail: values that may already be associated with another object: [ProxyAddresses;MailNickname]."
    );
    assert_eq!(after["Properties"][0], after["Message"]);
}

#[test]
fn events_in_a_list_of_their_own_are_cleaned_too() {
    let wrapped = json!({ "value": [event(REQUESTS, &request("Lena Vogt"))], "Count": 1 });
    let after = cleaned(Section::Events, wrapped);
    assert!(!after.to_string().contains("Lena"), "{after}");
    assert_eq!(after["value"][0]["Message"], "Password Change Request");
}

#[test]
fn what_administrators_did_is_kept() {
    let mut action = event(
        2512,
        "CN=Users,DC=ad,DC=hauser,DC=example was excluded by max@hauser.example",
    );
    action["ProviderName"] = json!(ADMIN_ACTIONS);
    assert_eq!(cleaned(Section::Events, action.clone()), action);
}

#[test]
fn errors_of_runs_lose_the_names_of_their_objects() {
    let run = json!({
        "ConnectorName": "hauser.example - AAD",
        "RunStepResults": [{ "SyncErrors": { "SyncErrorsList": [{
            "ObjectDisplayName": "Lena Vogt",
            "ObjectDn": "CN=Lena Vogt,OU=Staff,DC=ad,DC=hauser,DC=example",
            "ErrorType": "sync-rule-error",
        }] }, "StepXml": "<step dn=\"CN=Lena Vogt,OU=Staff\"><partition>DC=ad</partition></step>" }],
    });
    let after = cleaned(Section::Runs, run);
    let step = &after["RunStepResults"][0];
    let error = &step["SyncErrors"]["SyncErrorsList"][0];
    assert_eq!(error.get("ObjectDisplayName"), None);
    assert_eq!(
        error["ObjectDn"],
        "CN=(hidden),OU=Staff,DC=ad,DC=hauser,DC=example"
    );
    assert_eq!(error["ErrorType"], "sync-rule-error");
    assert_eq!(
        step["StepXml"],
        "<step dn=\"CN=(hidden),OU=Staff\"><partition>DC=ad</partition></step>"
    );
}

#[test]
fn names_leave_when_that_is_switched_on() {
    let before = event(REQUESTS, &request("Lena Vogt"));
    let mut reading = Reading::of(vec![before.clone()]);
    clean(Section::Events, &mut reading, true);
    assert_eq!(reading.data, [before]);
}

#[test]
fn texts_about_failures_are_short_and_name_nobody() {
    use syncwatch_domain::report::SectionFailure;
    let text = format!("lena.vogt@hauser.example: {}", "é".repeat(2000));
    let mut reading = Reading::failed(SectionFailure::AccessDenied, text);
    clean(Section::Rules, &mut reading, false);
    let text = reading.failure_text.unwrap();
    assert!(text.starts_with("(hidden)@hauser.example: é"), "{text}");
    assert_eq!(text.chars().count(), LONGEST_FAILURE);
}

#[test]
fn names_are_hidden_and_places_are_not() {
    for (before, after) in [
        ("CN=Vogt\\, Lena,OU=Staff,DC=x", "CN=(hidden),OU=Staff,DC=x"),
        ("cn = Lena, ou=Staff", "cn =(hidden), ou=Staff"),
        ("uid=lvogt+CN=Lena,DC=x", "uid=(hidden)+CN=(hidden),DC=x"),
        ("OU=Staff,DC=x", "OU=Staff,DC=x"),
        ("ACN=1 CN", "ACN=1 CN"),
        ("mail ß.ö@x.example;", "mail (hidden)@x.example;"),
        (
            "SMTP:a@x.example b@y.example",
            "SMTP:(hidden)@x.example (hidden)@y.example",
        ),
        ("at @ noon, @home", "at @ noon, @home"),
        ("", ""),
    ] {
        assert_eq!(hide(before), after, "{before}");
    }
}

proptest! {
    #[test]
    fn no_text_is_too_odd(text in "(CN=|[ -~]|[àß@=,;\\\\\"\r\n]|Password Change Result|Result :|\\[|\\]){0,40}") {
        let once = hide(&text);
        prop_assert_eq!(hide(&once).len(), hide(&hide(&once)).len());
        for id in [656, 657, 6941, 611] {
            cleaned(Section::Events, event(id, &text));
        }
    }

    #[test]
    fn a_name_never_stays(name in "[A-Z][a-z]{3,9} [A-Z][a-z]{3,9}", word in "(Success|Failed)") {
        for (id, text) in [(656, request(&name)), (657, result(&name, &word)), (611, request(&name)), (6941, request(&name))] {
            let after = cleaned(Section::Events, event(id, &text)).to_string();
            prop_assert!(!after.contains(&name), "{}", after);
        }
    }
}
