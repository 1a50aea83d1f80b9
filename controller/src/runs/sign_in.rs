//! What a request still needs before it is sent: a token, or a signature.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sluice_analysis::provider::Failure;
use sluice_analysis::provider::http::{AwsSigning, HttpAnswer, HttpRequest, SignIn};
use sluice_analysis::provider::oauth2;
use sluice_analysis::provider::sigv4::{self, Credentials};
use sluice_planner::engine::Moment;

use super::Transport;
use super::server::Servers;
use crate::clock::Clock;

/// Signs in and asks.
pub(crate) struct SignIns {
    servers: Servers,
    aws: Option<Credentials>,
    clock: Clock,
    /// Tokens by the request that got them, and until when each is good.
    tokens: Mutex<BTreeMap<HttpRequest, (String, Moment)>>,
    /// One token is asked for at a time: those who wait find the one that came.
    one_at_a_time: tokio::sync::Mutex<()>,
}

impl SignIns {
    pub(crate) fn new(transport: Transport, aws: Option<Credentials>, clock: Clock) -> Self {
        let servers = Servers::new(transport, clock);
        Self { servers, aws, clock, tokens: Mutex::default(), one_at_a_time: tokio::sync::Mutex::default() }
    }

    pub(crate) async fn ask(&self, request: HttpRequest) -> Result<HttpAnswer, Failure> {
        match request.sign_in.clone() {
            SignIn::None => self.servers.ask(request).await,
            SignIn::Aws(signing) => self.servers.ask(self.signed(request, &signing)?).await,
            SignIn::Token(source) => {
                let token = self.token(&source).await?;
                let answer = self.servers.ask(request.with_token(&token)).await?;
                if answer.status == 401 {
                    // Taken back before its time: the next attempt gets a new one.
                    self.tokens().remove(&*source);
                }
                Ok(answer)
            }
        }
    }

    async fn token(&self, source: &HttpRequest) -> Result<String, Failure> {
        if let Some(token) = self.known(source) {
            return Ok(token);
        }
        let _turn = self.one_at_a_time.lock().await;
        if let Some(token) = self.known(source) {
            return Ok(token);
        }
        let token = oauth2::parse(&self.servers.ask(source.clone()).await?)?;
        let good_for = Duration::from_secs(u64::try_from(token.good_for_seconds).unwrap_or(0));
        let now = self.clock.moment();
        let mut tokens = self.tokens();
        tokens.retain(|_, (_, until)| *until > now);
        tokens.insert(source.clone(), (token.value.clone(), now.saturating_add(good_for)));
        Ok(token.value)
    }

    fn known(&self, source: &HttpRequest) -> Option<String> {
        let now = self.clock.moment();
        self.tokens().get(source).filter(|(_, until)| *until > now).map(|(token, _)| token.clone())
    }

    fn signed(&self, request: HttpRequest, signing: &AwsSigning) -> Result<HttpRequest, Failure> {
        if !signing.profile.is_empty() || !signing.role_arn.is_empty() {
            let mend = "give the controller the role's own credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
            return Err(Failure(format!("profiles and roles are not built yet; {mend}")));
        }
        let Some(credentials) = &self.aws else {
            let mend = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for the controller";
            return Err(Failure(format!("there are no AWS credentials to sign with; {mend}")));
        };
        sigv4::sign(request, signing, credentials, sigv4::MANAGED_PROMETHEUS, self.clock.now())
    }

    fn tokens(&self) -> MutexGuard<'_, BTreeMap<HttpRequest, (String, Moment)>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::FutureExt;
    use jiff::SignedDuration;
    use sluice_analysis::provider::http::{Method, Trust};

    use super::*;

    fn request(url: &str, sign_in: SignIn) -> HttpRequest {
        let timeout = SignedDuration::from_secs(5);
        let url = url.to_owned();
        HttpRequest {
            method: Method::Get,
            url,
            headers: Vec::new(),
            body: String::new(),
            timeout,
            trust: Trust::Machine,
            sign_in,
        }
    }

    fn answer(status: u16, body: &str) -> HttpAnswer {
        HttpAnswer { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }

    #[tokio::test(start_paused = true)]
    async fn one_token_serves_all_until_it_expires_or_is_taken_back() {
        let tokens = Arc::new(AtomicUsize::new(0));
        let refuses = Arc::new(AtomicUsize::new(0));
        let (given, refusing) = (Arc::clone(&tokens), Arc::clone(&refuses));
        let transport: Transport = Arc::new(move |request: HttpRequest| {
            let answer = if request.url == "http://sign-in/" {
                given.fetch_add(1, Ordering::SeqCst);
                answer(200, r#"{"access_token": "t", "token_type": "Bearer", "expires_in": 330}"#)
            } else {
                assert!(request.headers.contains(&("Authorization".to_owned(), "Bearer t".to_owned())));
                answer(if refusing.load(Ordering::SeqCst) > 0 { 401 } else { 200 }, "{}")
            };
            async move { Ok(answer) }.boxed()
        });
        let sign_ins = SignIns::new(transport, None, Clock::wall());
        let source = request("http://sign-in/", SignIn::None);
        let question = || request("http://prometheus/", SignIn::Token(Box::new(source.clone())));
        let both = futures::join!(sign_ins.ask(question()), sign_ins.ask(question()));
        assert!(both.0.is_ok() && both.1.is_ok());
        assert_eq!(tokens.load(Ordering::SeqCst), 1, "two at once");
        tokio::time::sleep(Duration::from_secs(301)).await;
        refuses.store(1, Ordering::SeqCst);
        assert_eq!(sign_ins.ask(question()).await.map(|answer| answer.status), Ok(401));
        assert_eq!(tokens.load(Ordering::SeqCst), 2, "the first has expired");
        sign_ins.ask(question()).await.expect("answered");
        assert_eq!(tokens.load(Ordering::SeqCst), 3, "the second was taken back");
    }

    #[tokio::test(start_paused = true)]
    async fn without_credentials_nothing_is_signed_or_sent() {
        let transport: Transport = Arc::new(|_| panic!("nothing is to be sent"));
        let sign_ins = SignIns::new(transport, None, Clock::wall());
        let signing = AwsSigning { region: "eu-west-1".to_owned(), profile: String::new(), role_arn: String::new() };
        let problem = sign_ins.ask(request("http://aps/", SignIn::Aws(signing))).await.expect_err("refused");
        assert!(problem.0.contains("AWS_ACCESS_KEY_ID"), "{problem}");
    }
}
