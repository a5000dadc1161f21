//! What must hold stands in `../properties/flags.rs`.

#![no_main]

#[path = "../properties/flags.rs"]
mod flags;

libfuzzer_sys::fuzz_target!(|data: &[u8]| flags::run(data));
