//! What must hold stands in `../properties/docker_event.rs`.

#![no_main]

#[path = "../properties/docker_event.rs"]
mod docker_event;

libfuzzer_sys::fuzz_target!(|data: &[u8]| docker_event::run(data));
