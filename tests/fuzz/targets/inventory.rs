//! What must hold stands in `../properties/inventory.rs`.

#![no_main]

#[path = "../properties/inventory.rs"]
mod inventory;

libfuzzer_sys::fuzz_target!(|data: &[u8]| inventory::run(data));
