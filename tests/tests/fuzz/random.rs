//! Numbers that follow from a seed, the same everywhere.

/// [SplitMix64](https://dl.acm.org/doi/10.1145/2714064.2660195).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// The numbers of one input of a target.
    pub(crate) fn new(seed: u64, target: &str, input: u64) -> Self {
        let mut random = Self(seed ^ hash(target.as_bytes()));
        random.0 = random.next() ^ input;
        random.next();
        random
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below a limit; 0 where there is none.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let limit = limit.max(1) as u64;
        (self.next() % limit) as usize
    }

    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<'i, T>(&mut self, items: &'i [T]) -> &'i T {
        &items[self.below(items.len())]
    }

    /// A part of something so long; short ones are likelier.
    pub(crate) fn part(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length);
        let longest = match self.below(4) {
            0 => 1,
            1 => 8,
            2 => 64,
            _ => length,
        };
        let end = start + 1 + self.below(longest);
        start.min(length)..end.min(length)
    }
}

/// [FNV-1a](https://www.rfc-editor.org/rfc/rfc9923): the same in every build, unlike those of the standard library.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
