//! Prometheus' remote-write message, by hand: it is four kinds of fields, and carries what no text format does, the
//! marks where series end.

use super::samples::Series;

/// The NaN that marks the end of a series.
const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// A request with all samples: protobuf in snappy's block format.
pub(super) fn message(all: &[Series]) -> Vec<u8> {
    let mut request = Vec::new();
    for series in all {
        let mut inside = Vec::new();
        for (name, value) in series.labels.iter() {
            let mut label = Vec::new();
            bytes_field(&mut label, 1, name.as_bytes());
            bytes_field(&mut label, 2, value.as_bytes());
            bytes_field(&mut inside, 1, &label);
        }
        for (at_ms, value) in &series.samples {
            let bits = value.map_or(STALE_BITS, f64::to_bits);
            let mut sample = vec![1 << 3 | 1];
            sample.extend(bits.to_le_bytes());
            sample.push(2 << 3);
            varint(&mut sample, at_ms.unsigned_abs());
            bytes_field(&mut inside, 2, &sample);
        }
        bytes_field(&mut request, 1, &inside);
    }
    uncompressed(&request)
}

fn bytes_field(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    out.push(field << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend(bytes);
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(u8::try_from(number & 0x7f).unwrap_or(0) | 0x80);
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap_or(0));
}

/// Snappy's format with nothing but literals in it.
fn uncompressed(bytes: &[u8]) -> Vec<u8> {
    let mut block = Vec::with_capacity(bytes.len() + bytes.len() / 1_000 + 16);
    varint(&mut block, bytes.len() as u64);
    for literal in bytes.chunks(65_536) {
        // The tag of a literal whose length less one follows in two bytes.
        block.push(61 << 2);
        let length = u16::try_from(literal.len() - 1).unwrap_or(u16::MAX);
        block.extend(length.to_le_bytes());
        block.extend(literal);
    }
    block
}
