//! What must hold stands in `../properties/log_lines.rs`.

#![no_main]

#[path = "../properties/log_lines.rs"]
mod log_lines;

libfuzzer_sys::fuzz_target!(|data: &[u8]| log_lines::run(data));
