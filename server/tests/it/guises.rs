//! The program under the names that the demo gives it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::until;

/// The program under another name, as the demo makes it.
fn guise(folder: &Path, name: &str) -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_syncwatch"));
    let path = folder
        .join(name)
        .with_extension(std::env::consts::EXE_EXTENSION);
    std::fs::hard_link(program, &path)
        .or_else(|_| std::fs::copy(program, &path).map(drop))
        .unwrap();
    path
}

/// Ended even when an assertion fails.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test]
async fn an_agent_of_the_demo_runs_until_the_demo_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    std::fs::write(home.join("token"), "tulip-of-the-demo").unwrap();
    // A bare name is looked for on the path of the system, where nobody has this one.
    let text = "[agent]\ndata_dir = \"data\"\nhost = \"SYNC01\"\ninterpreter = \"no-such-powershell\"\n\
                [service]\nurl = \"http://127.0.0.1:9\"\ntoken_file = \"token\"\n";
    let file = home.join("syncwatch-agent.toml");
    std::fs::write(&file, text).unwrap();
    let agent = Command::new(guise(home, "syncwatch-demo-agent"))
        .args(["run", "--config"])
        .arg(&file)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut agent = Ended(agent);
    until("the agent to spool", async || {
        if let Some(status) = agent.0.try_wait().unwrap() {
            panic!("it ended before: {status}");
        }
        home.join("data/spool")
            .exists()
            .then_some(())
            .ok_or("no spool")
    })
    .await;
    // What the system does with the pipe when the demo is killed.
    drop(agent.0.stdin.take());
    until("the agent to end", async || {
        match agent.0.try_wait().unwrap() {
            Some(status) if status.success() => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

#[test]
fn the_powershell_of_the_demo_takes_the_command_line_of_an_agent_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let program = guise(folder.path(), "syncwatch-demo-powershell");
    let code = |arguments: &[&str]| {
        let output = Command::new(&program)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        output.status.code()
    };
    assert_eq!(
        code(syncwatch_agent::powershell::script::ARGUMENTS),
        Some(0)
    );
    assert_eq!(code(&["version"]), Some(64));
}
