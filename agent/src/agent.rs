//! The running agent: a reader, a spool, and one or two ways home.

use std::fs::{File, TryLockError};
use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use crate::config::Config;
use crate::containers::Containers;
use crate::count::Times;
use crate::home::listen::{ListenError, Listener, Patience};
use crate::home::push::Pusher;
use crate::host::Host;
use crate::identity::{self, IdentityError};
use crate::reader::Reader;
use crate::shared::Shared;
use crate::spool::{Spool, SpoolError};

/// Folder of the spool within the data folder.
const SPOOL: &str = "spool";
/// File that is locked while an agent uses the data folder.
const LOCK: &str = "lock";

/// Why the agent cannot start.
#[derive(Debug, Error)]
pub enum AgentError {
    /// The data folder.
    #[error("cannot use {}: the account of the agent must be able to read and write there", path.display())]
    DataDir {
        /// The folder or file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Another agent.
    #[error("another agent uses {}: stop it, or give this one a data_dir of its own", path.display())]
    InUse {
        /// The data folder.
        path: PathBuf,
    },
    /// Who it is.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The spool.
    #[error("the spool cannot be opened")]
    Spool(#[from] SpoolError),
    /// The address.
    #[error(transparent)]
    Listen(#[from] ListenError),
}

/// An agent that is ready to run.
#[derive(Debug)]
pub struct Agent {
    shared: Arc<Shared>,
    reader: Reader,
    pusher: Option<Pusher>,
    listener: Option<Listener>,
    /// Held while the agent lives.
    _lock: File,
}

impl Agent {
    /// Opens the spool and takes the address, if there is one.
    ///
    /// # Errors
    /// When one of them cannot be used.
    pub async fn start(
        config: &Config,
        host: Box<dyn Host>,
        times: Times,
    ) -> Result<Self, AgentError> {
        let lock = lock(&config.data_dir)?;
        let id = identity::kept_id(&config.data_dir)?;
        let agent = identity::identity(id, config.host.as_deref())?;
        let folder = config.data_dir.join(SPOOL);
        let spool = Spool::open(&folder, config.spool_bytes, times.now())?;
        tracing::info!(
            agent = agent.id,
            host = agent.host,
            spooled_bytes = spool.bytes(),
            "the agent is ready"
        );
        let shared = Arc::new(Shared::new(times, agent, spool));
        let listener = match &config.listen {
            Some(listen) => {
                let patience = Patience::default();
                Some(Listener::bind(Arc::clone(&shared), listen, patience).await?)
            }
            None => None,
        };
        let pusher = config.service.clone();
        let pusher = pusher.map(|service| Pusher::new(Arc::clone(&shared), service));
        let schedule = |section| config.schedule(section);
        let containers = Containers::load(&config.data_dir);
        let user_names = config.user_names;
        let reader = Reader::new(Arc::clone(&shared), host, schedule, user_names, containers);
        Ok(Self {
            shared,
            reader,
            pusher,
            listener,
            _lock: lock,
        })
    }

    /// What the parts have in common.
    #[must_use]
    pub const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Where it listens, if it does.
    #[must_use]
    pub fn addr(&self) -> Option<SocketAddr> {
        self.listener.as_ref()?.addr().ok()
    }

    /// Works until `shutdown`. What is under way then is dropped: a reading will be made again,
    /// a report sent again.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) {
        let pushing = async {
            match &mut self.pusher {
                Some(pusher) => pusher.run().await,
                None => pending().await,
            }
        };
        let listening = async {
            match &mut self.listener {
                Some(listener) => listener.run().await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = shutdown => {}
            () = self.reader.run() => {}
            () = pushing => {}
            () = listening => {}
        }
    }
}

/// Makes the data folder, for the account of the agent alone.
#[cfg(unix)]
fn create(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(folder)
}

/// Makes the data folder; who may read it is inherited from the folder around it.
#[cfg(not(unix))]
fn create(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

/// Takes the data folder for this process alone.
fn lock(folder: &Path) -> Result<File, AgentError> {
    let path = folder.join(LOCK);
    let failed = |source| AgentError::DataDir {
        path: path.clone(),
        source,
    };
    create(folder).map_err(failed)?;
    let file = File::create(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(AgentError::InUse {
            path: folder.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}
