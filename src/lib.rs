//! unsinkable: a virtual IP that follows the healthy node of a small cluster.
//!
//! A folder is a job. In each, pure files (time and bytes in, values out) and one `run` that does the I/O:
//!
//! ```text
//!  main ─ flags ─ plan, preflight       what is asked for, what it would do, is the machine ready?
//!         translate                    keepalived's and others' files as flags
//!         daemon ─┬─ vrrp    who is master                 vrrp thread: sockets only, never waits for anyone
//!                 ├─ vip     the address: leased, announced  vip thread: netlink, ARP and NA
//!                 ├─ checks  is it alive?                    checks thread: smol, pidfds, probes, links
//!                 ├─ report  status and its faces            checks thread
//!                 └─ housekeeper                             a process of its own, without capabilities
//!                      ├─ update    services and containers to their newest image, and back when it fails
//!                      ├─ prune     what nobody uses any more
//!                      ├─ docker    the Engine API: update, prune and syslog use it, and the checks of Docker
//!                      ├─ listen    what `--listen` answers: page, metrics, the whole cluster
//!                      ├─ syslog    logs, with names
//!                      ├─ ceph      the storage's health
//!                      └─ state     what outlives a restart
//!         notice   `--on-change`: the user's program, told of roles and rounds
//!         dns      does a name point at the VIP?
//!         shared   what the threads share: atomics, queues, wakes
//!         tasks    one thread's tasks
//!         log      lines on stderr: never waited for, counted when lost
//!         sys      the kernel; all `unsafe`
//!         boards   the flags of each kind of board, compiled in
//!         time, duration, sorted, bpf, wish, voice, http_url, sysexits   words that pure files of any folder may use
//! ```
//!
//! The vip thread is apart from the vrrp thread because adding an address waits for the kernel's RTNL lock,
//! which a container start may hold for longer than an advert interval.
//!
//! Import rule, kept by `tests/rules.rs`: pure files import pure files of their own folder and `time`, `duration`,
//! `sorted`, `bpf`, `wish`, `voice`, `http_url`, `sysexits`; `vrrp`, `vip`, `checks` and `report` meet only in `daemon`;
//! `update`, `prune`, `syslog`, `ceph` and `listen` only in `housekeeper`, and may use `docker` and `state`; `translate`
//! may use `flags` and `plan`; only `sys` says `unsafe`; `vrrp` and `vip` name neither `smol` nor `log`.

pub mod boards;
pub mod bpf;
pub mod ceph;
pub mod checks;
pub mod daemon;
pub mod dns;
pub mod docker;
pub mod duration;
pub mod flags;
pub mod housekeeper;
pub mod http_url;
pub mod listen;
pub mod log;
pub mod notice;
pub mod plan;
pub mod preflight;
pub mod prune;
pub mod report;
pub mod shared;
pub mod sorted;
pub mod state;
pub mod sys;
pub mod sysexits;
pub mod syslog;
pub mod tasks;
pub mod time;
pub mod translate;
pub mod update;
pub mod vip;
pub mod voice;
pub mod vrrp;
pub mod wish;
