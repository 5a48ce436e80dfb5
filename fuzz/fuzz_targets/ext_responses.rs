#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| checksum_fuzz::ext_responses(data));
