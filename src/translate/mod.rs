//! `translate`: the files of keepalived, shepherd, gantry, watchtower, docker-cleanup and docker-gc as flags of `run`.
//!
//! ```text
//!  run ─ gather ─┬─ words ─ keepalived ─ instance ─ context ─ script
//!                │                                 statements; keywords and judge tell what each means here
//!                ├─ compose ─ yaml ┐
//!                ├─ command ───────┼─ container ─ tools ─ tooltable
//!                └─ env ───────────┘               what a tool's settings mean here
//!        table   what a row of the tables says
//!        times   seconds as they write them, and our durations
//!        sheet   what came of it: commands, and what became of each statement
//!        nodes   several nodes' instances become one command
//!        verify  our own flags and `plan` over the commands
//!        render  for people and for programs
//! ```
//!
//! Every statement of a file gets exactly one `Verdict`. Nothing is guessed: what is not known is listed as such, and
//! secrets are named by their place, never printed. All but `run` is pure.

mod command;
mod compose;
mod container;
mod context;
mod env;
pub mod gather;
mod instance;
mod judge;
mod keepalived;
mod keywords;
mod list;
mod nodes;
mod render;
pub mod run;
mod script;
mod sheet;
mod table;
mod times;
mod tools;
mod tooltable;
mod verify;
mod words;
mod yaml;

pub use gather::Output;
pub use sheet::{Bad, Flag, Line, Place, Sheet, Verdict};
