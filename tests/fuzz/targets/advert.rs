//! What must hold stands in `../properties/advert.rs`.

#![no_main]

#[path = "../properties/advert.rs"]
mod advert;
#[path = "../properties/bpf.rs"]
mod bpf;

libfuzzer_sys::fuzz_target!(|data: &[u8]| advert::run(data));
