//! What rules can say, and that none of them can harm the server.

use serde_json::{Value, json};

use super::super::parse;
use super::eval::{Failure, Scope};
use super::value::{Cel, from_json, show};
use super::{Budget, parser, validate};

fn eval(expression: &str, value: &Value) -> Result<Cel, String> {
    let expr = parser::parse(expression)?;
    let names = vec![("self".to_owned(), from_json(None, value, &mut 0))];
    Scope::new(names, 100_000).eval(&expr).map_err(|failure| match failure {
        Failure::Error(text) => text,
        Failure::OverBudget => "over budget".into(),
    })
}

#[test]
fn expressions_that_are_true() {
    let value = json!({
        "replicas": 3, "name": "web-1", "ratio": 0.5, "list": [1, 2, 3], "words": ["a", "b"], "empty": [],
        "map": {"x": 1, "y": 2}, "items": [{"n": "a", "v": 1}, {"n": "b", "v": 2}], "a-b": 1, "namespace": "n",
    });
    for expression in [
        "self.replicas >= 1 && self.replicas <= 5",
        "self.replicas + 2 * 3 - 4 / 2 == 7 && 7 % 4 == 3 && -self.replicas == -3",
        "self.ratio < 1 && self.ratio * 2.0 == 1.0 && 1 == 1.0 && 2u > 1",
        "self.name.startsWith('web') && self.name.endsWith('1') && self.name.contains('-') && size(self.name) == 5",
        "self.name.matches('^[a-z]+-[0-9]+$') && self.name.find('[0-9]+') == '1'",
        "has(self.name) && !has(self.nope) && 'x' in self.map && 2 in self.list && !(5 in self.list)",
        "self.list.all(x, x > 0) && self.list.exists(x, x == 2) && self.list.exists_one(x, x == 3)",
        "self.list.filter(x, x > 1).map(x, x * 2) == [4, 6] && self.list.map(x, x > 1, x + 1) == [3, 4]",
        "self.map.all(k, self.map[k] > 0) && self.items.all(i, v, i < 2 && v.v > 0)",
        "self.items.map(i, i.n).join(',') == 'a,b' && self.list.sum() == 6 && self.list.isSorted() && self.list.max() == 3",
        "self.name.split('-')[0] == 'web' && self.name.replace('web', 'x') == 'x-1' && self.name.upperAscii() == 'WEB-1'",
        "self.name.substring(0, 3) == 'web' && self.name.indexOf('-') == 3 && self.name.charAt(0) == 'w'",
        "'%s has %d and %.1f'.format([self.name, self.replicas, self.ratio]) == 'web-1 has 3 and 0.5'",
        "self.?nope.orValue(7) == 7 && self.?name.hasValue() && self.?map.?x.value() == 1 && self[?'nope'].orValue(1) == 1",
        "optional.of(1).optMap(x, x + 1).value() == 2 && optional.none().or(optional.of(3)).value() == 3",
        "self.nope == 1 || self.replicas == 3",
        "self.replicas > 2 ? true : self.nope",
        "self.a__dash__b == 1 && self.__namespace__ == 'n'",
        "duration('1h30m') > duration('90s') && duration('90s').getMinutes() == 1 && duration('1m') + duration('30s') == duration('90s')",
        "timestamp('2026-01-31T10:00:00Z').getFullYear() == 2026 && timestamp('2026-01-31T10:00:00Z').getMonth() == 0",
        "timestamp('2026-01-01T00:00:00Z') + duration('24h') == timestamp('2026-01-02T00:00:00Z')",
        "quantity('1Gi').isGreaterThan(quantity('1G')) && isQuantity('500m') && !isQuantity('x') && quantity('1').compareTo(quantity('1000m')) == 0",
        "isIP('10.0.0.1') && ip('::1').family() == 6 && cidr('10.0.0.0/8').containsIP('10.1.2.3') && !isCIDR('10.0.0.0')",
        "isURL('https://a.b:80/p?q=1') && url('https://a.b:80/p?q=1').getPort() == '80' && url('https://a.b/p').getHost() == 'a.b'",
        "type(self.replicas) == int && type('') == string && int('5') == 5 && string(5) == '5' && double(1) == 1.0",
        "sets.contains([1, 2], [2]) && sets.equivalent([1, 2, 2], [2, 1]) && math.greatest(1, 3, 2) == 3",
        "{'a': 1}.a == 1 && [1, 2] + [3] == [1, 2, 3] && ['a'].size() == 1 && r'\\d' == '\\\\d' && b'a' == bytes('a')",
        "cel.bind(x, self.replicas, x * x) == 9 && self.empty.all(x, false) // a comment",
    ] {
        assert_eq!(eval(expression, &value).map(|v| show(&v)), Ok("true".into()), "{expression}");
    }
}

#[test]
fn expressions_that_fail_say_why() {
    for (expression, expected) in [
        ("self.nope == 1", "no such key: nope"),
        ("self.list[9] == 1", "index out of bounds: 9"),
        ("1 / 0 == 1", "division by zero"),
        ("9223372036854775807 + 1 > 0", "integer overflow"),
        ("'a' > 1", "no such overload"),
        ("foo == 1", "undeclared reference to 'foo' (in container '')"),
        ("self.frobnicate()", "found no matching overload for 'frobnicate'"),
        ("self.", "ERROR: <input>:1:6: Syntax error: mismatched input '<EOF>'\n | self.\n | .....^"),
        ("1 +* 2", "ERROR: <input>:1:4: Syntax error: mismatched input '*'\n | 1 +* 2\n | ...^"),
    ] {
        assert_eq!(eval(expression, &json!({"list": [1]})).map(|v| show(&v)), Err(expected.into()), "{expression}");
    }
}

#[test]
fn expensive_expressions_stop() {
    let many: Vec<u32> = (0..1000).collect();
    let value = json!({"list": many});
    let doubled = |step: &str| {
        (0..60).fold("x0".to_owned(), |_, _| String::new())
            + &(0..50)
                .map(|i| format!("cel.bind(x{}, {}, ", i + 1, step.replace('x', &format!("x{i}"))))
                .collect::<String>()
            + "x50 == x50"
            + &")".repeat(50)
    };
    for expression in [
        "self.list.all(a, self.list.all(b, self.list.all(c, a + b + c >= 0)))".to_owned(),
        format!("cel.bind(x0, 'aaaaaaaaaa', {})", doubled("x + x")),
        format!("cel.bind(x0, [1], {})", doubled("[x, x]")),
        "self.list.map(a, self.list).map(a, self.list).map(a, self.list).size() == 1".to_owned(),
    ] {
        assert_eq!(eval(&expression, &value).map(|v| show(&v)), Err("over budget".into()), "{expression}");
    }
    let deep = format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000));
    assert!(eval(&deep, &value).is_err_and(|error| error.contains("recursion limit")));
    let long = format!("1{}", " + 1".repeat(100_000));
    assert!(eval(&long, &value).is_err_and(|error| error.contains("recursion limit")));
}

fn messages(schema: &Value, value: &Value, old: Option<&Value>) -> Vec<String> {
    let errors = validate(&parse(schema), value, old, &mut Budget::per_object());
    errors.iter().map(ToString::to_string).collect()
}

fn ruled(rules: &Value) -> Value {
    json!({"type": "object", "properties": {"spec": {"type": "object", "x-kubernetes-validations": rules, "properties": {
        "min": {"type": "integer"}, "max": {"type": "integer"}, "name": {"type": "string"}, "wait": {"type": "string", "format": "duration"}}}}})
}

#[test]
fn a_broken_rule_is_reported_where_it_stands() {
    let object = json!({"spec": {"min": 5, "max": 2, "name": "n", "wait": "5m"}});
    for (rule, expected) in [
        (json!({"rule": "self.min <= self.max"}), "spec: Invalid value: failed rule: self.min <= self.max"),
        (json!({"rule": "self.min <= self.max", "message": "min above max"}), "spec: Invalid value: min above max"),
        (
            json!({"rule": "self.min <= self.max", "messageExpression": "'%d is above %d'.format([self.min, self.max])"}),
            "spec: Invalid value: 5 is above 2",
        ),
        (
            json!({"rule": "self.min <= self.max", "message": "m", "reason": "FieldValueForbidden", "fieldPath": ".min"}),
            "spec.min: Forbidden: m",
        ),
        (json!({"rule": "self.wait < duration('1m')", "message": "m"}), "spec: Invalid value: m"),
        (
            json!({"rule": "self.nope == 1"}),
            "spec: Invalid value: \"object\": no such key: nope evaluating rule: self.nope == 1",
        ),
    ] {
        assert_eq!(messages(&ruled(&json!([rule])), &object, None), [expected]);
    }
}

#[test]
fn transitions_look_at_the_value_before() {
    let fixed = ruled(&json!([{"rule": "self.name == oldSelf.name", "message": "name is immutable"}]));
    let (a, b) = (json!({"spec": {"name": "a"}}), json!({"spec": {"name": "b"}}));
    assert_eq!(messages(&fixed, &b, Some(&a)), ["spec: Invalid value: name is immutable"]);
    assert!(messages(&fixed, &a, Some(&a)).is_empty());
    assert!(messages(&fixed, &b, None).is_empty());
    let first = ruled(
        &json!([{"rule": "oldSelf.hasValue() || self.name == 'a'", "optionalOldSelf": true, "message": "begin with a"}]),
    );
    assert_eq!(messages(&first, &b, None), ["spec: Invalid value: begin with a"]);
    assert!(messages(&first, &b, Some(&a)).is_empty());
}
