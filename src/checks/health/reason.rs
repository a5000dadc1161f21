//! What one look at the world has found, in a word for the state and in words for people.

use core::fmt;
use serde::{Deserialize, Serialize};

/// What one look found: the reason behind a verdict. Its `Display` is a few words for log and status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// A process of that name is alive; this is one of them.
    Running(u32),
    /// The port accepted.
    Connected,
    /// HTTP status 200 to 399.
    Answered(u16),
    /// The program ended with 0.
    Succeeded,
    /// The file is there.
    Exists,
    /// The interface is up with carrier.
    LinkUp,
    /// The disk has room: percent free.
    Room(u8),
    /// A manager, and the Raft has a leader.
    Leader,
    /// A worker that its managers know.
    Worker,
    /// The board is in order: degrees Celsius.
    Degrees(i16),
    /// The board has nothing to complain of, and no thermometer.
    NoThermometer,

    /// There is no process of that name.
    Absent,
    /// The last process of that name ended; this was it.
    Died(u32),
    /// No answer within the timeout.
    Timeout,
    /// The name of the host has no address, or the resolver fails.
    Unresolved,
    /// An HTTP status that is not 200 to 399.
    Status(u16),
    /// Answered, but not in HTTP.
    NotHttp,
    /// The connection was closed before an answer.
    Closed,
    /// The program ended with this, not 0.
    ExitCode(i32),
    /// The program was ended by this signal.
    Signal(i32),
    /// The file is not there.
    Missing,
    /// The interface is not there.
    NoInterface,
    /// The interface is switched off.
    LinkDown,
    /// The interface has no carrier (cable, access point).
    NoCarrier,
    /// The disk is mounted read-only, or turned so after an error.
    ReadOnly,
    /// The disk is full: percent free.
    Full(u8),
    /// The disk can hold no more files.
    NoInodes,
    /// A manager, but the Raft has no leader.
    NoLeader,
    /// Docker runs without a Swarm.
    NoSwarm,
    /// The Swarm waits for its unlock key.
    Locked,
    /// Docker names an error of the Swarm, or has not joined yet: see `docker info`.
    SwarmError,
    /// The board gets too little voltage.
    UnderVoltage,
    /// The firmware slows the board down.
    Throttled,
    /// The board is too hot: degrees Celsius.
    TooHot(i16),
    /// The root file system turned read-only.
    RootReadOnly,
    /// The file system of Docker's data turned read-only.
    DockerReadOnly,
    /// The look itself failed: `errno`.
    Os(i32),
    /// Nobody has looked for too long.
    Stale,
    /// Ceph's health is `HEALTH_OK`.
    CephOk,
    /// `HEALTH_WARN`: it works, and wants to be looked at.
    CephWarn,
    /// `HEALTH_ERR`.
    CephError,
    /// No manager of Ceph answers from here.
    NoManager,
}

impl Reason {
    /// True for a look that succeeded.
    pub const fn is_well(self) -> bool {
        match self {
            Self::Running(_)
            | Self::Connected
            | Self::Answered(_)
            | Self::Succeeded
            | Self::Exists
            | Self::LinkUp
            | Self::Room(_)
            | Self::Leader
            | Self::Worker
            | Self::Degrees(_)
            | Self::NoThermometer
            | Self::CephOk
            | Self::CephWarn => true,
            Self::Absent
            | Self::Died(_)
            | Self::Timeout
            | Self::Unresolved
            | Self::Status(_)
            | Self::NotHttp
            | Self::Closed
            | Self::ExitCode(_)
            | Self::Signal(_)
            | Self::Missing
            | Self::NoInterface
            | Self::LinkDown
            | Self::NoCarrier
            | Self::ReadOnly
            | Self::Full(_)
            | Self::NoInodes
            | Self::NoLeader
            | Self::NoSwarm
            | Self::Locked
            | Self::SwarmError
            | Self::UnderVoltage
            | Self::Throttled
            | Self::TooHot(_)
            | Self::RootReadOnly
            | Self::DockerReadOnly
            | Self::Os(_)
            | Self::Stale
            | Self::CephError
            | Self::NoManager => false,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running(pid) => write!(f, "running as {pid}"),
            Self::Connected => f.write_str("port accepts"),
            Self::Answered(status) => write!(f, "answered {status}"),
            Self::Succeeded => f.write_str("exit 0"),
            Self::Exists => f.write_str("file is there"),
            Self::LinkUp => f.write_str("link is up"),
            Self::Room(percent) => write!(f, "{percent} % free"),
            Self::Leader => f.write_str("the Swarm has a leader"),
            Self::Worker => f.write_str("a worker of the Swarm"),
            Self::Absent => f.write_str("no such process"),
            Self::Died(pid) => write!(f, "process {pid} ended"),
            Self::Timeout => f.write_str("timeout"),
            Self::Unresolved => f.write_str("host name has no address"),
            Self::Status(status) => write!(f, "answered {status}, not 200 to 399"),
            Self::NotHttp => f.write_str("answered, but not in HTTP"),
            Self::Closed => f.write_str("closed without an answer"),
            Self::ExitCode(code) => write!(f, "exit {code}"),
            Self::Signal(signal) => write!(f, "ended by signal {signal}"),
            Self::Missing => f.write_str("no such file"),
            Self::NoInterface => f.write_str("no such interface"),
            Self::LinkDown => f.write_str("interface is down"),
            Self::NoCarrier => f.write_str("no carrier"),
            Self::ReadOnly => f.write_str("read-only"),
            Self::Full(percent) => write!(f, "full, {percent} % free"),
            Self::NoInodes => f.write_str("full, no inodes free"),
            Self::NoLeader => f.write_str("the Swarm has no leader"),
            Self::NoSwarm => f.write_str("not in a Swarm"),
            Self::Locked => f.write_str("the Swarm is locked (docker swarm unlock)"),
            Self::SwarmError => f.write_str("the Swarm is not in order (docker info)"),
            Self::Degrees(degrees) => write!(f, "{degrees} °C"),
            Self::NoThermometer => f.write_str("nothing to complain of, no thermometer"),
            Self::UnderVoltage => f.write_str("too little voltage (power supply, cable)"),
            Self::Throttled => f.write_str("slowed down by the firmware (heat, voltage)"),
            Self::TooHot(degrees) => write!(f, "too hot, {degrees} °C"),
            Self::RootReadOnly => f.write_str("/ has turned read-only (dmesg)"),
            Self::DockerReadOnly => f.write_str("the disk of /var/lib/docker has turned read-only (dmesg)"),
            Self::Os(errno) => std::io::Error::from_raw_os_error(*errno).fmt(f),
            Self::Stale => f.write_str("nobody has looked for too long"),
            Self::CephOk => f.write_str("HEALTH_OK"),
            Self::CephWarn => f.write_str("HEALTH_WARN"),
            Self::CephError => f.write_str("HEALTH_ERR (ceph health detail)"),
            Self::NoManager => f.write_str("no manager of Ceph answers"),
        }
    }
}
