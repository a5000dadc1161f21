//! What must hold stands in `../properties/router_steps.rs`.

#![no_main]

#[path = "../properties/router_steps.rs"]
mod router_steps;

libfuzzer_sys::fuzz_target!(|data: &[u8]| router_steps::run(data));
