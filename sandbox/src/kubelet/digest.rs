//! Names that look like what a container runtime makes up, but follow from their parts: the same pod gives the
//! same container id in every run.

/// `length` hexadecimal digits that depend on each part and on where one part ends and the next begins.
pub(super) fn hex(parts: &[&str], length: usize) -> String {
    let mut digits = String::with_capacity(length + 16);
    let mut round = 0_u64;
    while digits.len() < length {
        digits.push_str(&format!("{:016x}", fnv1a(round, parts)));
        round += 1;
    }
    digits.truncate(length);
    digits
}

fn fnv1a(seed: u64, parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut eat = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    for part in parts {
        part.bytes().for_each(&mut eat);
        eat(0xff);
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::hex;

    #[test]
    fn ids_follow_from_their_parts_and_nothing_else() {
        assert_eq!(hex(&["uid", "main", "0"], 64), hex(&["uid", "main", "0"], 64));
        assert_ne!(hex(&["uid", "main", "0"], 64), hex(&["uid", "main", "1"], 64));
        assert_ne!(hex(&["ab", "c"], 8), hex(&["a", "bc"], 8));
        assert_eq!(hex(&["x"], 40).len(), 40);
    }
}
