//! What must hold stands in `../properties/proc_stat.rs`.

#![no_main]

#[path = "../properties/proc_stat.rs"]
mod proc_stat;

libfuzzer_sys::fuzz_target!(|data: &[u8]| proc_stat::run(data));
