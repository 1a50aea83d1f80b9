//! Requests to metric providers and through routers over a real network: what is brought back, and what is refused.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::SocketAddr;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::response::Redirect;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use sluice_analysis::address::AddressPolicy;
use sluice_analysis::provider::Failure;
use sluice_analysis::provider::http::{HttpAnswer, HttpRequest, LARGEST_ANSWER, Method, SignIn, Trust};
use sluice_controller::{for_probes, over_network};
use sluice_sandbox::Cluster;
use sluice_sandbox::doors::{Clock, Door, HttpsDoor};

fn request(url: &str) -> HttpRequest {
    HttpRequest {
        method: Method::Get,
        url: url.to_owned(),
        headers: Vec::new(),
        body: String::new(),
        timeout: SignedDuration::from_secs(5),
        trust: Trust::Machine,
        sign_in: SignIn::None,
    }
}

async fn ask_with(policy: AddressPolicy, request: HttpRequest) -> Result<HttpAnswer, Failure> {
    // Another test of this process may have been first.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    over_network(policy)(request).await
}

async fn ask(request: HttpRequest) -> Result<HttpAnswer, Failure> {
    ask_with(AddressPolicy::default(), request).await
}

fn denying(hosts: &[&str]) -> AddressPolicy {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    AddressPolicy::new(&[], &hosts).expect("good hosts")
}

/// A server on the loopback interface, and its address.
async fn server(pages: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, pages).await });
    format!("http://{address}")
}

#[tokio::test]
async fn an_answer_comes_back_with_status_headers_and_body() {
    let pages = Router::new()
        .route("/echo", post(|body: String| async move { (http::StatusCode::ACCEPTED, [("x-a", "1")], body) }));
    let mut question = request(&format!("{}/echo", server(pages).await));
    question.method = Method::Post;
    question.body = "query=up".to_owned();
    let answer = ask(question).await.expect("an answer");
    assert_eq!((answer.status, answer.header("X-A"), answer.body.as_slice()), (202, Some("1"), b"query=up".as_slice()));
}

#[tokio::test]
async fn an_enormous_answer_is_read_no_further_than_its_limit() {
    let pages = Router::new().route("/", get(|| async { vec![b'x'; 3 * LARGEST_ANSWER] }));
    let answer = ask(request(&server(pages).await)).await.expect("as much as was read");
    assert_eq!(answer.body.len(), LARGEST_ANSWER + 1);
}

#[tokio::test]
async fn credentials_follow_a_redirect_to_the_same_server_only() {
    let elsewhere = server(Router::new().route("/", get(|| async { "elsewhere" }))).await;
    let away = elsewhere.clone();
    let pages = Router::new()
        .route("/here", get(|| async { Redirect::temporary("/end") }))
        .route("/end", get(|| async { "the end" }))
        .route("/away", get(move || async move { Redirect::temporary(&away) }))
        .route("/circle", get(|| async { Redirect::temporary("/circle") }))
        .route("/metadata", get(|| async { Redirect::temporary("http://169.254.169.254/latest") }));
    let base = server(pages).await;
    // (where to, whether with a key, the body of the answer or a part of the refusal)
    for (path, with_key, expected) in [
        ("/here", true, Ok("the end")),
        ("/away", false, Ok("elsewhere")),
        ("/away", true, Err("credentials are not sent")),
        ("/metadata", false, Err("may not be asked")),
        ("/circle", false, Err("more than 5 redirects")),
    ] {
        let mut question = request(&format!("{base}{path}"));
        question.headers.extend(with_key.then(|| ("X-Key".to_owned(), "hunter2".to_owned())));
        match (ask(question).await, expected) {
            (Ok(answer), Ok(body)) => assert_eq!(answer.body, body.as_bytes(), "{path}"),
            (Err(problem), Err(part)) => assert!(problem.0.contains(part), "{path}: {problem}"),
            (outcome, _) => panic!("{path} with a key: {with_key}: {outcome:?}"),
        }
    }
}

#[tokio::test]
async fn a_name_is_refused_by_the_address_that_it_is_looked_up_to() {
    let base = server(Router::new().route("/", get(|| async { "here" }))).await;
    let by_name = base.replace("127.0.0.1", "localhost");
    assert!(ask(request(&by_name)).await.is_ok());
    for (denied, url) in [("127.0.0.0/8", &base), ("localhost", &by_name)] {
        assert!(ask_with(denying(&[denied]), request(url)).await.is_err(), "{url} with {denied} denied");
    }
    let problem = ask_with(denying(&["127.0.0.0/8", "::1"]), request(&by_name)).await.expect_err("refused");
    assert!(problem.0.contains("the operator has denied it"), "{problem}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_without_what_was_asked() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let problem = ask(request(&format!("http://{address}/api?key=hunter2"))).await.expect_err("nobody is there");
    assert!(problem.0.contains("refused") && !problem.0.contains("hunter2"), "{problem}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_answer() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut asked = [0; 1_024];
        let _read = stream.read(&mut asked).expect("a request");
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").expect("sent");
    });
    let problem = ask(request(&format!("http://{address}/"))).await.expect_err("half an answer");
    assert!(problem.0.starts_with("the answer broke off"), "{problem}");
    server.join().expect("no panic");
}

#[tokio::test]
async fn a_probe_takes_a_redirect_for_an_answer_and_a_new_connection_for_each_request() {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let who = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move {
        (http::StatusCode::FOUND, [("location", "/elsewhere".to_owned()), ("x-peer", peer.to_string())])
    };
    let pages = Router::new().route("/", get(who)).into_make_service_with_connect_info::<SocketAddr>();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, pages).await });
    let transport = for_probes(AddressPolicy::default());
    let mut peers = BTreeSet::new();
    for _ in 0..5 {
        let answer = transport(request(&url)).await.expect("an answer");
        assert_eq!(answer.status, 302);
        peers.insert(answer.header("x-peer").expect("a header").to_owned());
    }
    assert_eq!(peers.len(), 5);
    let metadata = transport(request("http://169.254.169.254/latest/")).await;
    assert!(metadata.is_err_and(|refused| refused.0.contains("169.254.169.254")));
}

#[tokio::test]
async fn a_server_is_believed_by_the_certificates_that_the_template_brings() {
    let door = Door::to_cluster(Cluster::new(1, 1, Timestamp::UNIX_EPOCH), Clock::wall());
    let https = HttpsDoor::open(door, 0).await.expect("a port");
    let kubeconfig = https.kubeconfig("nobody");
    let encoded = kubeconfig.split_once("certificate-authority-data: ").and_then(|(_, rest)| rest.lines().next());
    let certificate = STANDARD.decode(encoded.expect("a certificate").trim()).expect("base64");
    let bundle = Trust::Bundle(String::from_utf8(certificate).expect("PEM").into());
    let ask_by = |trust| ask(HttpRequest { trust, ..request(&format!("https://{}/version", https.address())) });

    assert!(ask_by(bundle).await.is_ok_and(|answer| answer.status != 0));
    assert!(ask_by(Trust::Unchecked).await.is_ok());
    let problem = ask_by(Trust::Machine).await.expect_err("nobody whom the machine trusts vouches for it");
    assert!(problem.0.starts_with("not answered"), "{problem}");
    for (bundle, said) in
        [("-----BEGIN CERTIFICATE-----\nhalf", "caBundle"), ("no PEM at all", "caBundle has no certificate")]
    {
        let problem = ask_by(Trust::Bundle(bundle.into())).await.expect_err("no certificate");
        assert!(problem.0.contains(said), "{problem}");
    }
    https.close().await;
}
