//! Functions of arrays and maps.

use crate::{answers, holds, holds_for};

#[test]
fn taking_elements() {
    holds(&[
        "first([1, 2, 3]) == 1",
        "last([1, 2, 3]) == 3",
        "first([]) == nil",
        "last([]) == nil",
        "take([1, 2, 3, 4], 2) == [1, 2]",
        "take([1], 5) == [1]",
        "get([1, 2, 3], 1) == 2",
        "get([1, 2, 3], -1) == 3",
        "get([1, 2, 3], 7) == nil",
        "get({name: 'John'}, 'name') == 'John'",
        "get({name: 'John'}, 'age') == nil",
        "get(nil, 1) == nil",
        "len([1, 2, 3]) == 3",
        "len({name: 'John', age: 30}) == 2",
    ]);
    answers(&[
        ("take([1], -1) == []", "1", "failure: column 1: take can't take less than nothing"),
        ("len(result) == 1", "1", "failure: column 1: len wants an array, a map or a text, and this is a number"),
        ("first('abc') == 'a'", "1", "mistake: column 7: first wants an array, and this is a text"),
    ]);
}

#[test]
fn ordering_and_shaping() {
    holds(&[
        "sort([3, 1, 4]) == [1, 3, 4]",
        "sort([3, 1, 4], 'desc') == [4, 3, 1]",
        "sort([3, 1.5, 2]) == [1.5, 2, 3]",
        "sort(['b', 'a']) == ['a', 'b']",
        "sort([]) == []",
        "reverse([3, 1, 4]) == [4, 1, 3]",
        "uniq([1, 2, 3, 2, 1]) == [1, 2, 3]",
        "concat([1, 2], [3, 4]) == [1, 2, 3, 4]",
        "concat([1]) == [1]",
        "flatten([1, 2, [3, 4]]) == [1, 2, 3, 4]",
        "flatten([1, [2, [3, [4]]]]) == [1, 2, 3, 4]",
        "keys({b: 2, a: 1}) == ['a', 'b']",
        "values({b: 2, a: 1}) == [1, 2]",
        "toPairs({name: 'John', age: 30}) == [['age', 30], ['name', 'John']]",
        "fromPairs([['name', 'John'], ['age', 30]]) == {name: 'John', age: 30}",
        "sortBy([{a: 2}, {a: 1}], .a)[0].a == 1",
        "sortBy([{a: 2}, {a: 1}], .a, 'desc')[0].a == 2",
        "groupBy([1, 2, 3], # % 2 == 0 ? 'even' : 'odd').odd == [1, 3]",
    ]);
    holds_for("[0.3, 0.1, 0.2]", &["sort(result)[0] == 0.1", "reverse(sort(result))[0] == 0.3"]);
    answers(&[
        ("sort([1, 'a']) == []", "1", "failure: column 1: a number and a text can't be sorted together"),
        ("sort([1], 'up') == []", "1", "failure: column 1: the order is \"asc\" or \"desc\", not a text"),
        ("fromPairs([['a']]) == {}", "1", "failure: column 1: fromPairs wants pairs of a text and a value"),
        ("concat(1) == []", "1", "mistake: column 8: concat wants an array, and this is a whole number"),
    ]);
}
