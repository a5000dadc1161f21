//! What must hold stands in `../properties/credentials.rs`.

#![no_main]

#[path = "../properties/credentials.rs"]
mod credentials;

libfuzzer_sys::fuzz_target!(|data: &[u8]| credentials::run(data));
