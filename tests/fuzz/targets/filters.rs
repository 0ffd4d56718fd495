//! `make fuzz CHECKS=filters`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::filters::check(bytes));
