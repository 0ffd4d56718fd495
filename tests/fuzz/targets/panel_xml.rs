//! `make fuzz CHECKS=panel_xml`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::panel_xml::check(bytes));
