//! What must hold stands in `../properties/machine_files.rs`.

#![no_main]

#[path = "../properties/machine_files.rs"]
mod machine_files;

libfuzzer_sys::fuzz_target!(|data: &[u8]| machine_files::run(data));
