//! What must hold stands in `../properties/service.rs`.

#![no_main]

#[path = "../properties/service.rs"]
mod service;

libfuzzer_sys::fuzz_target!(|data: &[u8]| service::run(data));
