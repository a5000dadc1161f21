//! The flag table: every flag once. Help, man page, completions and suggestions all come from here.
#![expect(clippy::doc_markdown, reason = "these comments are the help text, read in a terminal")]

use clap::builder::PossibleValuesParser;
use clap::{ArgAction, ArgMatches, Args, CommandFactory, Parser, Subcommand};

use super::housekeeping::HousekeepingArgs;

const ROUTERS: &str = "\
More than one virtual router:
  A second --vrid starts a second virtual router. The flags after it that belong to a virtual router (Virtual IP and \
Checks, above) are its own; what it does not set itself it takes from the first, except --vip. Two VIPs with opposite \
priorities share the load:
    --vip 10.0.0.50 --vrid 50 --node 10.0.0.1=200 --node 10.0.0.2=100
    --vrid 51 --vip 10.0.0.51 --node 10.0.0.1=100 --node 10.0.0.2=200

IPv4 and IPv6 in one --vrid:
  They make two virtual routers, one for each family. Where --node names no IPv6 address, the IPv6 one speaks by \
multicast from the link-local address, with the node's IPv4 priority. A password is for IPv4 only.

Durations are whole numbers with a unit: 250ms, 1s, 30m, 2h. A list is made by repeating the flag. `plan` shows what \
these flags do when something fails, `check` whether this machine is ready for them.

Exit codes: 0 done, 64 bad flags, 69 not available, 77 no permission, 78 flags that do not fit (sysexits.h).";

/// Keeps a small Docker Swarm afloat: a virtual IP that follows the healthy node
#[derive(Parser, Debug)]
#[command(
    name = "unsinkable",
    version,
    propagate_version = true,
    max_term_width = 110,
    infer_subcommands = false
)]
#[command(disable_help_subcommand = true)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Verb,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Verb {
    /// Be the daemon: hold the VIP, check, tell
    #[command(after_help = ROUTERS)]
    Run(RunArgs),
    /// Ask the running daemon: role, priority and why, peers, checks, last events
    Status {
        #[command(flatten)]
        dirs: DirArgs,
        /// As JSON
        #[arg(long)]
        json: bool,
        /// Again every second
        #[arg(long)]
        watch: bool,
    },
    /// Show what each single failure on each node does to the VIP; exit 1 if one moves nothing
    #[command(after_help = ROUTERS)]
    Plan {
        /// As JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Is this machine ready? Capabilities, interface, protocol 112, sysctls, Docker, Ceph, names (--dns)
    #[command(after_help = ROUTERS)]
    Check {
        /// Does this name point at the VIP? Asks the system's resolver, its name servers and the zone's own
        #[arg(long, value_name = "NAME", help_heading = "Checks")]
        dns: Vec<String>,
        #[command(flatten)]
        run: RunArgs,
    },
    /// One round of updates now, with a table of what and why; takes the flags of run
    Update {
        /// Only say what would be done
        #[arg(long)]
        dry_run: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        run: RunArgs,
    },
    /// One round of pruning now, with a table of what and why; takes the flags of run
    Prune {
        /// Only say what would be removed
        #[arg(long)]
        dry_run: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Hand the VIP over now, for maintenance
    Resign {
        #[command(flatten)]
        dirs: DirArgs,
        /// How long not to take it back
        #[arg(long = "for", value_name = "D", default_value = "10m")]
        pause: String,
    },
    /// Remove a VIP that a dead daemon left behind; takes the flags of run. As systemd's ExecStopPost it leaves, after a
    /// crash, what the restart goes on with
    Release(RunArgs),
    /// Print the flags equal to keepalived.conf, or to a shepherd, gantry, watchtower, docker-cleanup or docker-gc compose
    /// or env file; then what has no counterpart, and what will behave differently
    Translate {
        /// As JSON
        #[arg(long)]
        json: bool,
        /// What to read; the keepalived.conf of all nodes at once make one command for all
        #[arg(value_name = "FILE", required = true)]
        files: Vec<String>,
    },
    /// Print the manual page
    Man,
    /// Print the completions of a shell
    Completions {
        /// Which
        shell: Shell,
    },
    /// Give the threads of the daemon in $MAINPID real-time scheduling (systemd's ExecStartPost); takes the flags of run
    #[command(hide = true)]
    Realtime(RunArgs),
    /// The child process of run
    #[command(hide = true)]
    Housekeeper(RunArgs),
}

/// Flags that every command talking to the daemon needs.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Daemon")]
pub struct DirArgs {
    /// Where the status socket lives
    #[arg(long, value_name = "DIR", default_value = "/run/unsinkable")]
    pub run_dir: String,
}

/// Flags of `run`, and of the commands that look at the same flags.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    #[command(flatten)]
    pub router: RouterArgs,
    #[command(flatten)]
    pub dirs: DirArgs,
    /// Where state outlives a restart
    #[arg(long, value_name = "DIR", default_value = "/var/lib/unsinkable", help_heading = "Daemon")]
    pub state_dir: String,
    /// Real-time scheduling and locked memory, where permitted
    #[arg(long, default_value = "on", value_parser = ["on", "off"], value_name = "on|off")]
    #[arg(hide_possible_values = true, help_heading = "Daemon")]
    pub realtime: String,
    /// Docker's socket
    #[arg(long, value_name = "SOCKET", default_value = "/var/run/docker.sock", help_heading = "Daemon")]
    pub docker: String,
    /// Board whose flags apply where none is given: zero2w, pi3, pi4, pi5, generic; auto reads the device tree
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = boards(), help_heading = "Daemon")]
    #[arg(hide_possible_values = true)]
    pub board: String,
    /// Log more; twice for everything
    #[arg(short, long, action = ArgAction::Count, help_heading = "Daemon")]
    pub verbose: u8,
    /// Log only warnings; twice for errors only
    #[arg(short, long, action = ArgAction::Count, help_heading = "Daemon", conflicts_with = "verbose")]
    pub quiet: u8,
    #[command(flatten)]
    pub housekeeping: HousekeepingArgs,
}

/// Flags of one virtual router. All are lists here, because each may be given once for every `--vrid`.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Virtual IP")]
pub struct RouterArgs {
    /// Interface of adverts and VIP [default: the one that carries this node's address]
    #[arg(long, value_name = "NAME")]
    pub interface: Vec<String>,
    /// Virtual IP; without LEN /32, or /128
    #[arg(long, value_name = "ADDR[/LEN]")]
    pub vip: Vec<String>,
    /// Virtual router identifier, 1 to 255; a second one starts a second virtual router [default: 51]
    #[arg(long, value_name = "N")]
    pub vrid: Vec<String>,
    /// A node of the cluster, this one included, the same list on every node; without priorities they descend
    #[arg(long, value_name = "ADDR[=PRIORITY]")]
    pub node: Vec<String>,
    /// This node's priority, in place of --node [default: 100]
    #[arg(long, value_name = "N")]
    pub priority: Vec<String>,
    /// Another node, in place of --node
    #[arg(long, value_name = "ADDR")]
    pub peer: Vec<String>,
    /// Address the adverts come from, in place of --node
    #[arg(long, value_name = "ADDR")]
    pub source: Vec<String>,
    /// Send adverts to 224.0.0.18 or ff02::12 instead of to each node
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "on", value_name = "on|off")]
    #[arg(value_parser = ["on", "off"], hide_possible_values = true)]
    pub multicast: Vec<String>,
    /// VRRP version [default: 3, or 2 with a password]
    #[arg(long, value_parser = ["2", "3"], value_name = "2|3", hide_possible_values = true)]
    pub vrrp: Vec<String>,
    /// Between two adverts: version 2 whole seconds, version 3 from 10ms to 40950ms [default: 1s]
    #[arg(long, value_name = "D")]
    pub advert: Vec<String>,
    /// Password of version 2, up to 8 bytes
    #[arg(long, value_name = "TEXT", hide_possible_values = true)]
    pub auth_pass: Vec<String>,
    /// File with the password
    #[arg(long, value_name = "PATH")]
    pub auth_pass_file: Vec<String>,
    /// Checksum of version 3 over IPv4 when sending; both are accepted [default: pseudo, as keepalived]
    #[arg(long, value_parser = ["pseudo", "rfc9568"], value_name = "pseudo|rfc9568", hide_possible_values = true)]
    pub checksum: Vec<String>,
    /// Do not take the VIP back from a living node
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "on", value_name = "on|off")]
    #[arg(value_parser = ["on", "off"], hide_possible_values = true)]
    pub no_preempt: Vec<String>,
    /// Take it back only after this long
    #[arg(long, value_name = "D")]
    pub preempt_delay: Vec<String>,
    /// Let the kernel take the VIP away when the daemon stops renewing it [default: on]
    #[arg(long, value_parser = ["on", "off"], value_name = "on|off", hide_possible_values = true)]
    pub lease: Vec<String>,
    /// Between two refreshing announcements of the master; 0 for none [default: 60s]
    #[arg(long, value_name = "D")]
    pub garp_refresh: Vec<String>,
    /// Program run, without a shell, on each change of state, rollout, rollback, hold, failure and pruning
    #[arg(long, value_name = "PROGRAM")]
    pub on_change: Vec<String>,
    /// KIND:WHAT[,interval=D][,weight=±N][,rise=N][,fall=N][,timeout=D]. Kinds: process:NAME, tcp:HOST:PORT, http:URL,
    /// exec:PATH, file:PATH, interface:NAME, disk:PATH, docker (its API answers), swarm (it has a leader), ceph (not in
    /// HEALTH_ERR, and a manager of --ceph answers; interval=15s), board (hot, throttled, short of voltage, or a file system turned read-only).
    /// Without weight a failed check means FAULT: the VIP leaves at once. Defaults: interval=1s, rise=1, fall=1, timeout as interval but at most 5s
    #[arg(long, value_name = "KIND:WHAT[,…]", help_heading = "Checks")]
    pub track: Vec<String>,
    /// Degrees Celsius at which --track board fails [default: as the board's own file says, 80 to 95]
    #[arg(long, value_name = "N", help_heading = "Checks")]
    pub too_hot: Vec<String>,
}

fn boards() -> PossibleValuesParser {
    let names = crate::boards::ALL.iter().map(|board| board.name);
    ["auto"].into_iter().chain(names).collect::<Vec<_>>().into()
}

/// Does the same to every field, so that a new flag cannot be forgotten.
macro_rules! each_flag {
    ($make:expr) => {
        RouterArgs {
            interface: $make("interface", |args: &RouterArgs| &args.interface),
            vip: $make("vip", |args: &RouterArgs| &args.vip),
            vrid: $make("vrid", |args: &RouterArgs| &args.vrid),
            node: $make("node", |args: &RouterArgs| &args.node),
            priority: $make("priority", |args: &RouterArgs| &args.priority),
            peer: $make("peer", |args: &RouterArgs| &args.peer),
            source: $make("source", |args: &RouterArgs| &args.source),
            multicast: $make("multicast", |args: &RouterArgs| &args.multicast),
            vrrp: $make("vrrp", |args: &RouterArgs| &args.vrrp),
            advert: $make("advert", |args: &RouterArgs| &args.advert),
            auth_pass: $make("auth_pass", |args: &RouterArgs| &args.auth_pass),
            auth_pass_file: $make("auth_pass_file", |args: &RouterArgs| &args.auth_pass_file),
            checksum: $make("checksum", |args: &RouterArgs| &args.checksum),
            no_preempt: $make("no_preempt", |args: &RouterArgs| &args.no_preempt),
            preempt_delay: $make("preempt_delay", |args: &RouterArgs| &args.preempt_delay),
            lease: $make("lease", |args: &RouterArgs| &args.lease),
            garp_refresh: $make("garp_refresh", |args: &RouterArgs| &args.garp_refresh),
            on_change: $make("on_change", |args: &RouterArgs| &args.on_change),
            track: $make("track", |args: &RouterArgs| &args.track),
            too_hot: $make("too_hot", |args: &RouterArgs| &args.too_hot),
        }
    };
}

type Field = fn(&RouterArgs) -> &Vec<String>;

impl RouterArgs {
    /// One set of flags for each `--vrid`: those before the second one, those between the second and the third, …
    pub fn split(matches: &ArgMatches) -> Vec<Self> {
        let vrids: Vec<usize> = matches.indices_of("vrid").map_or(Vec::new(), Iterator::collect);
        let mut starts = vec![0];
        starts.extend(vrids.into_iter().skip(1));
        let ends = starts.iter().copied().skip(1).chain([usize::MAX]);
        starts.iter().zip(ends).map(|(start, end)| Self::between(matches, *start..end)).collect()
    }

    fn between(matches: &ArgMatches, range: core::ops::Range<usize>) -> Self {
        let given = |id: &str, _: Field| -> Vec<String> {
            let Some((values, indices)) = matches.get_many::<String>(id).zip(matches.indices_of(id)) else {
                return Vec::new();
            };
            let here = values.zip(indices).filter(|(_, index)| range.contains(index));
            here.map(|(value, _)| value.clone()).collect()
        };
        each_flag!(given)
    }

    /// What a second router takes from the first. Who it is (nodes; or priority, peers, source) and its password are
    /// each taken as a whole or not at all.
    pub fn inherit(&self, first: &Self) -> Self {
        let own_nodes = !self.node.is_empty();
        let own_peers = !(self.priority.is_empty() && self.peer.is_empty() && self.source.is_empty());
        let own_password = !(self.auth_pass.is_empty() && self.auth_pass_file.is_empty());
        let no_password = own_password || (self.vrrp == ["3"]);
        let taken = |id: &str, field: Field| -> Vec<String> {
            let own = field(self);
            let stays = match id {
                "vip" | "vrid" => true,
                "node" => own_peers,
                "priority" | "peer" | "source" => own_nodes,
                "auth_pass" | "auth_pass_file" => no_password,
                "vrrp" => own_password,
                _ => false,
            };
            if stays || !own.is_empty() { own.clone() } else { field(first).clone() }
        };
        each_flag!(taken)
    }
}

/// What completions are written for: what Debian and Raspberry Pi OS have.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Shell {
    /// The default.
    Bash,
    /// Fish.
    Fish,
    /// Z shell.
    Zsh,
}

/// The flag table itself, for the manual page and the completions.
pub fn command_table() -> clap::Command {
    Cli::command()
}
