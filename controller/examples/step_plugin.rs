//! A step plugin: a server that Sluice calls at a step. This one passes after as many rounds as the step's `config`
//! says, and fails where it says so. It keeps nothing: what it has to remember it gives to Sluice as `status`, so that
//! it can be restarted at any time, and the same call has the same answer however often it is made.
//!
//! `cargo run -p sluice-controller --example step_plugin`, and `sluice controller --step-plugin
//! example/rounds=http://127.0.0.1:8099/step`.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8099").await?;
    axum::serve(listener, app()).await
}

/// The whole plugin: one address for all operations.
pub(crate) fn app() -> Router {
    Router::new().route("/step", post(async |body: String| ([(CONTENT_TYPE, "application/json")], said(&body))))
}

fn said(body: &str) -> String {
    let call: Value = serde_json::from_str(body).unwrap_or_default();
    answer(&call).to_string()
}

fn answer(call: &Value) -> Value {
    match call["operation"].as_str() {
        Some("Run") => run(&call["config"], &call["status"]),
        // Nothing was begun that would have to be ended or taken back.
        Some("Abort" | "Terminate") => json!({"phase": "Successful"}),
        other => json!({"phase": "Error", "message": format!("operation {other:?} is not known here")}),
    }
}

fn run(config: &Value, status: &Value) -> Value {
    let wanted = config["rounds"].as_u64().unwrap_or(1);
    let done = status["rounds"].as_u64().unwrap_or(0) + 1;
    if let Some(reason) = config["fail"].as_str() {
        return json!({"phase": "Failed", "message": reason});
    }
    if done < wanted {
        let message = format!("round {done} of {wanted} is done");
        return json!({"phase": "Running", "message": message, "requeueAfter": "15s", "status": {"rounds": done}});
    }
    json!({"phase": "Successful", "message": format!("{wanted} rounds are done"), "status": {"rounds": done}})
}
