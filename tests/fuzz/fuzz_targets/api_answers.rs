//! Whatever a server answers to a query, or a VictoriaMetrics exports, it is an error or an answer.

#![no_main]

use libfuzzer_sys::fuzz_target;
use promql_storage::remote::{read_whole_export, read_whole_json};

fuzz_target!(|answer: &[u8]| {
    let _ = read_whole_json(answer);
    let _ = read_whole_export(answer);
});
