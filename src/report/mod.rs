//! What the daemon tells of itself: the status, its socket, and its faces.
//!
//! `status` (with `rounds`) is the value, `frame` its bytes on the socket, `face` (with `words`) its page for a terminal, `json` its
//! document for programs; `node` is what is known beside the VIP, `document`, `metrics` and `health` are what `--listen`
//! tells of all that (`writer` writes JSON). All of these are pure. `run` is the server in the daemon, `ask` the client, `command` the
//! commands `status` and `resign`.
//!
//! The JSON of `status --json` (with `--watch`: one document a line, one a second). `*_ms` are whole milliseconds,
//! `*_ago_ms` and `*_for_ms` count back from now, `*_in_ms` ahead; `?` may be null. Keys may be added; `format` grows by
//! one when a key changes its meaning or goes.
//!
//! | key | value |
//! | --- | --- |
//! | `format` | 1 |
//! | `node`, `version`, `pid`, `uptime_ms` | host name, program version, process, since its start |
//! | `routers[]` | one for each virtual router and family |
//! | `.vrid`, `.family`, `.protocol`, `.interface`, `.vips[]` | 1 to 255, `ipv4` or `ipv6`, 2 or 3, name, `"addr/len"` |
//! | `.state`, `.state_for_ms`, `.reason` | `init` `fault` `backup` `master` `leaving` `stopped`, since, why in words |
//! | `.holds_vip`, `.address_present`, `.lease` | should hold it, it is on the interface, it has a kernel lifetime |
//! | `.priority`?, `.base`, `.tracks[]` | effective (null in fault), before weights; `name`, `weight`?, `counts` now |
//! | `.source`?, `.multicast`, `.interval_ms` | own address, group or peers, between two adverts |
//! | `.master`? | master last heard: `addr`, `priority`, `interval_ms`, `heard_ago_ms` |
//! | `.deadline_in_ms`? | when it acts if nothing is heard |
//! | `.adverts_sent`, `.adverts_received`, `.rejects[]` | since the start; `reason`, `count` |
//! | `.peers[]` | `addr`, `never_heard`, `heard_ago_ms`?, `priority`?, `adverts`, `range`? (`floor`, `ceiling`), `last_reject`? (`reason`, `ago_ms`) |
//! | `checks[]` | `name`, `health` (`pending` `well` `failed`), `well`, `health_for_ms`, `detail`, `interval_ms`, `weight`? |
//! | `events[]` | oldest first: `ago_ms`, `router`? (`"12"`, `"12/ipv6"`), `text` |
//! | `threads` | `realtime`, `locked`, `queue_drops`, `log_drops` |
//! | `housekeeper` | `state`: `off`, `running` (`pid`, `running_for_ms`), `restarting` (`restart_in_ms`, `reason`) |
//! | `housekeeper_nonsense` | frames of it that made no sense |
//! | `updates`?, `pruning`? | null without their flag, and until the housekeeper has told |
//! | `.last`? | the last round: `ago_ms`, `took_ms`, `summary`, `note`? in words |
//! | `.next_in_ms`?, `.progress` | the next round; what goes on now, `""` for nothing |
//! | `.rows[]`, `.left_out` | the most urgent first; how many more there are |
//! | `..kind`, `..name`, `..reason` | `service` `container` `image` `volume` `build-cache`, name, why in words |
//! | `..outcome` | `failed` `rolled-back` `held` `deferred` `updated` `refused` `waits` `removed` |
//! | `..held_for_ms`?, `..size`, `..goes_in_ms`? | since it failed here; bytes (0: unknown); until its grace is over |
//!
//! `/status.json` has all of these (`events[]` with the housekeeper's own, up to 200 `rows[]`), and:
//!
//! | key | value |
//! | --- | --- |
//! | `daemon` | how the above was learnt from the process that holds the VIP: `age_ms`, `error`? |
//! | `now_unix_ms` | when this was written |
//! | `docker`? | `reachable`, `error`?, `age_ms`?; and as last known, if ever: `name`, `version`, `api_version`, `os`, `architecture`, `cpus`, `memory_bytes`, `containers`, `containers_running`, `containers_paused`, `containers_stopped`, `images`, `driver`, `root_dir` |
//! | `swarm`? | null outside of one: `state`, `node_id`, `manager`, `leader`?, `error`?; as old as `docker` is |
//! | `.nodes[]`? | null but on a manager: `id`, `name`, `addr`, `role`, `leader`, `availability`, `state`, `version`, `architecture` |
//! | `.services[]`? | null but on a manager: `id`, `name`, `stack`?, `image`, `digest`?, `mode`, `running`, `desired`, `updated_ago_ms`? |
//! | `..newest_digest`?, `..state`, `..detail`? | what the tag points at as the leader last asked; `current` `outdated` `updating` `baking` `rolling-back` `held` `failed` `skipped` `unknown`; why or how far |
//! | `disks[]` | each file system once: `path`, `what` (`root` `docker` `state`), `size_bytes`, `free_bytes`, `read_only` |
//! | `board`? | `model`?, `temperature_celsius`?, `under_voltage`?, `throttled`? |
//! | `ceph`? | null without `--ceph`: `error`?, `asked_ago_ms`?; and what the manager last told, if ever: `health` (`ok` `warn` `error`), `checks[]` (`name`, `severity`, `text`), `osds` (`total`, `up`, `in`), `total_bytes`, `used_bytes`, `monitors` (in quorum, all), `version`?, `versions[]`, `manager` |
//! | `syslog`? | null without `--syslog`: `target`, `connected`, `sent`, `dropped`, `queued`, `error`? |
//!
//! `/cluster.json`: `format` 1, `now_unix_ms`, and `nodes[]` in the order of `--node`: `addr`, `own`, `age_ms`? (of `status`), `error`? (why there is no
//! newer one), `status`? (that node's `/status.json`, its ages as of when it was made).

pub mod ask;
pub mod command;
pub mod document;
pub mod events;
pub mod face;
pub mod frame;
pub mod health;
pub mod json;
pub mod metrics;
pub mod node;
pub mod rounds;
pub mod run;
#[cfg(test)]
mod sample;
pub mod status;
pub mod words;
pub mod writer;

pub use ask::ask;
pub use command::{resign_command, status_command};
pub use run::{bind, serve};

use std::path::{Path, PathBuf};

/// Where the daemon with this `--run-dir` answers.
pub fn socket_path(run_dir: &Path) -> PathBuf {
    run_dir.join("status.sock")
}
