//! Whatever happens to a router, in whatever order, at whatever time: see `tests/steps.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../steps.rs"]
mod steps;

fuzz_target!(|data: &[u8]| steps::run(data));
