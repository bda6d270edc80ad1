//! Reading numbers and texts from bytes, one after the other.

use super::damage::Damage;

/// Bytes with a place up to which they are read. Numbers of a fixed width are big-endian.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<'a> {
    all: &'a [u8],
    position: usize,
}

impl<'a> Bytes<'a> {
    pub(super) fn new(all: &'a [u8]) -> Self {
        Bytes { all, position: 0 }
    }

    /// All bytes, to be read from a place on. One behind the end is like the end.
    pub(super) fn from(all: &'a [u8], position: usize) -> Self {
        Bytes { all, position: position.min(all.len()) }
    }

    /// How many bytes were read.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn is_empty(&self) -> bool {
        self.position == self.all.len()
    }

    /// What is left.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.all[self.position..]
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Damage> {
        let end = self.position.checked_add(length);
        let taken = end.and_then(|end| self.all.get(self.position..end));
        let taken = taken.ok_or_else(|| Damage::end(self.all.len()))?;
        self.position += length;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Damage> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Damage> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Damage> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Damage> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Damage> {
        self.array().map(u64::from_be_bytes)
    }

    /// A 64-bit float. Its bits stay as they are, which matters for staleness markers.
    pub(super) fn f64(&mut self) -> Result<f64, Damage> {
        self.u64().map(f64::from_bits)
    }

    /// Groups of seven bits, the lowest first; all but the last have the high bit set.
    pub(super) fn uvarint(&mut self) -> Result<u64, Damage> {
        let start = self.position;
        let mut number = 0_u64;
        for group in 0..10 {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if group == 9 && bits > 1 {
                break;
            }
            number |= bits << (7 * group);
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Damage::new("a number takes more than 64 bits", start))
    }

    /// A signed number, zig-zag: 0, -1, 1, -2 are 0, 1, 2, 3.
    pub(super) fn varint(&mut self) -> Result<i64, Damage> {
        self.uvarint().map(zigzag)
    }

    /// A [`uvarint`](Self::uvarint) that counts things in memory.
    pub(super) fn length(&mut self) -> Result<usize, Damage> {
        let start = self.position;
        let length = self.uvarint()?;
        usize::try_from(length).map_err(|_| Damage::new("a length is beyond all memory", start))
    }

    /// A text with its length in front.
    pub(super) fn text(&mut self) -> Result<&'a str, Damage> {
        let length = self.length()?;
        let start = self.position;
        let text = self.take(length)?;
        std::str::from_utf8(text)
            .map_err(|error| Damage::new("a text is not UTF-8", start + error.valid_up_to()))
    }
}

/// The number that an unsigned one stands for.
pub(super) fn zigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// Checks the checksum of bytes: CRC-32C, as of all files of the database. A fuzzer would never get
/// behind it, so in a build for one every checksum is right.
pub(super) fn verify(bytes: &[u8], expected: u32, at: usize) -> Result<(), Damage> {
    if cfg!(fuzzing) {
        return Ok(());
    }
    let found = crc32c::crc32c(bytes);
    if found == expected {
        return Ok(());
    }
    Err(Damage::new(format!("the checksum is {found:08x}, not {expected:08x}"), at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let mut bytes = Bytes::new(&[0x80, 0xa0, 0xab, 0xfe, 0xf9, 0x62, 0xbc, 0xe0, 0x03, 0x01]);
        assert_eq!(bytes.varint(), Ok(1_700_000_000_000));
        assert_eq!(bytes.uvarint(), Ok(61_500));
        assert_eq!(bytes.varint(), Ok(-1));
        assert_eq!(bytes.u8(), Err(Damage::end(10)));
    }

    #[test]
    fn numbers_that_are_too_long() {
        let most = [0xff; 9].into_iter().chain([0x01]).collect::<Vec<u8>>();
        assert_eq!(Bytes::new(&most).uvarint(), Ok(u64::MAX));
        let more = [0xff; 9].into_iter().chain([0x02]).collect::<Vec<u8>>();
        assert!(Bytes::new(&more).uvarint().is_err());
        assert!(Bytes::new(&[0x80; 12]).uvarint().is_err());
    }

    #[test]
    fn the_check_value_of_the_checksum() {
        assert_eq!(verify(b"123456789", 0xe306_9283, 0), Ok(()));
        assert!(verify(b"123456780", 0xe306_9283, 0).is_err());
    }
}
