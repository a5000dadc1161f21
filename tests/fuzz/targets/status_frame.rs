//! What must hold stands in `../properties/status_frame.rs`.

#![no_main]

#[path = "../properties/status_frame.rs"]
mod status_frame;

libfuzzer_sys::fuzz_target!(|data: &[u8]| status_frame::run(data));
