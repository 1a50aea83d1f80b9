//! Selectors are read, printed and matched as the API server does.

use std::collections::BTreeMap;

use crate::seeded::Seeded;
use serde_json::json;
use sluice_crds::values::{LabelSelector, Operator, Selector};

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn manifest(value: serde_json::Value) -> LabelSelector {
    serde_json::from_value(value).expect("a selector's shape")
}

#[test]
fn a_manifest_selector_is_printed_as_the_api_prints_it() {
    let table = [
        (json!({}), ""),
        (json!({"matchLabels": {}, "matchExpressions": []}), ""),
        (json!({"matchLabels": null, "matchExpressions": null}), ""),
        (json!({"matchLabels": {"tier": "front", "app": "web"}}), "app=web,tier=front"),
        (json!({"matchLabels": {"app": ""}}), "app="),
        (
            json!({"matchExpressions": [{"key": "z", "operator": "Exists"}, {"key": "a", "operator": "DoesNotExist"}]}),
            "!a,z",
        ),
        (
            json!({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "app", "operator": "In", "values": ["y", "x", "y"]}]}),
            "app=web,app in (x,y,y)",
        ),
        (json!({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["x"]}]}), "a notin (x)"),
    ];
    for (written, text) in table {
        let selector = manifest(written);
        assert_eq!(selector.read().map(|selector| selector.to_string()), Ok(text.to_owned()));
        assert_eq!(selector.is_empty(), text.is_empty());
    }
}

#[test]
fn a_text_is_read_as_the_api_server_reads_it() {
    let table = [
        ("", ""),
        ("  ", ""),
        ("a=b", "a=b"),
        ("a==b", "a==b"),
        ("a != b", "a!=b"),
        ("b=2 , a=1", "a=1,b=2"),
        ("a in (y,x)", "a in (x,y)"),
        ("a in (x,x)", "a in (x)"),
        ("a in ()", "a in ()"),
        ("a in (,x)", "a in (,x)"),
        ("a notin (x)", "a notin (x)"),
        ("a", "a"),
        ("!a", "!a"),
        ("! a", "!a"),
        ("a=", "a="),
        ("a=,b", "a=,b"),
        ("a>1", "a>1"),
        ("a<1", "a<1"),
        ("in in (in,notin)", "in in (in,notin)"),
        ("example.com/app=web", "example.com/app=web"),
    ];
    for (written, printed) in table {
        let selector: Selector = written.parse().expect(written);
        assert_eq!(selector.to_string(), printed, "{written}");
    }
}

#[test]
fn a_text_that_is_no_selector_says_where_and_how_to_mend_it() {
    let table = [
        ("a,", "the end stands where a label key belongs"),
        (",a", r#""," stands where a label key belongs"#),
        ("a b", r#""b" stands where a comparison belongs"#),
        ("a=b c", r#""c" stands where a comma belongs"#),
        ("a in x", r#""x" stands where "(" belongs"#),
        ("a in (x", r#"the end stands where "," or ")" belongs"#),
        ("a in (x y)", r#""y" stands where "," or ")" belongs"#),
        ("!a=b", "behind !a stands a comparison"),
        ("a=(b)", r#""(" stands where a value belongs"#),
        ("a>x", r#""x" is not an integer"#),
        ("a>", r#""" is not an integer"#),
        ("a=b!", r#""!" stands where a comma belongs"#),
        (
            "-a=b",
            r#""-a" is not a label key; write letters, digits, '-', '_' and '.', beginning and ending with a letter or digit"#,
        ),
        (
            "a=b/c",
            r#""b/c" is not a label value; write letters, digits, '-', '_' and '.', beginning and ending with a letter or digit"#,
        ),
    ];
    for (text, reason) in table {
        let mistake = text.parse::<Selector>().map_err(|error| error.to_string());
        let sentence =
            format!("{text:?} is not a label selector: {reason}; write one like app=web,tier in (a,b),!legacy");
        assert_eq!(mistake, Err(sentence));
    }
}

#[test]
fn labels_match_as_kubernetes_matches_them() {
    let web = labels(&[("app", "web"), ("size", "7"), ("empty", "")]);
    let table = [
        ("", true),
        ("app=web", true),
        ("app=api", false),
        ("other=web", false),
        ("app!=web", false),
        ("app!=api", true),
        ("other!=web", true),
        ("app in (api,web)", true),
        ("app in (api)", false),
        ("other in (web)", false),
        ("app notin (api)", true),
        ("app notin (web)", false),
        ("other notin (web)", true),
        ("app", true),
        ("other", false),
        ("!app", false),
        ("!other", true),
        ("empty=", true),
        ("other=", false),
        ("size>6", true),
        ("size>7", false),
        ("size<8", true),
        ("app>1", false),
        ("other<1", false),
        ("app=web,size=8", false),
    ];
    for (text, matches) in table {
        let selector: Selector = text.parse().expect(text);
        assert_eq!(selector.matches(&web), matches, "{text}");
    }
}

#[test]
fn all_mistakes_of_a_selector_are_named_at_once() {
    let long = "x".repeat(64);
    let selector = manifest(json!({
        "matchLabels": {"a b": "ok", "app": "-web", "/x": "y", "Example.com/x": "y"},
        "matchExpressions": [
            {"key": "", "operator": "Is"},
            {"key": "a", "operator": "In"},
            {"key": "a", "operator": "NotIn", "values": []},
            {"key": "a", "operator": "Exists", "values": ["x"]},
            {"key": "a", "operator": "In", "values": ["ok", long, "é"]},
        ],
    }));
    let mistakes = selector.read().expect_err("it has mistakes");
    let said: Vec<String> = mistakes.iter().map(|mistake| format!("{}: {}", mistake.field, mistake.message)).collect();
    let edges = "write letters, digits, '-', '_' and '.', beginning and ending with a letter or digit";
    let expected = [
        r#"matchLabels[/x]: "/x" is not a label key; before the slash write a DNS name such as example.com"#.to_owned(),
        r#"matchLabels[Example.com/x]: "Example.com/x" is not a label key; before the slash write a DNS name such as example.com"#.to_owned(),
        format!(r#"matchLabels[a b]: "a b" is not a label key; {edges}"#),
        format!(r#"matchLabels[app]: "-web" is not a label value; {edges}"#),
        r#"matchExpressions[0].key: "" is not a label key; write a name such as app or example.com/app"#.to_owned(),
        r#"matchExpressions[0].operator: "Is" is not an operator; write In, NotIn, Exists or DoesNotExist"#.to_owned(),
        "matchExpressions[1].values: In compares with values and there are none; add at least one".to_owned(),
        "matchExpressions[2].values: NotIn compares with values and there are none; add at least one".to_owned(),
        "matchExpressions[3].values: Exists takes no values; remove them, or write In or NotIn".to_owned(),
        format!(r#"matchExpressions[4].values[1]: "{long}" is not a label value; shorten it to 63 characters"#),
        format!(r#"matchExpressions[4].values[2]: "é" is not a label value; {edges}"#),
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_manifest_selector_survives_a_round_trip() {
    let written = json!({
        "matchLabels": {"app": "web"},
        "matchExpressions": [{"key": "a", "operator": "Mystery", "values": ["x"]}, {"key": "b", "operator": "Exists"}],
    });
    assert_eq!(serde_json::to_value(manifest(written.clone())).ok(), Some(written));
    let exact = LabelSelector::from_labels([("app", "web")]);
    assert_eq!(serde_json::to_value(&exact).ok(), Some(json!({"matchLabels": {"app": "web"}})));
    let selector = exact.read().expect("it is well formed");
    let [requirement] = selector.requirements() else { panic!("one demand, one requirement") };
    assert_eq!((requirement.key(), requirement.operator()), ("app", Operator::Equals));
    assert_eq!(requirement.values(), ["web"]);
}

#[test]
fn what_is_printed_is_read_as_the_same_selector() {
    let pieces = [
        "a",
        "b=1",
        "!c",
        "d in (x,y)",
        "e notin ()",
        "f!=2",
        "g==3",
        "h>4",
        "i<5",
        "in",
        ",",
        ",",
        ",",
        " ",
        "(",
        "é",
    ];
    let mut seeded = Seeded::new(5);
    let mut read = 0;
    for _ in 0..50_000 {
        if let Ok(selector) = seeded.text(&pieces, 7).parse::<Selector>() {
            assert_eq!(selector.to_string().parse(), Ok(selector));
            read += 1;
        }
    }
    assert!(read > 1000, "only {read} of the texts were selectors");
}
