//! Few bytes that become many.

/// A hundred megabytes of blanks, by [gzip](https://www.rfc-editor.org/rfc/rfc1952). The checksum
/// is not theirs: whoever finds out has unpacked them.
pub(super) fn bomb() -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    bytes.extend(deflated());
    bytes.extend([0; 8]);
    bytes
}

/// One block with [fixed codes](https://www.rfc-editor.org/rfc/rfc1951#page-12): a blank, many
/// times the 258 bytes from one byte ago, and the end.
fn deflated() -> Vec<u8> {
    let again = "1100010100000".repeat(400_000);
    let bits = ["110", "01010000", &again, "0000000"].concat();
    let byte = |bits: &[u8]| {
        let ones = bits.iter().enumerate().filter(|(_, bit)| **bit == b'1');
        ones.map(|(place, _)| 1 << place).sum()
    };
    bits.as_bytes().chunks(8).map(byte).collect()
}
