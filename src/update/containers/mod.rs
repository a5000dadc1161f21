//! Plain containers (those that are no Swarm tasks), recreated from the newest image of their tag with every setting
//! kept, watched, and put back when they fail.
//!
//! ```text
//!   choice    which containers, and why not the others
//!   stale     what is newer: held, too young, the same under another name
//!   order     dependencies first; who hangs on whose network
//!   create ─┬─ config    what was asked for: all but what came from the image
//!           ├─ volumes   anonymous volumes stay with their container
//!           └─ networks  every network with its aliases and addresses
//!   swap      the next step, forward or back, from what is there: after a crash it just goes on
//!   watch     does it run well?
//!   run       does it: round (choose, pull), replace (swap, attached containers, leftovers)
//! ```

pub mod choice;
pub mod config;
pub mod create;
pub mod networks;
pub mod order;
pub mod run;
pub mod stale;
pub mod swap;
pub mod volumes;
pub mod watch;
