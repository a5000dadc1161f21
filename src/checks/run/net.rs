//! Looks at a TCP port, and at what an HTTP server there answers.

use super::aside::Aside;
use super::{Look, os, within};
use crate::checks::health::Reason;
use crate::checks::{Endpoint, probe};
use core::time::Duration;
use smol::Async;
use smol::io::{AsyncReadExt, AsyncWriteExt};
use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};

/// Addresses of one name that are tried, each with its share of the timeout: an IPv4 and an IPv6 one, twice.
const MAX_ADDRS: usize = 4;

/// A port, and the request to send when it accepts (none for plain TCP).
pub(super) struct Net<'a> {
    endpoint: &'a Endpoint,
    request: Option<Vec<u8>>,
    timeout: Duration,
    lookup: Aside<Vec<SocketAddr>>,
}

impl<'a> Net<'a> {
    pub(super) fn tcp(endpoint: &'a Endpoint, timeout: Duration) -> Self {
        Self { endpoint, request: None, timeout, lookup: Aside::new() }
    }

    pub(super) fn http(endpoint: &'a Endpoint, request: Vec<u8>, timeout: Duration) -> Self {
        Self { endpoint, request: Some(request), timeout, lookup: Aside::new() }
    }

    async fn addrs(&mut self) -> io::Result<Vec<SocketAddr>> {
        match self.endpoint {
            Endpoint::Addr(addr) => Ok(vec![*addr]),
            Endpoint::Name(name, port) => {
                let name = (name.clone(), *port);
                self.lookup.ask(move || resolve(&name)).await
            }
        }
    }

    async fn try_one(&self, addr: SocketAddr) -> io::Result<Reason> {
        let mut stream = Async::<TcpStream>::connect(addr).await?;
        if is_self(&stream) {
            return Ok(Reason::Os(libc::ECONNREFUSED));
        }
        let Some(request) = &self.request else { return Ok(Reason::Connected) };
        stream.write_all(request).await?;
        let mut answer = [0; probe::STATUS_LEN];
        let mut len = 0;
        loop {
            match stream.read(&mut answer[len..]).await? {
                0 => return Ok(Reason::Closed),
                more => len += more,
            }
            if let Some(reason) = probe::http_status(&answer[..len]) {
                return Ok(reason);
            }
        }
    }
}

impl Look for Net<'_> {
    async fn look(&mut self) -> Reason {
        let addrs = match self.addrs().await {
            Ok(addrs) => addrs,
            Err(error) => return os(&error),
        };
        let share = self.timeout / u32::try_from(addrs.len().max(1)).expect("MAX_ADDRS at most");
        let mut reason = Reason::Unresolved;
        for addr in addrs {
            reason = match within(share, self.try_one(addr)).await {
                Some(result) => result.unwrap_or_else(|error| os(&error)),
                None => Reason::Timeout,
            };
            if reason.is_well() {
                break;
            }
        }
        reason
    }
}

fn resolve(name: &(String, u16)) -> Vec<SocketAddr> {
    let addrs = (name.0.as_str(), name.1).to_socket_addrs();
    addrs.map(|addrs| addrs.take(MAX_ADDRS).collect()).unwrap_or_default()
}

/// Connecting to a free port of this machine can, by chance, pick that very port as the source and meet itself.
fn is_self(stream: &Async<TcpStream>) -> bool {
    let stream = stream.get_ref();
    stream.local_addr().ok() == stream.peer_addr().ok()
}
