//! Prometheus: queries, ways of signing in, and every kind of answer.

use serde_json::{Value, json};
use sluice_analysis::provider::http::{Method, SignIn, Trust};
use sluice_analysis::provider::{self};

use crate::support::{answer, asked, metric, read};

fn prometheus(more: Value) -> Value {
    let mut fields = json!({"address": "http://prometheus:9090/", "query": "sum(rate(errors[5m])) > 0"});
    if let (Some(fields), Value::Object(more)) = (fields.as_object_mut(), more) {
        fields.extend(more);
    }
    json!({"prometheus": fields})
}

#[test]
fn a_query_asks_for_now() {
    let request = asked(&prometheus(json!({}))).expect("a request");
    assert_eq!((request.method, request.url.as_str()), (Method::Post, "http://prometheus:9090/api/v1/query"));
    assert_eq!(request.body, "query=sum%28rate%28errors%5B5m%5D%29%29+%3E+0&timeout=30s&time=1767268800");
    assert_eq!((request.timeout.as_secs(), request.trust, request.sign_in), (30, Trust::Machine, SignIn::None));
    assert_eq!(asked(&prometheus(json!({"address": " "}))).expect("a request").url, "http://default:9090/api/v1/query");
    let slow = asked(&prometheus(json!({"timeout": 5, "insecure": true}))).expect("a request");
    assert_eq!((slow.timeout.as_secs(), slow.trust), (5, Trust::Unchecked));
    let never = asked(&prometheus(json!({"timeout": i64::MAX}))).expect("a request");
    assert_eq!(never.timeout.as_secs(), 600);
}

#[test]
fn a_range_query_asks_for_a_range() {
    let range = json!({"rangeQuery": {"start": "now() - duration(\"5m\")", "end": "now()", "step": "1m"}});
    let request = asked(&prometheus(range)).expect("a request");
    assert_eq!(request.url, "http://prometheus:9090/api/v1/query_range");
    assert!(request.body.ends_with("&start=1767268500&end=1767268800&step=60s"), "{}", request.body);
    let rows = [
        (json!({"end": "now()", "step": "1m"}), "rangeQuery.start is missing; write now()"),
        (
            json!({"start": "now()", "end": "now() - duration(\"5m\")", "step": "1m"}),
            "rangeQuery.end is before rangeQuery.start; swap them",
        ),
        (
            json!({"start": "now()", "end": "now()", "step": "1ms"}),
            "rangeQuery.step: \"1ms\" is less than a second; write 1m",
        ),
        (
            json!({"start": "now()", "end": "now()", "step": "often"}),
            "rangeQuery.step: \"often\" is not a duration; write 30s, 10m or 1h",
        ),
    ];
    for (range, expected) in rows {
        assert_eq!(asked(&prometheus(json!({"rangeQuery": range}))).err().as_deref(), Some(expected));
    }
}

#[test]
fn requests_are_signed_in_as_the_template_says() {
    let headers = json!({"headers": [
        {"key": "X-Scope-OrgID", "value": "shop"},
        {"key": "Authorization", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "api"}}},
    ]});
    let request = asked(&prometheus(headers)).expect("a request");
    assert!(request.headers.contains(&("X-Scope-OrgID".to_owned(), "shop".to_owned())));
    assert!(
        request.headers.contains(&("Authorization".to_owned(), "s3cret".to_owned())),
        "without the file's line end"
    );

    let basic = json!({"authentication": {"basicAuth": {"username": "user", "password": "pass"}}});
    let request = asked(&prometheus(basic)).expect("a request");
    assert!(request.headers.contains(&("Authorization".to_owned(), "Basic dXNlcjpwYXNz".to_owned())));

    let oauth2 =
        json!({"authentication": {"oauth2": {"tokenUrl": "https://login/t", "clientId": "a", "clientSecret": "b"}}});
    let request = asked(&prometheus(oauth2)).expect("a request");
    assert!(matches!(&request.sign_in, SignIn::Token(token) if token.url == "https://login/t"));
    let request = request.with_token("abc");
    assert_eq!(request.headers.last(), Some(&("Authorization".to_owned(), "Bearer abc".to_owned())));
    assert_eq!(request.sign_in, SignIn::None);

    let sigv4 = |address: &str| {
        let request = asked(&prometheus(json!({
            "address": address, "authentication": {"sigv4": {"region": "eu-west-1"}},
        })));
        request.expect("a request").sign_in != SignIn::None
    };
    assert!(sigv4("https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1"));
    assert!(!sigv4("http://prometheus:9090"), "others are asked without");
}

#[test]
fn what_can_not_be_asked_is_told_with_the_mend() {
    let rows = [
        (
            json!({"address": "prometheus:9090"}),
            "\"prometheus:9090\" is not the address of a server; write one such as http://prometheus:9090",
        ),
        (json!({"headers": [{"key": "a b", "value": "x"}]}), "\"a b\" can't be the name of a header"),
        (
            json!({"headers": [{"key": "X", "value": "a\r\nHost: evil"}]}),
            "the value of the header X has a line end in it",
        ),
        (
            json!({"headers": [{"key": "X", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "none"}}}]}),
            "the Secret \"keys\" has no key \"none\", which a header needs",
        ),
    ];
    for (fields, expected) in rows {
        assert_eq!(asked(&prometheus(fields)).err().as_deref(), Some(expected));
    }
    assert_eq!(
        asked(&json!({"graphite": {"query": "x"}})).err().as_deref(),
        Some("graphite is not built yet; use prometheus, web or job")
    );
}

#[test]
fn answers_become_numbers() {
    let success = |kind: &str, result: &str| {
        answer(200, &format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":{result}}}}}"#))
    };
    let rows = [
        (success("scalar", r#"[1,"0.5"]"#), Ok(("0.5", "0.5"))),
        (success("scalar", r#"[1,"NaN"]"#), Ok(("NaN", "NaN"))),
        (success("vector", "[]"), Ok(("[]", "[]"))),
        (success("vector", "null"), Ok(("[]", "[]"))),
        (success("vector", r#"[{"metric":{"a":"b"},"value":[1.5,"0.95"]}]"#), Ok(("[0.95]", "[0.95]"))),
        (
            success("vector", r#"[{"value":[1,"NaN"]},{"value":[1,"+Inf"]},{"value":[1,"-Inf"]},{"value":[1,"1e3"]}]"#),
            Ok(("[NaN +Inf -Inf 1000]", "[NaN,+Inf,-Inf,1000]")),
        ),
        (success("matrix", r#"[{"values":[[1,"1"],[2,"2"]]},{"values":[[1,"3"]]}]"#), Ok(("[1 2 3]", "[1,2,3]"))),
        (success("vector", r#"[{"value":[1,"many"]}]"#), Err("\"[1,\\\"many\\\"]\" is not a sample of Prometheus")),
        (success("vector", r#"[{"value":[1]}]"#), Err("\"[1]\" is not a sample of Prometheus")),
        (success("string", r#"[1,"x"]"#), Err("the query gives a string, not a number, a vector or a matrix")),
        (
            success("vector", r#"[{"histogram":[1,{}]}]"#),
            Err(
                "a series has no plain numbers; use histogram_quantile, histogram_avg or histogram_fraction for histograms",
            ),
        ),
    ];
    for (answer, expected) in rows {
        let found = read(&prometheus(json!({})), &answer);
        let found = found.as_ref().map(|(value, shown)| (value.as_str(), shown.as_str())).map_err(String::as_str);
        assert_eq!(found, expected, "{}", String::from_utf8_lossy(&answer.body));
    }
}

#[test]
fn the_query_as_sent_and_the_servers_warnings_are_kept() {
    let body = r#"{"status":"success","warnings":["partial response"],"infos":["use rate()"],
                   "data":{"resultType":"scalar","result":[1,"1"]}}"#;
    let reading = provider::read(&metric(&prometheus(json!({}))), &answer(200, body)).expect("a reading");
    let notes: Vec<(&str, &str)> = reading.metadata.iter().map(|(name, note)| (name.as_str(), note.as_str())).collect();
    assert_eq!(
        notes,
        [("ResolvedPrometheusQuery", "sum(rate(errors[5m])) > 0"), ("warnings", "partial response; use rate()")]
    );
}

#[test]
fn errors_are_told_in_the_servers_words() {
    let mut throttled = answer(429, "slow down");
    throttled.headers.push(("Retry-After".to_owned(), "30".to_owned()));
    let rows = [
        (
            answer(400, r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#),
            "Prometheus answers bad_data: parse error",
        ),
        (
            answer(200, r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#),
            "Prometheus answers timeout: query timed out",
        ),
        (answer(503, "<html>\n<b>upstream is gone</b>"), "HTTP 503: <html> <b>upstream is gone</b>"),
        (answer(401, ""), "HTTP 401"),
        (throttled, "HTTP 429, to be asked again after 30: slow down"),
        (answer(200, "<html>login</html>"), "the answer is not one of Prometheus: \"<html>login</html>\""),
        (answer(200, "{}"), "the answer is not one of Prometheus: \"{}\""),
        (answer(200, ""), "the answer is not one of Prometheus: \"\""),
        (
            answer(200, r#"{"status":"success","data":{"resultType":"vec"#),
            "the answer is not one of Prometheus: \"{\\\"status\\\":\\\"success\\\",\\\"data\\\":{\\\"resultType\\\":\\\"vec\"",
        ),
    ];
    for (answer, expected) in rows {
        assert_eq!(read(&prometheus(json!({})), &answer), Err(expected.to_owned()));
    }
}
