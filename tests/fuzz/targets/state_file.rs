//! What must hold stands in `../properties/state_file.rs`.

#![no_main]

#[path = "../properties/state_file.rs"]
mod state_file;

libfuzzer_sys::fuzz_target!(|data: &[u8]| state_file::run(data));
