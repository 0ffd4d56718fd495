//! `make fuzz CHECKS=state_files`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::state_files::check(bytes));
