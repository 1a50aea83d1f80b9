//! A generator of inputs from a seed: the same seed, the same inputs, on every machine.

/// SplitMix64: ten lines, and even enough to draw test inputs from.
pub(crate) struct Seeded(u64);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// A number whose size in bits is drawn first, so that small and huge ones are equally likely.
    pub(crate) fn integer(&mut self) -> i64 {
        let bits = self.below(64) as u32;
        (self.next() as i64) >> (63 - bits)
    }

    /// Up to `most` of these pieces in a row.
    pub(crate) fn text(&mut self, pieces: &[&str], most: usize) -> String {
        (0..self.below(most + 1)).map(|_| pieces[self.below(pieces.len())]).collect()
    }
}
