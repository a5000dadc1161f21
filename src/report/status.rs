//! What `unsinkable status` knows: one plain value, filled by the daemon, sent over the status socket, drawn by `face`
//! and written as JSON by `json`. Pure: moments are [`Time`]s of the daemon's clock, `now` among them.

use super::rounds::{Rounds, cut as cut_to};
use crate::time::Time;
use core::net::IpAddr;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// Grows by one when a field of [`Status`] changes its meaning or goes; additions leave it.
pub const FORMAT: u16 = 1;
/// Longest text in a status, in bytes: two lines of a terminal. Longer ones are cut.
pub const MAX_TEXT: usize = 200;

/// The whole answer to `status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// [`FORMAT`] of the daemon that filled this.
    pub format: u16,
    /// Host name of the node.
    pub node: String,
    /// Version of the program.
    pub version: String,
    /// Process that holds the VIP.
    pub pid: u32,
    /// The daemon's clock as this was filled; all other moments are of the same clock.
    pub now: Time,
    /// When the daemon started.
    pub started: Time,
    /// One for each virtual router and family.
    pub routers: Vec<Router>,
    /// One for each `--track`.
    pub checks: Vec<Check>,
    /// What happened last, oldest first.
    pub events: Vec<Event>,
    /// How the threads run.
    pub threads: Threads,
    /// The child that updates, prunes and ships logs.
    pub housekeeper: Housekeeper,
    /// What it last told of its rounds; kept, with its dates, when it died.
    pub rounds: Rounds,
    /// Frames of it that made no sense.
    pub nonsense: u64,
}

/// One virtual router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Router {
    /// Virtual router identifier, 1 to 255.
    pub vrid: u8,
    /// Of its addresses.
    pub family: Family,
    /// Protocol version spoken: 2 or 3.
    pub protocol: u8,
    /// Where the VIP goes.
    pub interface: String,
    /// The addresses it carries.
    pub vips: Vec<Vip>,
    /// What it is now.
    pub state: State,
    /// Since when.
    pub since: Time,
    /// Why, in words ("192.0.2.1 fell silent").
    pub reason: String,
    /// Effective priority, 1 to 255; nothing while in fault.
    pub priority: Option<u8>,
    /// Priority before weights.
    pub base: u8,
    /// How the checks make the effective priority out of the base.
    pub tracks: Vec<Share>,
    /// Where its own adverts come from; nothing while the interface has no address.
    pub source: Option<IpAddr>,
    /// Adverts go to the group address, not to the peers one by one.
    pub multicast: bool,
    /// Between two adverts of its own.
    pub interval: Duration,
    /// The master last heard; nothing while this node is master itself or has heard none.
    pub master: Option<Master>,
    /// When it acts next if nothing is heard.
    pub deadline: Option<Time>,
    /// The VIP carries a kernel lifetime.
    pub lease: bool,
    /// The VIP is on the interface.
    pub present: bool,
    /// Adverts sent since the start, each destination counted.
    pub sent: u64,
    /// Adverts taken in since the start.
    pub received: u64,
    /// Packets dropped by reason, only reasons that occurred.
    pub rejects: Vec<Count>,
    /// The other nodes.
    pub peers: Vec<Peer>,
}

/// Address family of a virtual router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

/// A virtual address with its prefix length in bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vip {
    /// The address itself.
    pub addr: IpAddr,
    /// Prefix length in bits.
    pub prefix: u8,
}

/// State of a virtual router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Waits for link, address or first verdict.
    Init,
    /// Link or a check without weight is lost.
    Fault,
    /// Hears a master, or waits for its silence.
    Backup,
    /// Holds the VIP.
    Master,
    /// Still answers for the VIP until its successor is heard.
    Leaving,
    /// Told to stop.
    Stopped,
}

/// What one check adds to or takes from the base priority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The check's name, as in [`Check::name`].
    pub name: String,
    /// Its weight; nothing for a check that means FAULT when failed.
    pub weight: Option<i16>,
    /// It counts now: a weight above zero while well, one below zero (or none) while failed.
    pub counts: bool,
}

/// The master as last heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Master {
    /// Source address of its adverts.
    pub addr: IpAddr,
    /// Priority in its last advert; 0 is a goodbye.
    pub priority: u8,
    /// Advert interval it announced.
    pub interval: Duration,
    /// When it was last heard.
    pub heard: Time,
}

/// Packets dropped for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// The reason's name ("wrong password").
    pub name: String,
    /// How many since the start.
    pub count: u64,
}

/// Another node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Where its adverts come from.
    pub addr: IpAddr,
    /// When an advert of it was last taken in; nothing if never since the start.
    pub heard: Option<Time>,
    /// Priority in its last advert; nothing if never heard.
    pub priority: Option<u8>,
    /// Adverts taken in from it since the start.
    pub adverts: u64,
    /// The priorities it can have by the flags, where they tell.
    pub range: Option<Range>,
    /// Its last packet that was dropped.
    pub reject: Option<Reject>,
}

/// Lowest and highest effective priority of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// With every weighted check failed.
    pub floor: u8,
    /// With every check well.
    pub ceiling: u8,
}

/// A packet that was dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// Why.
    pub name: String,
    /// When.
    pub at: Time,
}

/// One tracked check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Kind and what is looked at ("process:dockerd").
    pub name: String,
    /// Its verdict.
    pub health: Health,
    /// Since when.
    pub since: Time,
    /// What the last look saw ("2 processes", "connection refused").
    pub detail: String,
    /// Between two looks.
    pub interval: Duration,
    /// Its weight; nothing for a check that means FAULT when failed.
    pub weight: Option<i16>,
}

/// Verdict of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Health {
    /// Not looked at yet.
    Pending,
    /// Well.
    Well,
    /// Failed.
    Failed,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Time,
    /// To which virtual router ("12", or "12/ipv6"); nothing for the daemon as a whole.
    pub router: Option<String>,
    /// What and why, in words.
    pub text: String,
}

/// How the threads run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Threads {
    /// The vrrp and vip threads have real-time scheduling.
    pub realtime: bool,
    /// Memory is locked: no swapping, no page faults from disk.
    pub locked: bool,
    /// Events lost because a queue between the threads was full.
    pub queue_drops: u64,
    /// Log lines lost because stderr was full or gone.
    pub log_drops: u64,
}

/// The child process that updates, prunes and ships logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Housekeeper {
    /// No flag asks for one.
    Off,
    /// At work.
    Running {
        /// Its process.
        pid: u32,
        /// Since when.
        since: Time,
    },
    /// Died; started again after a pause.
    Restarting {
        /// When it is started again.
        at: Time,
        /// How it ended ("killed by signal 9").
        reason: String,
    },
}

impl Status {
    /// Cuts every text to [`MAX_TEXT`], so that the frame's size has a bound whatever the flags and the errors say.
    pub fn cut_texts(&mut self) {
        cut(&mut self.node);
        cut(&mut self.version);
        for router in &mut self.routers {
            cut(&mut router.interface);
            cut(&mut router.reason);
            router.tracks.iter_mut().for_each(|share| cut(&mut share.name));
            router.rejects.iter_mut().for_each(|count| cut(&mut count.name));
            router.peers.iter_mut().filter_map(|peer| peer.reject.as_mut()).for_each(|r| cut(&mut r.name));
        }
        for check in &mut self.checks {
            cut(&mut check.name);
            cut(&mut check.detail);
        }
        for event in &mut self.events {
            event.router.iter_mut().for_each(cut);
            cut(&mut event.text);
        }
        if let Housekeeper::Restarting { reason, .. } = &mut self.housekeeper {
            cut(reason);
        }
        self.rounds.bound();
    }
}

impl Family {
    /// As programs are told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
        }
    }
}

impl State {
    /// Each of them.
    pub const ALL: [Self; 6] =
        [Self::Init, Self::Fault, Self::Backup, Self::Master, Self::Leaving, Self::Stopped];

    /// As programs are told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Fault => "fault",
            Self::Backup => "backup",
            Self::Master => "master",
            Self::Leaving => "leaving",
            Self::Stopped => "stopped",
        }
    }
}

impl Health {
    /// As programs are told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Well => "well",
            Self::Failed => "failed",
        }
    }
}

impl Router {
    /// How lines speak of it: its VRID, and the family where it is not IPv4.
    pub fn label(&self) -> String {
        match self.family {
            Family::Ipv4 => self.vrid.to_string(),
            Family::Ipv6 => format!("{}/ipv6", self.vrid),
        }
    }
}

/// Shortens `text` to [`MAX_TEXT`] bytes, at the boundary of a character, showing that something is missing.
fn cut(text: &mut String) {
    cut_to(text, MAX_TEXT);
}
