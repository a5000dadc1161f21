//! Notices: `--on-change PROGRAM` is run at each change of role, rollout, rollback, hold and pruning, one at a time, with
//! variables in its environment and JSON on its standard input.
//!
//! This file says what a notice is and what becomes of it for the program (pure); `run` runs the program. The VIP process
//! tells of roles, the housekeeper of its rounds.
