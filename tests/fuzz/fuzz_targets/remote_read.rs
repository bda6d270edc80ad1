//! Whatever a server answers to remote read, streamed chunks or samples, it is an error or series in
//! order with samples in order.

#![no_main]

use libfuzzer_sys::fuzz_target;
use promql_storage::remote::read_whole_answer;

fuzz_target!(|answer: &[u8]| {
    let Some((first, answer)) = answer.split_first() else { return };
    match first % 3 {
        0 => drop(read_whole_answer(answer, true)),
        1 => drop(read_whole_answer(answer, false)),
        // Chunks that are found only behind a checksum that fits.
        _ => {
            let mut framed = Vec::new();
            for message in answer.chunks(200) {
                framed.extend(length(message.len()));
                framed.extend(crc32c::crc32c(message).to_be_bytes());
                framed.extend(message);
            }
            drop(read_whole_answer(&framed, true));
        }
    }
});

fn length(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
