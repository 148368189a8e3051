#![expect(clippy::unwrap_used, reason = "tests")]

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::sync::{Arc, Mutex};

use super::*;

/// A service manager that remembers what it was told, and goes through the states of a script.
#[derive(Default)]
struct Recorder {
    told: RefCell<Vec<String>>,
    /// States in their turn; the last one stays.
    states: RefCell<Vec<State>>,
    waited: Cell<Duration>,
    installed: RefCell<Option<Installation>>,
    missed: Vec<String>,
}

impl Recorder {
    fn with(states: &[State]) -> Self {
        Self {
            states: RefCell::new(states.to_vec()),
            ..Self::default()
        }
    }

    fn note(&self, what: &str) {
        self.told.borrow_mut().push(what.to_owned());
    }

    fn told(&self) -> String {
        self.told.borrow().join(" ")
    }
}

impl Manager for Recorder {
    fn install(&self, installation: &Installation) -> Result<Vec<String>, ManagerError> {
        self.note("install");
        *self.installed.borrow_mut() = Some(installation.clone());
        Ok(self.missed.clone())
    }

    fn remove(&self) -> Result<(), ManagerError> {
        self.note("remove");
        Ok(())
    }

    fn start(&self) -> Result<(), ManagerError> {
        self.note("start");
        Ok(())
    }

    fn stop(&self) -> Result<(), ManagerError> {
        self.note("stop");
        Ok(())
    }

    fn state(&self) -> Result<State, ManagerError> {
        let mut states = self.states.borrow_mut();
        if states.len() > 1 {
            return Ok(states.remove(0));
        }
        states.first().copied().ok_or_else(|| ManagerError {
            action: "the state of the service cannot be read",
            reason: "access is denied".to_owned(),
        })
    }

    fn wait(&self) -> Duration {
        let pause = Duration::from_secs(1);
        self.waited.set(self.waited.get() + pause);
        pause
    }
}

fn args(folder: &Path, text: &str) -> InstallArgs {
    let file = folder.join("agent.toml");
    std::fs::write(&file, text).unwrap();
    std::fs::write(folder.join("token"), "a token of some length").unwrap();
    InstallArgs {
        config: ConfigArgs { config: file },
        account: None,
        password_file: None,
    }
}

const GOOD: &str = "[agent]\ndata_dir = \"data\"\n[service]\nurl = \"http://127.0.0.1:9\"\ntoken_file = \"token\"\n";

#[test]
fn it_is_registered_with_whole_paths_and_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let manager = Recorder {
        missed: vec!["its description: no".to_owned()],
        ..Recorder::with(&[State::Absent])
    };
    let text = install(&manager, &args(folder.path(), GOOD)).unwrap();
    assert!(
        text.contains("is registered") && text.contains("not set: its description"),
        "{text}"
    );
    let installed = manager.installed.borrow().clone().unwrap();
    let file = installed.arguments.last().map(PathBuf::from).unwrap();
    assert!(file.is_absolute() && installed.program.is_absolute());
    assert_eq!(
        installed.arguments[..3],
        ["service", "run", "--config"].map(OsString::from)
    );
    assert_eq!(installed.restarts.map(|wait| wait.as_secs()), [5, 30, 60]);
    assert_eq!(installed.account, None);
}

#[test]
fn an_account_gets_the_password_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "two words \r\n").unwrap();
    let mut args = args(folder.path(), GOOD);
    args.account = Some("HAUSER\\svc".to_owned());
    let account =
        |args: &InstallArgs| installation(args, PathBuf::from("/agent")).map(|made| made.account);
    assert_eq!(
        account(&args).unwrap(),
        Some(("HAUSER\\svc".to_owned(), None))
    );
    args.password_file = Some(secret);
    let password = Secret::new("two words ".to_owned());
    let expected = Some(("HAUSER\\svc".to_owned(), Some(password)));
    assert_eq!(account(&args).unwrap(), expected);
    assert!(!format!("{expected:?}").contains("two words"));
    args.password_file = Some(folder.path().join("none"));
    assert!(account(&args).unwrap_err().to_string().contains("none"));
}

#[test]
fn a_bad_configuration_or_a_second_one_registers_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (text, states, code, part) in [
        ("sing = true", &[State::Absent][..], 78, "sing"),
        (
            "[service]\nurl = \"https://x.example\"\ntoken_file = \"none\"\n",
            &[State::Absent],
            78,
            "none",
        ),
        (GOOD, &[State::Stopped(0)], 1, "registered already"),
        (GOOD, &[], 1, "access is denied"),
    ] {
        let manager = Recorder::with(states);
        let failed = install(&manager, &args(folder.path(), text)).unwrap_err();
        assert!(failed.to_string().contains(part), "{text}: {failed}");
        assert_eq!(failed.report(), code, "{text}");
        assert_eq!(manager.told(), "");
    }
}

#[test]
fn start_and_stop_wait_for_what_they_ask_for() {
    use State::{Running, Starting, Stopped, Stopping};
    type Deed = fn(&dyn Manager) -> Result<String, ServiceError>;
    let cases: [(Deed, &[State], &str, &str); 10] = [
        (
            start,
            &[Stopped(0), Stopped(0), Starting, Running],
            "start",
            "runs",
        ),
        (start, &[Running], "", "runs already"),
        (
            start,
            &[Stopped(0), Starting, Stopped(78)],
            "start",
            "ended with code 78",
        ),
        (
            start,
            &[Stopped(0), Starting],
            "start",
            "did not start within 30 s",
        ),
        (start, &[State::Absent], "", "no service"),
        (stop, &[Running, Stopping, Stopped(0)], "stop", "is stopped"),
        (stop, &[Stopped(1)], "", "stopped already"),
        (
            stop,
            &[Running, Stopping],
            "stop",
            "did not stop within 30 s",
        ),
        (
            uninstall,
            &[Running, Running, Stopping, Stopped(0)],
            "stop remove",
            "is removed",
        ),
        (uninstall, &[Stopped(0)], "remove", "data folder stays"),
    ];
    for (deed, states, told, part) in cases {
        let manager = Recorder::with(states);
        let text = deed(&manager).unwrap_or_else(|error| error.to_string());
        assert!(text.contains(part), "{states:?}: {text}");
        assert_eq!(manager.told(), told, "{states:?}");
        assert!(manager.waited.get() <= PATIENCE);
    }
}

#[test]
fn the_status_is_a_word_and_an_exit_code() {
    for (state, text, good) in [
        (State::Running, "running", true),
        (State::Stopped(0), "stopped", false),
        (State::Stopped(78), "ended with code 78", false),
        (State::Starting, "starting", false),
        (State::Stopping, "stopping", false),
    ] {
        let (told, is_good) = status(&Recorder::with(&[state])).unwrap();
        assert!(told.contains(text) && is_good == good, "{told}");
    }
    let absent = status(&Recorder::with(&[State::Absent])).unwrap_err();
    assert!(absent.to_string().contains("no service"), "{absent}");
}

/// A system that remembers the phases.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Phase>>>);

impl Reporter for Told {
    fn report(&self, phase: Phase) {
        self.0.lock().unwrap().push(phase);
    }
}

#[test]
fn phases_are_told_in_their_order_whatever_happens() {
    use Phase::{Running, Starting, Stopped, Stopping};
    let failed = || Failed::Service(ServiceError::Absent);
    let bad = || Config::read(Path::new("/nowhere/agent.toml")).unwrap_err();
    type Work = Box<dyn Fn(&Life<Told>, &dyn Fn()) -> Result<(), Failed>>;
    let cases: [(Work, &[Phase]); 6] = [
        (
            Box::new(|life, ready| {
                ready();
                life.told_to_stop();
                Ok(())
            }),
            &[Starting, Running, Stopping, Stopped(0)],
        ),
        // It is told to stop before it is ready, and never says that it runs.
        (
            Box::new(|life, ready| {
                life.told_to_stop();
                ready();
                Ok(())
            }),
            &[Starting, Stopping, Stopped(0)],
        ),
        (Box::new(move |_, _| Err(failed())), &[Starting, Stopped(1)]),
        (
            Box::new(move |_, _| Err(bad().into())),
            &[Starting, Stopped(78)],
        ),
        (
            Box::new(move |_, ready| {
                ready();
                Err(failed())
            }),
            &[Starting, Running, Stopped(1)],
        ),
        (
            Box::new(|life, ready| {
                ready();
                ready();
                life.told_to_stop();
                life.told_to_stop();
                Ok(())
            }),
            &[Starting, Running, Stopping, Stopped(0)],
        ),
    ];
    for (work, phases) in cases {
        let told = Told::default();
        let life = Life::new(told.clone(), Stop::default());
        let code = life.live(|ready, _| work(&life, ready));
        life.told_to_stop();
        assert_eq!(*told.0.lock().unwrap(), phases);
        assert_eq!(phases.last(), Some(&Stopped(code)));
    }
}

#[tokio::test]
async fn a_wish_to_stop_is_heard_before_and_after() {
    let stop = Stop::default();
    stop.ask();
    stop.clone().asked().await;
    let stop = Stop::default();
    let waits = stop.clone().asked();
    tokio::join!(waits, async { stop.ask() });
}

/// The whole service on this system, with a reporter that stops it as soon as it runs.
#[test]
fn a_service_does_its_work_and_writes_its_log() {
    struct StopsIt(Arc<std::sync::OnceLock<Stop>>, Told);
    impl Reporter for StopsIt {
        fn report(&self, phase: Phase) {
            self.1.report(phase);
            if phase == Phase::Running {
                self.0.get().unwrap().ask();
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agent.toml");
    let _ = args(folder.path(), GOOD);
    let (stop, told) = (Stop::default(), Told::default());
    let late = Arc::new(std::sync::OnceLock::from(stop.clone()));
    let life = Life::new(StopsIt(late, told.clone()), stop);
    let code = life.live(|ready, stop| crate::cli::run_service(&file, ready, stop.asked()));
    assert_eq!(code, 0);
    let phases = [Phase::Starting, Phase::Running, Phase::Stopped(0)];
    assert_eq!(*told.0.lock().unwrap(), phases);
    let log = std::fs::read_to_string(folder.path().join("data").join(LOG_FILE)).unwrap();
    assert!(
        log.contains("the agent is ready") && log.contains("the agent stopped"),
        "{log}"
    );
}

#[test]
fn a_log_does_not_grow_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(LOG_FILE);
    for _ in 0..2 {
        let mut log = LogFile::bounded(&path, 100).unwrap();
        for number in 0..100 {
            writeln!(log, "line {number}").unwrap();
        }
    }
    let names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .collect();
    assert_eq!(names.len(), 2);
    for entry in names {
        assert!(entry.metadata().unwrap().len() < 120, "{entry:?}");
    }
    let text = std::fs::read_to_string(&path).unwrap()
        + &std::fs::read_to_string(path.with_extension("old.log")).unwrap();
    assert!(text.contains("line 99"), "{text}");
}
