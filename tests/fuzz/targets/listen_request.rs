//! What must hold stands in `../properties/listen_request.rs`.

#![no_main]

#[path = "../properties/listen_request.rs"]
mod listen_request;

libfuzzer_sys::fuzz_target!(|data: &[u8]| listen_request::run(data));
