//! Every flag once, and the `Config` they become.
//!
//! `args` is the flag table (clap derive: help, man page and completions come from it), `parse` goes from the command
//! line to a `Command`. `track` and `secret` read single values, `wanted` one `--vrid` and the flags after
//! it, `board` adds what the board's own file says, `cluster` says who is who in a node list, `router` holds it all against this machine (`local`), and `finding`
//! collects what is wrong so that all of it is reported at once. `housekeeping` is the table's part for the housekeeper,
//! `jobs` what it becomes.

mod args;
mod board;
mod cluster;
mod finding;
mod housekeeping;
mod jobs;
mod local;
mod manual;
mod nearest;
mod parse;
mod refusal;
mod router;
mod secret;
mod track;
mod wanted;

use core::net::IpAddr;
use core::time::Duration;
use std::path::PathBuf;

pub use args::Shell;
pub use board::Taken;
pub use finding::{Finding, Severity};
pub use jobs::Housekeeping;
pub use local::{LocalAddresses, LocalInterface};
pub use manual::{completions, man_page};
pub use parse::parse_from;

use crate::checks::Track;
use crate::plan::Cluster;
use crate::vrrp::{Settings, Vip};

/// What `run` needs to know, checked and complete.
#[derive(Clone, Debug)]
pub struct Config {
    /// The virtual routers: one for each `--vrid` and address family. At least one.
    pub routers: Vec<RouterConfig>,
    /// `SCHED_RR` and locked memory for the vrrp thread, where permitted (`--realtime`).
    pub realtime: bool,
    /// Where the status socket lives (`--run-dir`).
    pub run_dir: PathBuf,
    /// Where state outlives a restart (`--state-dir`).
    pub state_dir: PathBuf,
    /// Docker's socket (`--docker`).
    pub docker: PathBuf,
    /// The board and what it set (`--board`).
    pub board: Taken,
    /// How much is logged (`-v`, `-q`).
    pub level: log::LevelFilter,
    /// What the housekeeper child is to do; see [`Housekeeping::any`].
    pub housekeeping: Housekeeping,
    /// Findings that do not stop the daemon, to be logged at its start.
    pub warnings: Vec<Finding>,
}

impl Config {
    /// The tracks of all routers, each once: an address pair (IPv4 and IPv6) shares its checks.
    pub fn tracks(&self) -> Vec<Track> {
        let mut distinct: Vec<Track> = Vec::new();
        for track in self.routers.iter().flat_map(|router| &router.tracks) {
            if !distinct.contains(track) {
                distinct.push(track.clone());
            }
        }
        distinct
    }
}

/// One virtual router: one VRID in one address family.
#[derive(Clone, Debug)]
pub struct RouterConfig {
    /// The interface that carries adverts and VIPs.
    pub interface: String,
    /// The address adverts are sent from.
    pub source: Source,
    /// What the state machine is told.
    pub settings: Settings,
    /// The checks that count for this router.
    pub tracks: Vec<Track>,
    /// Give the VIP a kernel lifetime that is renewed as adverts are due (`--lease`).
    pub lease: bool,
    /// Between two refreshing announcements while master; `None` for never (`--garp-refresh 0`).
    pub garp_refresh: Option<Duration>,
    /// Program run on each change of state (`--on-change`).
    pub on_change: Option<PathBuf>,
    /// All nodes as far as the flags know them, for `plan::plan` and the log at start.
    pub cluster: Cluster,
}

/// Where a router's adverts come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// This address of the machine.
    Addr(IpAddr),
    /// The interface's own: its first IPv4 address, or its IPv6 link-local address.
    Interface,
}

/// What the command line asks for.
#[derive(Clone, Debug)]
pub enum Command {
    /// `run`: be the daemon.
    Run(Resolved),
    /// `plan`: the outcome table.
    Plan {
        /// One for each router; needs no address of this machine.
        clusters: Vec<Cluster>,
        /// For programs.
        json: bool,
        /// What was noticed about the flags.
        warnings: Vec<Finding>,
    },
    /// `check`: preflight on this machine.
    Check {
        /// The flags as they resolve here; what is wrong with them is one of the lines.
        resolved: Result<Resolved, Vec<Finding>>,
        /// Docker's socket.
        docker: PathBuf,
        /// The board and what it set.
        board: Taken,
        /// Names that should point at the VIP (`--dns`).
        dns: Vec<String>,
    },
    /// `status`.
    Status {
        /// Where the daemon's socket lives.
        run_dir: PathBuf,
        /// For programs.
        json: bool,
        /// Again and again.
        watch: bool,
    },
    /// `resign`: hand over for so long.
    Resign {
        /// Where the daemon's socket lives.
        run_dir: PathBuf,
        /// How long not to take it back.
        pause: Duration,
    },
    /// `release`: remove VIPs that a dead daemon left behind.
    Release {
        /// Where the daemon's socket lives.
        run_dir: PathBuf,
        /// The VIPs; where no interface is named, from whichever interface carries them.
        vips: Vec<(Option<String>, Vip)>,
    },
    /// `realtime`: give the daemon's threads real-time scheduling, if its flags want it.
    Realtime {
        /// `--realtime` is on.
        wanted: bool,
    },
    /// `man`: the manual page on stdout.
    Man,
    /// `completions SHELL`: the script on stdout.
    Completions(Shell),
    /// `update`: one round of updates.
    Update {
        /// Only say what would be done.
        dry_run: bool,
        /// For programs.
        json: bool,
        /// [`Housekeeping::update`] is there.
        jobs: Box<Housekeeping>,
    },
    /// `prune`: one round of pruning.
    Prune {
        /// Only say what would be removed.
        dry_run: bool,
        /// For programs.
        json: bool,
        /// [`Housekeeping::prune`] is there.
        jobs: Box<Housekeeping>,
    },
    /// `translate`: other tools' files as flags.
    Translate {
        /// What to read.
        files: Vec<String>,
        /// For programs.
        json: bool,
    },
    /// The child process (hidden).
    Housekeeper(Box<Housekeeping>),
}

/// `run`'s flags, held against this machine.
#[derive(Clone, Debug)]
pub enum Resolved {
    /// Go.
    Ready(Box<Config>),
    /// The interface has no address yet (boot, DHCP): wait for it and resolve again.
    NotYet(NotYet),
}

/// What `run` waits for before it can know which node it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotYet {
    /// For the log: which interface lacks which addresses.
    pub text: String,
}

/// Text and exit code instead of a command: help (0), or what was wrong (64, 78).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For the exit: 0 goes to stdout, everything else to stderr.
    pub exit: u8,
    /// Lines.
    pub text: String,
}

#[cfg(test)]
mod tests;
