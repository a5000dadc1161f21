//! What must hold stands in `../properties/resolv_conf.rs`.

#![no_main]

#[path = "../properties/resolv_conf.rs"]
mod resolv_conf;

libfuzzer_sys::fuzz_target!(|data: &[u8]| resolv_conf::run(data));
