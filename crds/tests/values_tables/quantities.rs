//! Quantities are compared by value and printed to the letter as Kubernetes prints them.

use crate::seeded::Seeded;
use sluice_crds::values::Quantity;

fn quantity(text: &str) -> Quantity {
    text.parse().expect(text)
}

#[test]
fn a_quantity_is_printed_as_kubernetes_prints_it() {
    let table = [
        ("0", "0"),
        ("000", "0"),
        ("-0", "0"),
        ("0Ki", "0"),
        ("0.0", "0"),
        ("1", "1"),
        ("100m", "100m"),
        ("0.1", "100m"),
        (".5", "500m"),
        ("1.5", "1500m"),
        ("1000m", "1"),
        ("1000", "1k"),
        ("12000", "12k"),
        ("1000000000000", "1T"),
        ("1e3", "1e3"),
        ("1E3", "1E3"),
        ("1000e3", "1e6"),
        ("12e-3", "12e-3"),
        ("1.5e3", "1500"),
        ("15e2", "1500"),
        ("1Ki", "1Ki"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.5Ki", "512"),
        ("8Ki", "8Ki"),
        ("512Ki", "512Ki"),
        ("1000Ki", "1000Ki"),
        ("0.1Ki", "102400m"),
        ("-1.5Gi", "-1536Mi"),
        ("1n", "1n"),
        ("0.1n", "1n"),
        ("-0.1n", "-1n"),
        ("1.0000000001", "1000000001n"),
        ("100u", "100u"),
        ("9223372036854775807", "9223372036854775807"),
        ("9223372036854775808", "9223372036854775808"),
        ("99999999999999999999", "99999999999999999999"),
        ("8Ei", "9223372036854775807"),
        ("100Ei", "9223372036854775807"),
        ("1e30", "1e30"),
    ];
    for (text, printed) in table {
        assert_eq!(quantity(text).to_string(), printed, "{text}");
    }
}

/// The hash is taken over the printed form, so its quirks are ours.
#[test]
fn the_quirks_of_printing_are_kept() {
    let table = [
        // What looks canonical at a glance is not touched.
        ("+5", "+5"),
        ("1.500", "1.500"),
        ("007", "007"),
        // No suffix is larger than exa.
        ("1000E", "1"),
        // A suffix alone is zero.
        ("m", "0"),
        ("Ki", "0"),
        (".", "0"),
        ("-", "0"),
        // Blanks around are dropped.
        (" 1 ", "1"),
    ];
    for (text, printed) in table {
        assert_eq!(quantity(text).to_string(), printed, "{text}");
    }
}

#[test]
fn what_is_no_quantity_is_named_with_the_mend() {
    let refused = [
        "",
        " ",
        "abc",
        "1x",
        "1 Gi",
        "1gi",
        "1KI",
        "1K",
        "1.2.3",
        "1e",
        "1e1.5",
        "--1",
        "1mm",
        "1Mi2",
        "1e99999999999999999999",
        "0x10",
        "é",
    ];
    for text in refused {
        let mistake = text.parse::<Quantity>().map_err(|error| error.to_string());
        let sentence = format!("{:?} is not a quantity; write one like 500m, 2, 1.5Gi or 1e3", text.trim());
        assert_eq!(mistake.err(), Some(sentence));
    }
}

#[test]
fn quantities_are_equal_when_their_values_are() {
    for (a, b) in
        [("1", "1000m"), ("1Gi", "1024Mi"), ("1k", "1e3"), ("0", "-0Ki"), ("0.5Ki", "512"), ("1.500", "1500m")]
    {
        assert_eq!(quantity(a), quantity(b), "{a} {b}");
    }
}

#[test]
fn quantities_are_ordered_by_value() {
    let ascending = [
        "-1Ei", "-1e3", "-1", "-1m", "0", "1n", "1u", "999u", "1m", "0.9", "1", "10", "999", "1k", "1Ki", "1M", "1Mi",
        "1E", "1Ei", "1e30",
    ];
    for (index, smaller) in ascending.iter().enumerate() {
        for larger in &ascending[index + 1..] {
            assert!(quantity(smaller) < quantity(larger), "{smaller} < {larger}");
        }
    }
    assert!(quantity("-1n").is_negative() && !quantity("-0").is_negative() && quantity("0Mi").is_zero());
}

#[test]
fn resource_lists_are_rounded_to_the_thousandth() {
    for (text, rounded) in [
        ("1u", "1m"),
        ("100m", "100m"),
        ("1.0001", "1001m"),
        ("-1.0001", "-1001m"),
        ("1.500", "1.500"),
        ("999999u", "1"),
    ] {
        assert_eq!(quantity(text).rounded_to_milli().to_string(), rounded, "{text}");
    }
}

#[test]
fn what_is_printed_reads_as_the_same_value_and_prints_the_same_again() {
    let suffixes = ["", "n", "u", "m", "k", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "Pi", "e3", "e-6", "E6"];
    let mut seeded = Seeded::new(6);
    for _ in 0..20_000 {
        let fraction = if seeded.below(2) == 0 { String::new() } else { format!(".{}", seeded.below(1_000_000)) };
        let text = format!("{}{fraction}{}", seeded.integer() >> 20, suffixes[seeded.below(suffixes.len())]);
        let value = quantity(&text);
        let again = quantity(value.as_str());
        assert_eq!(again, value, "{text}");
        assert_eq!(again.as_str(), value.as_str(), "{text}");
    }
}

#[test]
fn no_text_brings_the_parser_down() {
    let pieces = [
        "-",
        "+",
        ".",
        "0",
        "9",
        "99999999999999999999",
        "e",
        "E",
        "e2147483647",
        "e-2147483648",
        "Ki",
        "Ei",
        "m",
        "i",
        "é",
        " ",
    ];
    let mut seeded = Seeded::new(7);
    let mut values: Vec<Quantity> = Vec::new();
    for _ in 0..20_000 {
        values.extend(seeded.text(&pieces, 5).parse());
    }
    assert!(values.len() > 1000, "only {} of the texts were quantities", values.len());
    values.sort();
    assert!(values.is_sorted());
}
