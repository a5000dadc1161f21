//! unsinkable: a virtual IP that follows the healthy node of a small cluster.
//!
//! A folder is a job. In each, pure files (time and bytes in, values out) and one `run` that does the I/O:
//!
//! ```text
//!  main ─ flags ─ daemon ─┬─ vrrp    who is master           (vrrp thread: sockets only, never waits)
//!                         ├─ vip     the address, announced  (vip thread: netlink, ARP and NA)
//!                         ├─ checks  is it alive?            (checks thread: smol, pidfds, probes, links)
//!                         └─ report  status                  (checks thread)
//!                            sys     the kernel; all `unsafe`
//! ```
//!
//! Import rule, kept by `tests/rules.rs`: pure files import pure files of their own folder and `time`; `vrrp`, `vip`,
//! `checks` and `report` meet only in `daemon`; only `sys` says `unsafe`; `vrrp/run.rs` and `vip/run.rs` name neither
//! `smol` nor `log`.

pub mod bpf;
pub mod checks;
pub mod daemon;
pub mod flags;
pub mod housekeeper;
pub mod log;
pub mod plan;
pub mod preflight;
pub mod report;
pub mod shared;
pub mod sys;
pub mod time;
pub mod vip;
pub mod vrrp;
pub mod wish;
