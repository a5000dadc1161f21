//! What must hold stands in `../properties/container.rs`.

#![no_main]

#[path = "../properties/container.rs"]
mod container;

libfuzzer_sys::fuzz_target!(|data: &[u8]| container::run(data));
