//! Answers that no good server sends: whatever comes, it is a reading or a sentence of bounded length.

use serde_json::{Value, json};
use sluice_analysis::provider;
use sluice_analysis::provider::http::{HttpAnswer, LARGEST_ANSWER};

use crate::support::{answer, metric, read};

fn providers() -> [Value; 2] {
    [
        json!({"prometheus": {"address": "http://p", "query": "up"}}),
        json!({"web": {"url": "http://p", "jsonPath": "{..a[?(@.b>1)]}"}}),
    ]
}

/// No panic, and nothing that an object, a terminal or a log can't hold.
fn survives(answer: &HttpAnswer) {
    for provider in providers() {
        match provider::read(&metric(&provider), answer) {
            Ok(reading) => {
                assert!(reading.shown.chars().count() < 1_100, "{}", reading.shown.len());
                assert!(reading.metadata.values().all(|note| note.len() < 5_000));
            }
            Err(failure) => {
                assert!(failure.0.chars().count() < 1_000, "{}", failure.0.len());
                assert!(!failure.0.chars().any(char::is_control), "{failure:?}");
            }
        }
    }
}

#[test]
fn an_enormous_answer_is_not_read() {
    let large = HttpAnswer { status: 200, headers: Vec::new(), body: vec![b'1'; LARGEST_ANSWER + 1] };
    for provider in providers() {
        assert_eq!(read(&provider, &large), Err("the answer is longer than 16777216 bytes".to_owned()));
    }
}

#[test]
fn an_answer_with_too_many_values_asks_for_an_aggregation() {
    let series = vec![r#"{"value":[1,"1"]}"#; 100_001].join(",");
    let body = format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{series}]}}}}"#);
    let [prometheus, _] = providers();
    assert_eq!(
        read(&prometheus, &answer(200, &body)),
        Err("the answer has more than 100000 values; aggregate in the query".to_owned())
    );
}

#[test]
fn bytes_that_are_no_text_are_told() {
    for provider in providers() {
        let body = vec![b'{', b'"', 0xff, 0xfe];
        let found = read(&provider, &HttpAnswer { status: 200, headers: Vec::new(), body });
        assert_eq!(found, Err("the answer is not UTF-8 from byte 2 on".to_owned()));
    }
}

#[test]
fn a_million_brackets_overflow_no_stack() {
    for bracket in ["[", "{\"a\":", "[{\"a\":"] {
        survives(&answer(200, &bracket.repeat(1_000_000)));
    }
    survives(&answer(200, &format!("{}1{}", "[".repeat(127), "]".repeat(127))));
}

#[test]
fn any_mutation_of_a_good_answer_is_survived() {
    let good = [
        r#"{"status":"success","warnings":["w"],"data":{"resultType":"vector","result":[{"metric":{},"value":[1.5,"0.95"]}]}}"#,
        r#"{"status":"success","data":{"resultType":"matrix","result":[{"values":[[1,"1"],[2,"NaN"]]}]}}"#,
        r#"{"status":"error","errorType":"bad_data","error":"x\u0007\u001b[31m"}"#,
        r#"{"a":[{"b":2},{"b":"+Inf"}],"n":1e999,"m":-0.0}"#,
    ];
    // A small generator of our own: the same mutations on every machine.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below.max(1)).unwrap_or(1)).unwrap_or(0)
    };
    for round in 0..6_000 {
        let mut body = good[round % good.len()].as_bytes().to_vec();
        for _ in 0..=draw(3) {
            let place = draw(body.len());
            match draw(5) {
                0 => body.truncate(place),
                1 => body.insert(place, u8::try_from(draw(256)).unwrap_or(0)),
                2 if !body.is_empty() => body[place] = u8::try_from(draw(256)).unwrap_or(0),
                3 if !body.is_empty() => drop(body.remove(place)),
                _ => body.extend_from_slice(good[draw(good.len())].as_bytes()),
            }
        }
        let status = [200, 200, 200, 400, 429, 503, 0, 65_535][draw(8)];
        survives(&HttpAnswer { status, headers: Vec::new(), body });
    }
}
