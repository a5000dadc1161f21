//! Checks: is what the VIP stands for alive? Processes by /proc and pidfd, TCP, HTTP, programs, files, links, disks.
//!
//! `process`, `probe` and `board` say what one look at the world means, `health` counts rise and fall and knows how old a
//! verdict may grow; all of these are pure. `run` does the looking, on the checks thread; what asks Docker or Ceph is looked at by the
//! housekeeper, which sends its verdicts.

pub mod board;
pub mod health;
pub mod probe;
pub mod process;
pub mod run;

use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;
use std::path::PathBuf;

/// Tracked checks of the whole daemon. Two or three a service, a handful of services.
pub const MAX_TRACKS: usize = 32;

/// One `--track`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// What is looked at.
    pub kind: Kind,
    /// Between two looks.
    pub interval: Duration,
    /// Added while well (above zero), subtracted while failed (below), or `None`: FAULT when failed.
    pub weight: Option<i16>,
    /// Successes in a row that turn a failed check well.
    pub rise: u8,
    /// Failures in a row that turn a well check failed.
    pub fall: u8,
    /// A look that takes longer has failed.
    pub timeout: Duration,
}

/// What a check looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A process whose `comm` (15 bytes) is this name, in any container of this host.
    Process(String),
    /// A TCP connection that opens.
    Tcp(Endpoint),
    /// An HTTP/1.1 GET over plain TCP answered with 200 to 399.
    Http {
        /// Where to connect to.
        endpoint: Endpoint,
        /// The `Host` header.
        host: String,
        /// Path and query, beginning with `/`.
        path: String,
    },
    /// A program (no shell) that exits with 0.
    Exec(PathBuf),
    /// A file that exists.
    File(PathBuf),
    /// An interface that is up with carrier.
    Interface(String),
    /// A file system that is writable and has room left.
    Disk(PathBuf),
    /// Docker's API answers.
    Docker,
    /// This node has its place in a Swarm that has a leader.
    Swarm,
    /// Ceph's health is not in error (`--ceph`).
    Ceph,
    /// The board itself: heat, voltage, throttling, file systems that turned read-only.
    Board {
        /// Degrees Celsius.
        too_hot: u8,
    },
}

impl Kind {
    /// True for what the housekeeper looks at: it alone speaks with Docker and Ceph. [`run`] passes over these.
    pub fn is_the_housekeepers(&self) -> bool {
        match self {
            Self::Docker | Self::Swarm | Self::Ceph => true,
            Self::Process(_)
            | Self::Tcp(_)
            | Self::Http { .. }
            | Self::Exec(_)
            | Self::File(_)
            | Self::Interface(_)
            | Self::Disk(_)
            | Self::Board { .. } => false,
        }
    }

    /// As `--track` documents it. Its name is shorter where it is a URL: `http://…` is a kind and a target in one.
    pub fn as_flag(&self) -> String {
        if matches!(self, Self::Http { .. }) { format!("http:{self}") } else { self.to_string() }
    }
}

/// Host and port to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// An address, connected to as it is.
    Addr(SocketAddr),
    /// A name, resolved anew at each look, off the checks thread.
    Name(String, u16),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Addr(addr) => addr.fmt(f),
            Self::Name(name, port) => write!(f, "{name}:{port}"),
        }
    }
}

impl fmt::Display for Kind {
    /// As in `--track`: `process:dockerd`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process(name) => write!(f, "process:{name}"),
            Self::Tcp(endpoint) => write!(f, "tcp:{endpoint}"),
            // `host` is the header as the URL gave it; where it connects to follows from it.
            Self::Http { endpoint: _, host, path } => write!(f, "http://{host}{path}"),
            Self::Exec(path) => write!(f, "exec:{}", path.display()),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Interface(name) => write!(f, "interface:{name}"),
            Self::Disk(path) => write!(f, "disk:{}", path.display()),
            Self::Docker => f.write_str("docker"),
            Self::Swarm => f.write_str("swarm"),
            Self::Ceph => f.write_str("ceph"),
            Self::Board { too_hot: _ } => f.write_str("board"),
        }
    }
}

impl fmt::Display for Track {
    /// The check's name in logs and in `status`: its kind and what it looks at.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_named_as_in_its_flag() {
        let addr = Endpoint::Addr("[::1]:80".parse().unwrap());
        let table = [
            (Kind::Process("dockerd".into()), "process:dockerd"),
            (Kind::Tcp(Endpoint::Name("pi".into(), 53)), "tcp:pi:53"),
            (Kind::Tcp(addr.clone()), "tcp:[::1]:80"),
            (
                Kind::Http { endpoint: addr, host: "pi:8080".into(), path: "/ping".into() },
                "http://pi:8080/ping",
            ),
            (Kind::Exec("/bin/true".into()), "exec:/bin/true"),
            (Kind::File("/run/ok".into()), "file:/run/ok"),
            (Kind::Interface("eth0".into()), "interface:eth0"),
            (Kind::Disk("/var".into()), "disk:/var"),
            (Kind::Docker, "docker"),
            (Kind::Swarm, "swarm"),
            (Kind::Ceph, "ceph"),
            (Kind::Board { too_hot: 80 }, "board"),
        ];
        for (kind, name) in table {
            assert_eq!(kind.to_string(), name);
        }
    }
}
