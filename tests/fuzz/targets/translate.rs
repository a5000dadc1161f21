//! What must hold stands in `../properties/translate.rs`.

#![no_main]

#[path = "../properties/translate.rs"]
mod translate;

libfuzzer_sys::fuzz_target!(|data: &[u8]| translate::run(data));
