//! What must hold stands in `../properties/syslog_relay.rs`.

#![no_main]

#[path = "../properties/syslog_relay.rs"]
mod syslog_relay;

libfuzzer_sys::fuzz_target!(|data: &[u8]| syslog_relay::run(data));
