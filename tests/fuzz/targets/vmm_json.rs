//! `make fuzz CHECKS=vmm_json`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::vmm_json::check(bytes));
