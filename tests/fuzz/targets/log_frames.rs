//! What must hold stands in `../properties/log_frames.rs`.

#![no_main]

#[path = "../properties/log_frames.rs"]
mod log_frames;

libfuzzer_sys::fuzz_target!(|data: &[u8]| log_frames::run(data));
