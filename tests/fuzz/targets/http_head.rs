//! What must hold stands in `../properties/http_head.rs`.

#![no_main]

#[path = "../properties/http_head.rs"]
mod http_head;

libfuzzer_sys::fuzz_target!(|data: &[u8]| http_head::run(data));
