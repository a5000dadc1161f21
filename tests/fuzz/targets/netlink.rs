//! What must hold stands in `../properties/netlink.rs`.

#![no_main]

#[path = "../properties/netlink.rs"]
mod netlink;

libfuzzer_sys::fuzz_target!(|data: &[u8]| netlink::run(data));
