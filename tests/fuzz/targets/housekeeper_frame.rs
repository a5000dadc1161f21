//! What must hold stands in `../properties/housekeeper_frame.rs`.

#![no_main]

#[path = "../properties/housekeeper_frame.rs"]
mod housekeeper_frame;

libfuzzer_sys::fuzz_target!(|data: &[u8]| housekeeper_frame::run(data));
