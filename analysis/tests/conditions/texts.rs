//! Functions of texts and JSON.

use crate::{answers, holds};

#[test]
fn trimming_and_casing() {
    holds(&[
        "trim('  Hello  ') == 'Hello'",
        "trim('__Hello__', '_') == 'Hello'",
        "trimPrefix('HelloWorld', 'Hello') == 'World'",
        "trimPrefix('HelloWorld', 'x') == 'HelloWorld'",
        "trimPrefix(' Hello') == 'Hello'",
        "trimSuffix('HelloWorld', 'World') == 'Hello'",
        "trimSuffix('Hello ') == 'Hello'",
        "upper('hello') == 'HELLO'",
        "lower('HELLO') == 'hello'",
        "upper('é') == 'É'",
    ]);
}

#[test]
fn splitting_and_joining() {
    holds(&[
        "split('apple,orange,grape', ',') == ['apple', 'orange', 'grape']",
        "split('apple,orange,grape', ',', 2) == ['apple', 'orange,grape']",
        "split('a,b', ',', 0) == []",
        "split('a,b', ',', -1) == ['a', 'b']",
        "split('', ',') == ['']",
        "split('abc', '') == ['a', 'b', 'c']",
        "split('', '') == []",
        "split('a,b,', ',') == ['a', 'b', '']",
        "splitAfter('apple,orange,grape', ',') == ['apple,', 'orange,', 'grape']",
        "splitAfter('apple,orange,grape', ',', 2) == ['apple,', 'orange,grape']",
        "join(['apple', 'orange', 'grape'], ',') == 'apple,orange,grape'",
        "join(['apple', 'orange', 'grape']) == 'appleorangegrape'",
        "join(['', 'a'], ',') == ',a'",
        "join([], ',') == ''",
    ]);
    answers(&[("join([1]) == ''", "1", "failure: column 1: join wants an array of texts, and this is a number")]);
}

#[test]
fn searching_and_replacing() {
    holds(&[
        "replace('Hello World', 'World', 'Universe') == 'Hello Universe'",
        "replace('aaa', 'a', 'b', 2) == 'bba'",
        "replace('aaa', 'a', 'b', -1) == 'bbb'",
        "replace('ab', '', '-') == '-a-b-'",
        "repeat('Hi', 3) == 'HiHiHi'",
        "repeat('Hi', 0) == ''",
        "indexOf('apple pie', 'pie') == 6",
        "indexOf('apple', 'x') == -1",
        "lastIndexOf('apple pie apple', 'apple') == 10",
        "hasPrefix('HelloWorld', 'Hello')",
        "hasSuffix('HelloWorld', 'World')",
        "!hasPrefix('HelloWorld', 'World')",
        "len('héllo') == 5",
        "len('') == 0",
    ]);
    answers(&[
        ("repeat('a', -1) == ''", "1", "failure: column 1: repeat can't repeat less than never"),
        ("upper(result) == ''", "1", "failure: column 1: upper wants a text, and this is a number"),
        ("upper(1) == ''", "1", "mistake: column 7: upper wants a text, and this is a whole number"),
    ]);
}

#[test]
fn json_is_read_and_written() {
    holds(&[
        r#"fromJSON('{"name": "John", "age": 30}') == {name: 'John', age: 30.0}"#,
        "fromJSON('[1, 2.5, null, true]') == [1, 2.5, nil, true]",
        r#"fromJSON('"x"') == 'x'"#,
        "toJSON(1) == '1'",
        "toJSON(1.0) == '1'",
        "toJSON('a') == '\"a\"'",
        "toJSON(nil) == 'null'",
        r"toJSON([1, 2]) == '[\n  1,\n  2\n]'",
        "fromJSON(toJSON({a: [1.0, {b: 'c'}]})) == {a: [1.0, {b: 'c'}]}",
        "type(fromJSON('3')) == 'float'",
    ]);
    answers(&[(
        "fromJSON('{') == 1",
        "1",
        "failure: column 1: this text is not JSON: EOF while parsing an object at line 1 column 1",
    )]);
}
