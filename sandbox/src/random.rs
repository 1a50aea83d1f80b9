//! The one source of chance: a seeded generator, so that a run can be replayed byte by byte.

/// The letters that generated names end in: no vowels, so no words arise by accident.
const NAME_LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// xoshiro256++, seeded through splitmix64 (both in the public domain).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// The same seed gives the same numbers.
    pub fn seeded(seed: u64) -> Self {
        let mut mix = seed;
        Self { state: std::array::from_fn(|_| splitmix(&mut mix)) }
    }

    /// A generator of its own for another purpose: draws from one don't shift the other.
    pub fn fork(&mut self) -> Self {
        Self::seeded(self.next_u64())
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let drawn = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let mut next = [a, b, c ^ a, d ^ b];
        next[1] ^= next[2];
        next[0] ^= next[3];
        next[2] ^= b << 17;
        next[3] = next[3].rotate_left(45);
        self.state = next;
        drawn
    }

    /// A number below `bound`; 0 where `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next_u64()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// True with the given probability (in parts per million, so that a seed means the same everywhere).
    pub fn chance(&mut self, per_million: u32) -> bool {
        self.below(1_000_000) < u64::from(per_million)
    }

    /// A version 4 UUID.
    pub fn uid(&mut self) -> String {
        let high = (self.next_u64() & !0xf000) | 0x4000;
        let low = (self.next_u64() & !(0b11 << 62)) | (0b10 << 62);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff,
        )
    }

    /// The five letters behind a `generateName`.
    pub fn name_suffix(&mut self) -> String {
        (0..5)
            .map(|_| {
                let index = usize::try_from(self.below(NAME_LETTERS.len() as u64)).unwrap_or(0);
                char::from(NAME_LETTERS[index])
            })
            .collect()
    }
}

fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_uids_and_names() {
        let (mut one, mut two) = (Random::seeded(7), Random::seeded(7));
        assert_eq!(one.uid(), two.uid());
        assert_eq!(one.name_suffix(), two.name_suffix());
        assert_ne!(Random::seeded(8).uid(), Random::seeded(7).uid());
    }

    #[test]
    fn a_fork_does_not_follow_its_parent() {
        let mut parent = Random::seeded(1);
        let mut fork = parent.fork();
        assert_ne!(parent.next_u64(), fork.next_u64());
    }

    #[test]
    fn numbers_stay_below_their_bound_and_reach_both_ends() {
        let mut random = Random::seeded(3);
        let drawn: Vec<u64> = (0..200).map(|_| random.below(3)).collect();
        for wanted in 0..3 {
            assert!(drawn.contains(&wanted), "never drew {wanted}");
        }
        assert!(drawn.iter().all(|number| *number < 3));
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn uids_are_version_4() {
        let uid = Random::seeded(5).uid();
        assert_eq!(uid.len(), 36);
        assert_eq!(&uid[14..15], "4");
        assert!("89ab".contains(&uid[19..20]));
    }
}
