//! Any HTTP server: what is sent, and which part of the answer counts.

use serde_json::{Value, json};
use sluice_analysis::provider::http::{Method, SignIn, Trust};

use crate::support::{answer, asked, read};

fn web(more: Value) -> Value {
    let mut fields = json!({"url": "http://shop/health"});
    if let (Some(fields), Value::Object(more)) = (fields.as_object_mut(), more) {
        fields.extend(more);
    }
    json!({"web": fields})
}

#[test]
fn a_request_is_sent_as_the_template_says() {
    let request = asked(&web(json!({}))).expect("a request");
    assert_eq!((request.method, request.url.as_str()), (Method::Get, "http://shop/health"));
    assert_eq!((request.body.as_str(), request.timeout.as_secs()), ("", 10));
    let post = json!({"method": "POST", "jsonBody": {"a": 1}, "timeoutSeconds": 3, "insecure": true});
    let request = asked(&web(post)).expect("a request");
    assert_eq!((request.method, request.body.as_str()), (Method::Post, "{\"a\":1}"));
    assert_eq!((request.timeout.as_secs(), request.trust), (3, Trust::Unchecked));
    assert_eq!(request.headers, [("Content-Type".to_owned(), "application/json".to_owned())]);
    let put = json!({"method": "PUT", "body": "x", "headers": [{"key": "content-type", "value": "text/plain"}]});
    let request = asked(&web(put)).expect("a request");
    assert_eq!((request.method, request.body.as_str(), request.headers.len()), (Method::Put, "x", 1));
    let token = json!({"authentication": {"oauth2": {"tokenUrl": "https://login/t"}}});
    assert!(matches!(asked(&web(token)).expect("a request").sign_in, SignIn::Token(_)));
}

#[test]
fn what_can_not_be_sent_is_told_with_the_mend() {
    let rows = [
        (json!({"method": "DELETE"}), "method \"DELETE\" is not known; write GET, POST or PUT"),
        (json!({"body": "x"}), "a GET request has no body; write method: POST"),
        (json!({"method": "POST", "body": "x", "jsonBody": 1}), "both body and jsonBody are set; keep one of the two"),
        (
            json!({"authentication": {"sigv4": {"region": "x"}}}),
            "web requests are not signed with sigv4; remove authentication.sigv4",
        ),
        (
            json!({"url": "file:///etc/passwd"}),
            "\"file:///etc/passwd\" is not the address of a server; write one such as http://prometheus:9090",
        ),
    ];
    for (fields, expected) in rows {
        assert_eq!(asked(&web(fields)).err().as_deref(), Some(expected));
    }
}

#[test]
fn the_first_value_at_the_path_is_the_result() {
    let body = r#"{"ok":true,"rate":0.25,"name":"x","list":[1,2],"map":{"a":1},"none":null,"items":[{"x":1,"y":5}]}"#;
    let rows = [
        ("{$.ok}", Ok(("true", "true"))),
        ("{$.rate}", Ok(("0.25", "0.25"))),
        ("{$.name}", Ok(("x", "x"))),
        ("{$.list}", Ok(("[1 2]", "[1,2]"))),
        ("{$.map}", Ok(("map[a:1]", "{\"a\":1}"))),
        ("{$.none}", Ok(("<nil>", "null"))),
        ("{$.items[?(@.x==1)].y}", Ok(("5", "5"))),
        ("{$.missing}", Ok(("no data", ""))),
        ("{$.a[}", Err("jsonPath \"{$.a[}\" has a [ that is never closed")),
    ];
    for (path, expected) in rows {
        let found = read(&web(json!({"jsonPath": path})), &answer(200, body));
        let found = found.as_ref().map(|(value, shown)| (value.as_str(), shown.as_str())).map_err(String::as_str);
        assert_eq!(found, expected, "{path}");
    }
}

#[test]
fn all_of_the_answer_is_the_result_by_default_and_text_stays_text() {
    let rows = [
        (answer(200, "[1,2]"), Ok("[1 2]")),
        (answer(204, "3"), Ok("3")),
        (answer(200, "all is well"), Ok("all is well")),
        (answer(200, ""), Ok("")),
        (answer(500, "{\"error\":\"down\"}"), Err("HTTP 500: {\"error\":\"down\"}")),
        (answer(302, ""), Err("HTTP 302")),
    ];
    for (answer, expected) in rows {
        let found = read(&web(json!({})), &answer);
        assert_eq!(found.as_ref().map(|(value, _)| value.as_str()).map_err(String::as_str), expected);
    }
}
