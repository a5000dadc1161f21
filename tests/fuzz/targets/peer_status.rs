//! What must hold stands in `../properties/peer_status.rs`.

#![no_main]

#[path = "../properties/peer_status.rs"]
mod peer_status;

libfuzzer_sys::fuzz_target!(|data: &[u8]| peer_status::run(data));
