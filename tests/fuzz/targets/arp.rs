//! What must hold stands in `../properties/arp.rs`.

#![no_main]

#[path = "../properties/arp.rs"]
mod arp;
#[path = "../properties/bpf.rs"]
mod bpf;

libfuzzer_sys::fuzz_target!(|data: &[u8]| arp::run(data));
