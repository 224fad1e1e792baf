#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| why403::fuzzing::record(data));
