//! The example of a step plugin answers over a real network what Sluice reads.

#[path = "../examples/step_plugin.rs"]
#[expect(dead_code, reason = "its main is for people")]
mod example;

use jiff::SignedDuration;
use serde_json::{Value, json};
use sluice_analysis::address::AddressPolicy;
use sluice_analysis::provider::http::{HttpRequest, Method, SignIn, Trust};
use sluice_controller::for_probes;
use sluice_planner::plugins::Reply;

async fn call(body: Value) -> Reply {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/step", listener.local_addr().expect("an address"));
    let serving = tokio::spawn(async move { axum::serve(listener, example::app()).await });
    let request = HttpRequest {
        method: Method::Post,
        url,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.to_string(),
        timeout: SignedDuration::from_secs(5),
        trust: Trust::Machine,
        sign_in: SignIn::None,
    };
    let answer = for_probes(AddressPolicy::default())(request).await.expect("an answer");
    serving.abort();
    assert_eq!(answer.status, 200);
    Reply::read(&serde_json::from_slice(&answer.body).expect("JSON")).expect("what plugins answer")
}

fn reply(answer: &Value) -> Reply {
    Reply::read(answer).expect("what plugins answer")
}

#[tokio::test]
async fn the_example_runs_for_some_rounds_and_has_nothing_to_take_back() {
    let config = json!({"rounds": 2});
    let first = call(json!({"operation": "Run", "config": config})).await;
    let said =
        json!({"phase": "Running", "message": "round 1 of 2 is done", "requeueAfter": "15s", "status": {"rounds": 1}});
    assert_eq!(first, reply(&said));
    let second = call(json!({"operation": "Run", "config": config, "status": {"rounds": 1}})).await;
    assert_eq!(second, reply(&json!({"phase": "Successful", "message": "2 rounds are done", "status": {"rounds": 2}})));
    let failed = call(json!({"operation": "Run", "config": {"fail": "too many errors"}})).await;
    assert_eq!(failed, reply(&json!({"phase": "Failed", "message": "too many errors"})));
    assert_eq!(call(json!({"operation": "Abort"})).await, reply(&json!({"phase": "Successful"})));
}
