//! What must hold stands in `../properties/arp.rs`.

#![no_main]

#[path = "../properties/arp.rs"]
mod arp;

libfuzzer_sys::fuzz_target!(|data: &[u8]| arp::run(data));
