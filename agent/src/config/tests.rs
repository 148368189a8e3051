#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

const FILE: &str = "syncwatch-agent.toml";

fn loaded(text: &str) -> Result<Config, String> {
    load(FILE, text, Path::new("/etc/syncwatch")).map_err(|report| report.to_string())
}

const LEAST: &str = r#"
[service]
url = "https://syncwatch.hauser.example:9748"
token_file = "token"
"#;

#[test]
fn little_is_needed() {
    let config = loaded(LEAST).unwrap();
    let service = config.service.clone().unwrap();
    assert_eq!(service.url, "https://syncwatch.hauser.example:9748/");
    assert_eq!(service.token, Some(PathBuf::from("/etc/syncwatch/token")));
    assert_eq!(config.listen, None);
    assert_eq!(config.spool_bytes, 256 * 1024 * 1024);
    assert!(!config.user_names, "names of users stay unless asked for");
    for section in Section::ALL {
        assert_eq!(config.schedule(*section), Schedule::of(*section));
    }
}

#[test]
fn everything_can_be_said() {
    let config = loaded(
        r#"
        [agent]
        data_dir = "data"
        host = "SYNC01"
        interpreter = "bin/powershell"
        log_level = "debug"
        [service]
        url = "http://127.0.0.1:9746/base/"
        client_cert_file = "/a.pem"
        client_key_file = "/a.key"
        ca_file = "/ca.pem"
        timeout = "5s"
        [listen]
        addr = "0.0.0.0:9749"
        cert_file = "/b.pem"
        key_file = "/b.key"
        client_ca_file = "/clients.pem"
        [sections.rules]
        interval = "30m"
        timeout = "2m"
        enabled = true
        [sections.database]
        enabled = false
        [spool]
        max_bytes = "1GiB"
        [privacy]
        user_names = true
        "#,
    )
    .unwrap();
    assert_eq!(config.data_dir, Path::new("/etc/syncwatch/data"));
    assert_eq!(
        config.interpreter,
        Path::new("/etc/syncwatch/bin/powershell")
    );
    assert_eq!(config.log_level, LevelFilter::DEBUG);
    assert_eq!(config.service.as_ref().unwrap().timeout.as_secs(), 5);
    assert!(config.service.unwrap().files.pair.is_some());
    assert_eq!(config.listen.unwrap().addr.port(), 9749);
    assert_eq!(config.spool_bytes, 1 << 30);
    assert!(config.user_names);
    let written: Vec<_> = config
        .sections
        .iter()
        .map(|(one, how)| (*one, how.enabled))
        .collect();
    assert_eq!(
        written,
        [
            (Section::Rules, Some(true)),
            (Section::Database, Some(false))
        ]
    );
}

#[test]
fn every_mistake_is_told_at_once_with_its_place_and_a_hint() {
    let report = loaded(
        r#"[agent]
log_level = "loud"
colour = "red"
[service]
url = "http://syncwatch.hauser.example"
client_key_file = "/a.key"
timeout = 5
[listen]
addr = "0.0.0.0"
[sections.rules]
interval = "1s"
[sections.rule]
enabled = "yes"
[spool]
max_bytes = "lots"
"#,
    )
    .unwrap_err();
    let expected = r#"syncwatch-agent.toml: 9 problems

  line 2, column 1: agent.log_level
    "loud" is no level
    -> use one of: error, warn, info, debug, trace

  line 3, column 1: agent.colour
    "colour" is no key of this table
    -> remove it, or use one of: data_dir, host, interpreter, log_level

  line 4, column 2: service.client_cert_file
    client_key_file is of no use alone
    -> a certificate and its key come together

  line 5, column 1: service.url
    reports and tokens must not travel readable
    -> write for example https://syncwatch.hauser.example:9748

  line 7, column 1: service.timeout
    a text is expected here
    -> put the value in double quotes

  line 9, column 1: listen.addr
    "0.0.0.0" is not an address with a port
    -> write for example 0.0.0.0:9749

  line 11, column 1: sections.rules.interval
    1s is out of range
    -> write a duration from 5s to 7d

  line 12, column 11: sections.rule
    "rule" is no key of this table
    -> did you mean "rules"?

  line 15, column 1: spool.max_bytes
    a number of bytes is expected here
    -> write a number from 16777216 to 1099511627776, or a text such as "256MiB""#;
    assert_eq!(report, expected);
}

#[test]
fn an_agent_that_nobody_hears_is_refused() {
    let report = loaded("").unwrap_err();
    assert!(report.contains("nobody would learn"), "{report}");
    let report = loaded("[service]").unwrap_err();
    assert!(
        report.contains("address of the service is missing"),
        "{report}"
    );
    assert!(report.contains("could not tell who reports"), "{report}");
}

#[test]
fn nothing_travels_readable_beyond_this_machine() {
    let listen = |addr: &str, more: &str| loaded(&format!("[listen]\naddr = \"{addr}\"\n{more}"));
    let token = "token_file = \"/t\"";
    assert!(listen("127.0.0.1:9749", token).is_ok());
    assert!(listen("[::1]:9749", token).is_ok());
    for (addr, more, why) in [
        ("10.0.0.1:9749", token, "must not travel readable"),
        ("127.0.0.1:9749", "", "anybody could ask"),
        (
            "127.0.0.1:9749",
            "client_ca_file = \"/ca\"",
            "shown over TLS only",
        ),
    ] {
        let report = listen(addr, more).unwrap_err();
        assert!(report.contains(why), "{addr} {more}: {report}");
    }
    for url in [
        "ftp://a",
        "syncwatch",
        "https://u:p@a.example",
        "https://a.example/?x=1",
        "http://10.0.0.1",
        "https://",
    ] {
        let text = format!("[service]\ntoken_file = \"/t\"\nurl = \"{url}\"");
        assert!(loaded(&text).is_err(), "{url}");
    }
    for url in ["http://localhost:1", "http://[::1]:1", "http://127.0.0.2"] {
        let text = format!("[service]\ntoken_file = \"/t\"\nurl = \"{url}\"");
        assert!(loaded(&text).is_ok(), "{url}");
    }
}

#[test]
fn a_text_that_is_no_toml_says_where() {
    let report = loaded("[service\nurl = 1").unwrap_err();
    assert!(report.contains("line 1, column"), "{report}");
    assert!(report.contains("this is not TOML"), "{report}");
}

#[test]
fn files_that_are_missing_are_all_named() {
    let config = loaded(
        "[service]\nurl = \"https://a.example\"\ntoken_file = \"/nowhere/t\"\nca_file = \"/nowhere/ca\"",
    )
    .unwrap();
    let report = config.check_files(FILE).unwrap_err().to_string();
    assert!(report.contains("2 problems"), "{report}");
    assert!(report.contains("service.token_file"), "{report}");
    assert!(report.contains("/nowhere/ca cannot be read"), "{report}");
}

#[test]
fn the_data_folder_is_found_in_a_file_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agent.toml");
    for (text, named) in [
        ("[agent]\ndata_dir = \"data\"\n[service]\nurl = 7\n", true),
        ("[agent]\ndata_dir = \"data\"\n[service\n", true),
        ("[agent]\ndata_dir = 7\n", false),
        ("agent = 7", false),
        ("", false),
    ] {
        std::fs::write(&file, text).unwrap();
        let expected = if named {
            folder.path().join("data")
        } else {
            default_data_dir()
        };
        assert_eq!(data_dir_of(&file), expected, "{text}");
    }
    assert_eq!(
        data_dir_of(Path::new("/nowhere/agent.toml")),
        default_data_dir()
    );
}
