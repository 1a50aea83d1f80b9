//! One question to a web server, by the way on which the controller asks.

use std::time::Duration;

use jiff::SignedDuration;
use sluice_analysis::address::AddressPolicy;
use sluice_analysis::provider::http::{HttpAnswer, HttpRequest, Method, SignIn, Trust};
use sluice_controller::over_network;

/// The answer with status 200; what else came, as a sentence.
pub(crate) async fn get(url: &str, patience: Duration) -> Result<HttpAnswer, String> {
    let request = HttpRequest {
        method: Method::Get,
        url: url.to_owned(),
        headers: Vec::new(),
        body: String::new(),
        timeout: SignedDuration::try_from(patience).unwrap_or(SignedDuration::MAX),
        trust: Trust::Machine,
        sign_in: SignIn::None,
    };
    match tokio::time::timeout(patience, over_network(AddressPolicy::default())(request)).await {
        Ok(Ok(answer)) if answer.status == 200 => Ok(answer),
        Ok(Ok(answer)) => Err(format!("the server answers with status {}", answer.status)),
        Ok(Err(failure)) => Err(failure.0),
        Err(_) => Err(format!("no answer within {} s", patience.as_secs())),
    }
}
