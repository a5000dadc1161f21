//! What must hold stands in `../properties/dns_answer.rs`.

#![no_main]

#[path = "../properties/dns_answer.rs"]
mod dns_answer;

libfuzzer_sys::fuzz_target!(|data: &[u8]| dns_answer::run(data));
