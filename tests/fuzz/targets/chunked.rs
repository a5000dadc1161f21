//! What must hold stands in `../properties/chunked.rs`.

#![no_main]

#[path = "../properties/chunked.rs"]
mod chunked;

libfuzzer_sys::fuzz_target!(|data: &[u8]| chunked::run(data));
