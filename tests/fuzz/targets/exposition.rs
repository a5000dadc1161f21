//! What must hold stands in `../properties/exposition.rs`.

#![no_main]

#[path = "../properties/exposition.rs"]
mod exposition;

libfuzzer_sys::fuzz_target!(|data: &[u8]| exposition::run(data));
