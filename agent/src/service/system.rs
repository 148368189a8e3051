//! Windows: its service manager, and the entry point that it calls.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use windows_service::service::{
    ServiceAccess, ServiceAction, ServiceActionType, ServiceControl, ServiceControlAccept,
    ServiceErrorControl, ServiceExitCode, ServiceFailureActions, ServiceFailureResetPeriod,
    ServiceInfo, ServiceSidType, ServiceStartType, ServiceState, ServiceStatus, ServiceType,
};
use windows_service::service_control_handler::{
    self, ServiceControlHandlerResult, ServiceStatusHandle,
};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};
use windows_service::{define_windows_service, service_dispatcher};

use super::{
    Installation, Life, Manager, ManagerError, NAME, Phase, Reporter, ServiceError, State, Stop,
};
use crate::cli;

/// Between two questions for the state.
const PAUSE: Duration = Duration::from_millis(250);
/// How long the system waits for the next phase before it calls the service hung.
const HINT: Duration = Duration::from_secs(20);
/// There is no service of this name.
const NO_SUCH_SERVICE: i32 = 1060;
/// The service was never started: no error.
const NEVER_STARTED: u32 = 1077;

/// The file that the service was started with; its entry point gets no arguments of ours.
static CONFIG: OnceLock<PathBuf> = OnceLock::new();

define_windows_service!(entry, main);

pub(super) fn manager() -> Result<Box<dyn Manager>, ServiceError> {
    Ok(Box::new(System))
}

/// Hands the process to the system until the service is over.
pub(super) fn serve(config: &Path) -> Result<(), ServiceError> {
    let _only_once = CONFIG.set(config.to_owned());
    service_dispatcher::start(NAME, entry)
        .map_err(refused("the system did not start this as a service"))?;
    Ok(())
}

fn main(_arguments: Vec<OsString>) {
    let life = Arc::new(OnceLock::<Life<Handle>>::new());
    let told = Arc::clone(&life);
    let handle = service_control_handler::register(NAME, move |control| match control {
        ServiceControl::Stop | ServiceControl::Shutdown => {
            if let Some(life) = told.get() {
                life.told_to_stop();
            }
            ServiceControlHandlerResult::NoError
        }
        ServiceControl::Interrogate => ServiceControlHandlerResult::NoError,
        _ => ServiceControlHandlerResult::NotImplemented,
    });
    // Without a handle nobody can be told anything.
    let Ok(handle) = handle else {
        return;
    };
    let config = CONFIG.get().cloned().unwrap_or_default();
    let life = life.get_or_init(|| Life::new(Handle(handle), Stop::default()));
    life.live(|ready, stop| cli::run_service(&config, ready, stop.asked()));
}

struct Handle(ServiceStatusHandle);

impl Reporter for Handle {
    fn report(&self, phase: Phase) {
        let (state, accepted, code) = match phase {
            Phase::Starting => (ServiceState::StartPending, ServiceControlAccept::empty(), 0),
            Phase::Running => (
                ServiceState::Running,
                ServiceControlAccept::STOP | ServiceControlAccept::SHUTDOWN,
                0,
            ),
            Phase::Stopping => (ServiceState::StopPending, ServiceControlAccept::empty(), 0),
            Phase::Stopped(code) => (ServiceState::Stopped, ServiceControlAccept::empty(), code),
        };
        let pending = matches!(phase, Phase::Starting | Phase::Stopping);
        let status = ServiceStatus {
            service_type: ServiceType::OWN_PROCESS,
            current_state: state,
            controls_accepted: accepted,
            exit_code: match code {
                0 => ServiceExitCode::NO_ERROR,
                code => ServiceExitCode::ServiceSpecific(code.into()),
            },
            checkpoint: u32::from(pending),
            wait_hint: if pending { HINT } else { Duration::ZERO },
            process_id: None,
        };
        if let Err(error) = self.0.set_service_status(status) {
            tracing::warn!("the system was not told that the service is {phase:?}: {error}");
        }
    }
}

struct System;

impl System {
    fn open(access: ServiceAccess) -> windows_service::Result<windows_service::service::Service> {
        let manager = ServiceManager::local_computer(None::<&str>, ServiceManagerAccess::CONNECT)?;
        manager.open_service(NAME, access)
    }
}

impl Manager for System {
    fn install(&self, installation: &Installation) -> Result<Vec<String>, ManagerError> {
        let failed = refused("the service cannot be registered");
        let access = ServiceManagerAccess::CONNECT | ServiceManagerAccess::CREATE_SERVICE;
        let manager = ServiceManager::local_computer(None::<&str>, access).map_err(&failed)?;
        let (account, password) = match &installation.account {
            Some((account, password)) => {
                let password = password.as_ref().map(|one| one.expose().into());
                (Some(account.into()), password)
            }
            None => (None, None),
        };
        let info = ServiceInfo {
            name: NAME.into(),
            display_name: installation.display_name.into(),
            service_type: ServiceType::OWN_PROCESS,
            start_type: ServiceStartType::AutoStart,
            error_control: ServiceErrorControl::Normal,
            executable_path: installation.program.clone(),
            launch_arguments: installation.arguments.clone(),
            dependencies: Vec::new(),
            account_name: account,
            account_password: password,
        };
        let access = ServiceAccess::CHANGE_CONFIG | ServiceAccess::START;
        let service = manager.create_service(&info, access).map_err(&failed)?;
        let actions = installation.restarts.map(|delay| ServiceAction {
            action_type: ServiceActionType::Restart,
            delay,
        });
        let recovery = ServiceFailureActions {
            reset_period: ServiceFailureResetPeriod::After(installation.forgets_after),
            reboot_msg: None,
            command: None,
            actions: Some(actions.to_vec()),
        };
        let beside = [
            (
                "its description",
                service.set_description(installation.description),
            ),
            (
                "a start after those of the system",
                service.set_delayed_auto_start(true),
            ),
            (
                "what happens when it fails",
                service.update_failure_actions(recovery),
            ),
            (
                "the same when it ends with an error",
                service.set_failure_actions_on_non_crash_failures(true),
            ),
            (
                "an identity for access rights",
                service.set_config_service_sid_info(ServiceSidType::Unrestricted),
            ),
        ];
        let missed = beside.into_iter().filter_map(|(what, result)| {
            let error = result.err()?;
            Some(format!("{what}: {}", crate::chain(&error)))
        });
        Ok(missed.collect())
    }

    fn remove(&self) -> Result<(), ManagerError> {
        Self::open(ServiceAccess::DELETE)
            .and_then(|service| service.delete())
            .map_err(refused("the service cannot be removed"))
    }

    fn start(&self) -> Result<(), ManagerError> {
        Self::open(ServiceAccess::START)
            .and_then(|service| service.start::<&str>(&[]))
            .map_err(refused("the service cannot be started"))
    }

    fn stop(&self) -> Result<(), ManagerError> {
        Self::open(ServiceAccess::STOP)
            .and_then(|service| service.stop().map(drop))
            .map_err(refused("the service cannot be stopped"))
    }

    fn state(&self) -> Result<State, ManagerError> {
        match Self::open(ServiceAccess::QUERY_STATUS).and_then(|service| service.query_status()) {
            Ok(status) => Ok(of(&status)),
            Err(windows_service::Error::Winapi(error))
                if error.raw_os_error() == Some(NO_SUCH_SERVICE) =>
            {
                Ok(State::Absent)
            }
            Err(error) => Err(refused("the state of the service cannot be read")(error)),
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a command that waits does nothing else"
    )]
    fn wait(&self) -> Duration {
        std::thread::sleep(PAUSE);
        PAUSE
    }
}

fn of(status: &ServiceStatus) -> State {
    match status.current_state {
        ServiceState::Stopped => State::Stopped(match status.exit_code {
            ServiceExitCode::Win32(NEVER_STARTED) => 0,
            ServiceExitCode::Win32(code) | ServiceExitCode::ServiceSpecific(code) => code,
        }),
        ServiceState::StartPending | ServiceState::ContinuePending => State::Starting,
        ServiceState::StopPending => State::Stopping,
        ServiceState::Running | ServiceState::PausePending | ServiceState::Paused => State::Running,
    }
}

fn refused(action: &'static str) -> impl Fn(windows_service::Error) -> ManagerError {
    move |error| ManagerError {
        action,
        reason: crate::chain(&error),
    }
}
