//! The network: one HTTP request and its answer, from servers that may be asked and no longer than allowed.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Client, Response};
use sluice_analysis::address::AddressPolicy;
use sluice_analysis::provider::Failure;
use sluice_analysis::provider::http::{HttpAnswer, HttpRequest, LARGEST_ANSWER, Method, SignIn, Trust};

use super::Transport;

/// More redirects than this lead in a circle.
const MOST_REDIRECTS: usize = 5;
/// Each has connections of its own.
const MOST_CLIENTS: usize = 64;
/// A server that doesn't take the connection in this time is not there.
const CONNECT: Duration = Duration::from_secs(10);

/// The way over the network to the servers that this policy allows.
pub fn over_network(policy: AddressPolicy) -> Transport {
    transport(Network { policy, probes: false, clients: Mutex::default() })
}

/// The way for probes of a router: each request has a connection of its own, because some routers share out
/// connections, and a redirect is an answer like any other.
pub fn for_probes(policy: AddressPolicy) -> Transport {
    transport(Network { policy, probes: true, clients: Mutex::default() })
}

fn transport(network: Network) -> Transport {
    let network = Arc::new(network);
    Arc::new(move |request| {
        let network = Arc::clone(&network);
        async move { network.ask(request).await }.boxed()
    })
}

struct Network {
    policy: AddressPolicy,
    probes: bool,
    /// By whom they believe, made when first needed: reading the machine's certificates takes a while.
    clients: Mutex<BTreeMap<Trust, Result<Client, Failure>>>,
}

impl Network {
    async fn ask(&self, request: HttpRequest) -> Result<HttpAnswer, Failure> {
        self.policy.check_url(&request.url)?;
        let client = self.client(&request.trust)?;
        let mut next = request.clone();
        for _ in 0..=MOST_REDIRECTS {
            let answer = send(&client, &next).await?;
            if self.probes {
                return read(answer).await;
            }
            let Some(to) = redirect(&answer) else { return read(answer).await };
            self.policy.check_redirect(&request, &to)?;
            // All but these two mean: look there, without the body.
            if !matches!(answer.status().as_u16(), 307 | 308) {
                next.method = Method::Get;
                next.body.clear();
            }
            next.url = to;
        }
        Err(Failure(format!("more than {MOST_REDIRECTS} redirects")))
    }

    fn client(&self, trust: &Trust) -> Result<Client, Failure> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(trust) {
            return client.clone();
        }
        // Certificates are renewed, and nobody says when the old ones are not asked for any more.
        if clients.len() >= MOST_CLIENTS {
            clients.clear();
        }
        let made = client(&self.policy, trust, self.probes);
        clients.insert(trust.clone(), made.clone());
        made
    }
}

fn client(policy: &AddressPolicy, trust: &Trust, probes: bool) -> Result<Client, Failure> {
    // A proxy would look names up where nobody checks what they are looked up to.
    let builder = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).connect_timeout(CONNECT);
    let builder = builder.user_agent(concat!("sluice/", env!("CARGO_PKG_VERSION")));
    let builder = builder.dns_resolver(Arc::new(Resolver(policy.clone())));
    let builder = match trust {
        Trust::Machine => builder,
        Trust::Unchecked => builder.tls_danger_accept_invalid_certs(true),
        Trust::Bundle(bundle) => builder.tls_certs_only(certificates(bundle)?),
    };
    let builder = if probes { builder.pool_max_idle_per_host(0) } else { builder };
    builder.build().map_err(|problem| failure("no HTTP client can be made", problem))
}

fn certificates(bundle: &str) -> Result<Vec<Certificate>, Failure> {
    let read = Certificate::from_pem_bundle(bundle.as_bytes());
    let read = read.map_err(|problem| failure("caBundle can't be read", problem))?;
    if read.is_empty() {
        return Err(Failure(
            "caBundle has no certificate; write the PEM text, from its BEGIN line to its END line".to_owned(),
        ));
    }
    Ok(read)
}

async fn send(client: &Client, request: &HttpRequest) -> Result<Response, Failure> {
    if !matches!(request.sign_in, SignIn::None) {
        return Err(Failure("a request was to be sent without its credentials".to_owned()));
    }
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
    };
    let mut builder = client.request(method, &request.url);
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    if !request.body.is_empty() {
        builder = builder.body(request.body.clone());
    }
    builder.send().await.map_err(|problem| failure("not answered", problem))
}

/// Where an answer sends us, as a whole address.
fn redirect(answer: &Response) -> Option<String> {
    if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let to = answer.headers().get(reqwest::header::LOCATION)?.to_str().ok()?;
    Some(answer.url().join(to).ok()?.to_string())
}

async fn read(mut answer: Response) -> Result<HttpAnswer, Failure> {
    let headers = answer
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    let mut read = HttpAnswer { status: answer.status().as_u16(), headers: headers.collect(), body: Vec::new() };
    while read.body.len() <= LARGEST_ANSWER {
        let chunk = answer.chunk().await.map_err(|problem| failure("the answer broke off", problem))?;
        let Some(chunk) = chunk else { break };
        read.body.extend_from_slice(&chunk);
    }
    // One byte too many says all that the rest would say.
    read.body.truncate(LARGEST_ANSWER + 1);
    Ok(read)
}

/// An error with its causes. The address is left out, because keys may be in it.
fn failure(what: &str, problem: reqwest::Error) -> Failure {
    let problem = problem.without_url();
    let mut sentence = format!("{what}: {problem}");
    let mut cause = problem.source();
    while let Some(deeper) = cause {
        let words = deeper.to_string();
        if !sentence.contains(&words) {
            sentence = format!("{sentence}: {words}");
        }
        cause = deeper.source();
    }
    Failure(sentence)
}

/// Looks names up, and gives only addresses that may be asked: the connection goes to one that was checked.
struct Resolver(AddressPolicy);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.0.clone();
        Box::pin(async move {
            let host = name.as_str();
            let found = tokio::net::lookup_host((host, 0)).await?;
            let mut refused = None;
            let mut allowed: Vec<SocketAddr> = Vec::new();
            for address in found {
                match policy.check_ip(host, address.ip()) {
                    Ok(()) => allowed.push(address),
                    Err(problem) => refused = Some(problem),
                }
            }
            match (allowed.is_empty(), refused) {
                (true, Some(problem)) => Err(problem.into()),
                (true, None) => Err(Failure(format!("{host} has no address")).into()),
                (false, _) => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}
