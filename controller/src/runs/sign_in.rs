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
