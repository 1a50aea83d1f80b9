//! JSON is written byte for byte as Go writes it.

use serde_json::{Value, json};
use sluice_crds::template::go_json;

#[test]
fn keys_are_sorted_and_web_characters_escaped() {
    let table = [
        (json!(null), "null"),
        (json!([true, false, []]), "[true,false,[]]"),
        (json!({"b": 1, "a": {"Z": 1, "é": 2, "z": 3}}), r#"{"a":{"Z":1,"z":3,"é":2},"b":1}"#),
        (json!("<a href=\"x\">&</a>"), r#""\u003ca href=\"x\"\u003e\u0026\u003c/a\u003e""#),
        (json!("a\\b\n\r\t\u{8}\u{c}\u{0}\u{1f}\u{7f}"), "\"a\\\\b\\n\\r\\t\\b\\f\\u0000\\u001f\u{7f}\""),
        (json!("\u{2028}\u{2029}é😀"), r#""\u2028\u2029é😀""#),
        (json!({"<": 1}), r#"{"\u003c":1}"#),
    ];
    for (value, text) in table {
        assert_eq!(go_json(&value), text);
    }
}

#[test]
fn numbers_have_the_fewest_digits_and_an_exponent_only_at_the_ends() {
    let table = [
        ("0", "0"),
        ("-0.0", "-0"),
        ("1000.0", "1000"),
        ("1e3", "1000"),
        ("0.5", "0.5"),
        ("-1.25e-3", "-0.00125"),
        ("0.000001", "0.000001"),
        ("0.00000099", "9.9e-7"),
        ("1e-7", "1e-7"),
        ("100000000000000000000", "100000000000000000000"),
        ("1e21", "1e+21"),
        ("1.5e300", "1.5e+300"),
        ("308180262422428134.0", "308180262422428160"),
        // Two texts of this length are equally near; the even digit wins.
        ("73049811620035.125", "73049811620035.12"),
        ("18446744073709551615", "18446744073709551615"),
        ("-9223372036854775808", "-9223372036854775808"),
    ];
    for (written, text) in table {
        let value: Value = serde_json::from_str(written).expect(written);
        assert_eq!(go_json(&value), text, "{written}");
    }
}
