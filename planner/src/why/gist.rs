//! Whether a sentence says something new. Numbers change with other fields of the status, and what stands in
//! brackets is detail (a kubelet's back-off grows and its messages take turns): neither is worth a write of its
//! own, or pods that crash for days would have the status written for days.

/// Whether two sentences differ in nothing but numbers and what stands in brackets.
pub(crate) fn says_the_same(a: &str, b: &str) -> bool {
    words(a).eq(words(b))
}

fn words(sentence: &str) -> impl Iterator<Item = char> {
    let mut depth = 0_usize;
    sentence.chars().filter(move |c| {
        match c {
            '(' => depth = depth.saturating_add(1),
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && !c.is_ascii_digit()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_details_are_nothing_new_and_words_are() {
        let rows = [
            ("revision 2 has 0 of 2 pods available", "revision 2 has 1 of 2 pods available", true),
            ("pod web-x: ImagePullBackOff (not found)", "pod web-x: ImagePullBackOff (Back-off pulling (x))", true),
            ("revision 2 has 0 of 2 pods", "revision 2 has 0 of 2 pods; pod web-x: ImagePullBackOff", false),
            ("pod web-x: ImagePullBackOff (no)", "pod web-x: OOMKilled (no)", false),
            (") out of order (", ") out of order (and on", true),
        ];
        for (before, after, same) in rows {
            assert_eq!(says_the_same(before, after), same, "{before} → {after}");
        }
    }
}
