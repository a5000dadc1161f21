//! The kernel's face: the only home of `unsafe`, one system call a block.
#![allow(unsafe_code)]
pub mod terminal;
