//! What is known of a node beside its VIP: Docker, the Swarm as it sees it, disks, board, storage, logs. Plain values;
//! `members` writes their part of `/status.json`. Pure.

mod members;

/// All of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// Nothing before dockerd was asked for the first time.
    pub docker: Option<Docker>,
    /// Nothing where there is none.
    pub swarm: Option<Swarm>,
    /// Each file system once.
    pub disks: Vec<Disk>,
    /// Nothing where the machine says nothing of itself.
    pub board: Option<Board>,
    /// `--ceph`.
    pub ceph: Option<Storage>,
    /// `--syslog`.
    pub syslog: Option<Shipping>,
}

/// What dockerd says, or said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Docker {
    /// Why it says nothing now.
    pub error: Option<String>,
    /// Milliseconds since it said this.
    pub age: Option<u64>,
    /// Nothing if it never did.
    pub engine: Option<Engine>,
}

/// Of `GET /info`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Engine {
    /// Host name.
    pub name: String,
    /// Of dockerd.
    pub version: String,
    /// That was agreed upon: `1.41`.
    pub api_version: String,
    /// `Debian GNU/Linux 12 (bookworm)`.
    pub os: String,
    /// `aarch64`.
    pub architecture: String,
    /// How many.
    pub cpus: u64,
    /// Bytes.
    pub memory: u64,
    /// In all.
    pub containers: u64,
    /// Of them.
    pub running: u64,
    /// Of them.
    pub paused: u64,
    /// Of them.
    pub stopped: u64,
    /// How many.
    pub images: u64,
    /// `overlay2`.
    pub driver: String,
    /// Docker's data.
    pub root_dir: String,
}

/// The Swarm as this node sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swarm {
    /// `active`, `pending`, `error`, `locked`.
    pub state: String,
    /// This node's ID in it.
    pub node_id: String,
    /// This node is one.
    pub manager: bool,
    /// Why there is less than there should be.
    pub error: Option<String>,
    /// Nothing where this node lists none.
    pub members: Option<Vec<Member>>,
    /// Nothing where this node lists none.
    pub services: Option<Vec<Service>>,
}

/// One node of the Swarm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// Node ID.
    pub id: String,
    /// Host name.
    pub name: String,
    /// As the managers see it.
    pub addr: String,
    /// `manager`, `worker`.
    pub role: String,
    /// Of the Raft.
    pub leader: bool,
    /// `active`, `pause`, `drain`.
    pub availability: String,
    /// `ready`, `down`, `unknown`, `disconnected`.
    pub state: String,
    /// Of its dockerd.
    pub version: String,
    /// `aarch64`.
    pub architecture: String,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Service ID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The stack it belongs to.
    pub stack: Option<String>,
    /// `name:tag`, familiar.
    pub image: String,
    /// What it is pinned to.
    pub digest: Option<String>,
    /// What the tag pointed at when it was last asked.
    pub newest: Option<String>,
    /// `replicated`, `global`, `replicated-job`, `global-job`.
    pub mode: &'static str,
    /// Tasks that run.
    pub running: u64,
    /// Tasks wanted.
    pub desired: u64,
    /// How its image fares.
    pub state: ImageState,
    /// Why, or how far, in words.
    pub detail: Option<String>,
    /// Milliseconds since Docker ended its last update.
    pub updated_ago: Option<u64>,
}

/// [`Service::state`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageState {
    /// Runs what its tag points at.
    Current,
    /// The tag points elsewhere.
    Outdated,
    /// Docker rolls an update out.
    Updating,
    /// All of it runs, and is watched.
    Baking,
    /// Docker puts the image before back.
    RollingBack,
    /// The newest image has failed here.
    Held,
    /// Needs a person.
    Failed,
    /// Left alone by nature or by wish.
    Skipped,
    /// Nobody has asked its registry.
    Unknown,
}

/// A file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Where it was looked at.
    pub path: String,
    /// `root`, `docker`, `state`.
    pub what: &'static str,
    /// Bytes.
    pub size: u64,
    /// Bytes that ordinary users may take.
    pub free: u64,
    /// It takes no writes, though it should.
    pub read_only: bool,
}

/// What the board says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Board {
    /// As the device tree has it.
    pub model: Option<String>,
    /// The hottest zone, in thousandths of a degree Celsius.
    pub heat: Option<i32>,
    /// Nothing where the board does not tell.
    pub under_voltage: Option<bool>,
    /// Nothing where the board does not tell.
    pub throttled: Option<bool>,
}

/// What a part of another folder tells of itself, as JSON, and as samples for `/metrics`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Storage {
    /// Why the last look found nothing.
    pub error: Option<String>,
    /// Milliseconds since there was an answer.
    pub asked_ago: Option<u64>,
    /// The members of the answer's JSON object, braces included; nothing without an answer.
    pub json: Option<String>,
    /// Figures for `/metrics`.
    pub figures: Option<Figures>,
}

/// Of [`Storage`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// 0 well, 1 warning, 2 error.
    pub health: u8,
    /// Object storage daemons: in all, up, in.
    pub osds: (u32, u32, u32),
    /// Bytes.
    pub total: u64,
    /// Bytes.
    pub used: u64,
}

/// How logs are shipped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shipping {
    /// As the flag has it.
    pub target: String,
    /// The last message could be sent.
    pub connected: bool,
    /// Messages sent since the start.
    pub sent: u64,
    /// Messages lost since the start.
    pub dropped: u64,
    /// Messages that wait.
    pub queued: u64,
    /// Why it is not connected.
    pub error: Option<String>,
}

impl ImageState {
    /// Each of them.
    pub const ALL: [Self; 9] = [
        Self::Current,
        Self::Outdated,
        Self::Updating,
        Self::Baking,
        Self::RollingBack,
        Self::Held,
        Self::Failed,
        Self::Skipped,
        Self::Unknown,
    ];

    /// As programs are told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Outdated => "outdated",
            Self::Updating => "updating",
            Self::Baking => "baking",
            Self::RollingBack => "rolling-back",
            Self::Held => "held",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Unknown => "unknown",
        }
    }
}

impl Swarm {
    /// The leader's name.
    pub fn leader(&self) -> Option<&str> {
        self.members.iter().flatten().find(|member| member.leader).map(|member| member.name.as_str())
    }
}
