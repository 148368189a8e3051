//! Ports that no two peers of any test process share.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as Name, UnixListener};
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Context, bail};

/// Below the range from which the kernel gives ports to outgoing connections (32768 and up), so that none of those
/// can take a port between its claim and the start of the peer.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A loopback port that is this value's until it is dropped.
///
/// Asking the kernel for a free port and giving it back would leave a gap in which another test gets the same one. A
/// claim closes it, between processes as well: it holds a socket name without a file, which the kernel gives to one
/// and takes back when that one ends, however it ends.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _claim: UnixListener,
}

impl Port {
    /// Claims a port nobody listens on.
    ///
    /// # Errors
    /// When every port is taken.
    pub fn claim() -> anyhow::Result<Self> {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        // Test processes start at different places; a wrong guess costs one failed claim.
        let start = u16::try_from(std::process::id() * 37 % u32::from(COUNT))
            .context("a number below COUNT")?;
        for _ in 0..COUNT {
            let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
            let number = FIRST + (start + step) % COUNT;
            let Ok(claim) = name(number) else { continue };
            if TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Ok(Self {
                    number,
                    _claim: claim,
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

fn name(port: u16) -> std::io::Result<UnixListener> {
    UnixListener::bind_addr(&Name::from_abstract_name(format!(
        "syncwatch-test-port-{port}"
    ))?)
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
    fn port_is_claimed_until_its_value_is_dropped() {
        let port = Port::claim().expect("a free port");
        let number = port.number();
        assert!(name(number).is_err(), "the claim holds nothing");
        drop(port);
        assert!(name(number).is_ok(), "the name outlives the claim");
    }
}
