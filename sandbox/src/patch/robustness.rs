//! Whatever a patch looks like, it is applied or refused; it never breaks the server.

use serde_json::{Value, json};

use super::{json as json_patch, merge, strategic};
use crate::schema::parse;

/// A small generator, so that a failing case is found again by its seed.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let at = usize::try_from(self.below(words.len() as u64)).unwrap_or(0);
        words[at]
    }

    fn value(&mut self, depth: u32) -> Value {
        let names = [
            "name",
            "containers",
            "list",
            "$patch",
            "$retainKeys",
            "$setElementOrder/containers",
            "$deleteFromPrimitiveList/list",
            "$setElementOrder/list",
            "$deleteFromPrimitiveList",
            "$setElementOrder",
            "op",
            "path",
            "from",
            "value",
            "map",
        ];
        let words = [
            "a", "b", "replace", "delete", "merge", "add", "remove", "move", "copy", "test", "/list/0", "/map/a", "/-",
            "",
        ];
        match self.below(if depth == 0 { 4 } else { 8 }) {
            0 => Value::Null,
            1 => json!(self.below(3)),
            2 => json!(self.below(2) == 0),
            3 => json!(self.pick(&words)),
            4 | 5 => Value::Array((0..self.below(4)).map(|_| self.value(depth - 1)).collect()),
            _ => Value::Object(
                (0..self.below(5)).map(|_| (self.pick(&names).to_owned(), self.value(depth - 1))).collect(),
            ),
        }
    }
}

#[test]
fn any_patch_is_applied_or_refused() {
    let item =
        json!({"type": "object", "properties": {"list": {"type": "array", "x-kubernetes-patch-strategy": "merge"}}});
    let schema = parse(&json!({"type": "object", "properties": {
        "containers": {"type": "array", "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "name", "items": item},
        "list": {"type": "array", "x-kubernetes-patch-strategy": "merge", "items": {"type": "string"}},
        "map": {"type": "object", "additionalProperties": {"type": "object"}},
    }}));
    let (mut applied, mut refused) = (0, 0);
    for seed in 1_u64..20_000 {
        let mut seeded = Seeded(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (document, patch) = (seeded.value(4), seeded.value(4));
        match strategic::apply(&schema, document.clone(), &patch) {
            Ok(result) => {
                applied += 1;
                assert!(result.is_object(), "seed {seed}");
            }
            Err(_) => refused += 1,
        }
        let mut merged = document.clone();
        merge::apply(&mut merged, &patch);
        let again = {
            let mut again = merged.clone();
            merge::apply(&mut again, &patch);
            again
        };
        assert_eq!(merged, again, "a merge patch applied twice changes nothing more, seed {seed}");
        let operations = match &patch {
            Value::Array(_) => patch,
            other => json!([other]),
        };
        if let Ok((operations, _)) = json_patch::decode(operations.to_string().as_bytes()) {
            let before = document.clone();
            let _ = json_patch::apply(&document, &operations);
            assert_eq!(document, before, "seed {seed}");
        }
    }
    assert!(applied > 100 && refused > 100, "the generator reaches both ends: {applied} and {refused}");
}
