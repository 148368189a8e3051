//! Ports that no two peers of any test process share.

use std::fs::{File, OpenOptions};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Context, bail};

/// Below the range from which the kernel gives ports to outgoing connections (32768 and up), so that none of those
/// can take a port between its claim and the start of the peer.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A loopback port that is this value's until it is dropped.
///
/// Asking the kernel for a free port and giving it back would leave a gap in which another test gets the same one;
/// a lock on a file per port closes it, between processes as well.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _lock: File,
}

impl Port {
    /// Claims a port nobody listens on.
    ///
    /// # Errors
    /// When the lock files cannot be written or every port is taken.
    pub fn claim() -> anyhow::Result<Self> {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let folder = lock_folder()?;
        // Test processes start at different places; a wrong guess costs one failed lock.
        let start = u16::try_from(std::process::id() * 37 % u32::from(COUNT))
            .expect("less than COUNT, a u16");
        for _ in 0..COUNT {
            let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
            let number = FIRST + (start + step) % COUNT;
            let lock = OpenOptions::new()
                .create(true)
                .append(true)
                .open(folder.join(number.to_string()));
            // Another user's lock file: that port is not for us.
            let Ok(lock) = lock else { continue };
            if lock.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Ok(Self {
                    number,
                    _lock: lock,
                });
            }
        }
        bail!("no free port between {FIRST} and {}", FIRST + COUNT)
    }

    /// The number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }

    /// The address on loopback.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }
}

fn lock_folder() -> anyhow::Result<PathBuf> {
    let user = super::program::user_id()?;
    let folder = std::env::temp_dir().join(format!("syncwatch-test-ports-{user}"));
    std::fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn held_ports_are_distinct_and_free() {
        let held = (0..50)
            .map(|_| Port::claim().expect("a free port"))
            .collect::<Vec<_>>();
        let numbers = held.iter().map(Port::number).collect::<HashSet<_>>();
        assert_eq!(numbers.len(), held.len());
        for port in &held {
            drop(TcpListener::bind(port.addr()).expect("nobody listens on a claimed port"));
        }
    }

    #[test]
    fn claimed_port_is_not_given_to_another_process() {
        let port = Port::claim().expect("a free port");
        let path = lock_folder()
            .expect("folder")
            .join(port.number().to_string());
        let other = OpenOptions::new()
            .append(true)
            .open(&path)
            .expect("the lock file");
        assert!(other.try_lock().is_err(), "the claim holds no lock");
        drop(port);
        assert!(other.try_lock().is_ok(), "the lock outlives the claim");
    }
}
