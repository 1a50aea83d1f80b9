//! HTTP clients find the cluster's metrics backend on loopback.

use std::net::SocketAddr;

use jiff::SignedDuration;
use sluice_sandbox::doors::{Clock, Door, MetricsDoor};
use sluice_sandbox::metrics::Labels;
use sluice_sandbox::{Cluster, VirtualClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tower_service::Service;

/// Tests end with whatever went wrong.
type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

fn door(clock: Clock) -> Door {
    let mut cluster = Cluster::new(1, 0, clock.now());
    let now = clock.now();
    cluster.metrics_mut().store_mut().push(Labels::of("queue_length", &[("queue", "mail")]), now, 7.0);
    Door::to_cluster(cluster, clock)
}

/// Everything that comes back for these bytes.
async fn exchange(address: SocketAddr, request: &str) -> Result<String, std::io::Error> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

const BY_ADDRESS: &str = "GET /api/v1/query?query=queue_length HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";
const BY_FORM: &str = "POST /api/v1/query HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\
    content-type: application/x-www-form-urlencoded\r\ncontent-length: 18\r\n\r\nquery=queue_length";
const ANSWER: &str = r#"{"data":{"result":[{"metric":{"__name__":"queue_length","queue":"mail"},"value":[1767225600,"7"]}],"resultType":"vector"},"status":"success"}"#;

#[tokio::test]
async fn queries_are_answered_over_http() -> Outcome {
    let server = MetricsDoor::new(door(Clock::Virtual(VirtualClock::default()))).open(0).await?;
    for request in [BY_ADDRESS, BY_FORM] {
        let answer = exchange(server.address(), request).await?;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with(ANSWER), "{answer}");
    }
    let healthy =
        exchange(server.address(), "GET /-/healthy HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").await?;
    assert!(healthy.ends_with("Prometheus Server is Healthy.\n"), "{healthy}");
    let address = server.address();
    server.close().await;
    assert!(TcpStream::connect(address).await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_backend_that_is_gone_breaks_the_connection() -> Outcome {
    let door = door(Clock::Virtual(VirtualClock::default()));
    let server = MetricsDoor::new(door.clone()).open(0).await?;
    door.with_cluster(|cluster| cluster.metrics_mut().faults_mut().gone = true);
    assert_eq!(exchange(server.address(), BY_ADDRESS).await.unwrap_or_default(), "");
    door.with_cluster(|cluster| cluster.metrics_mut().faults_mut().gone = false);
    assert!(exchange(server.address(), BY_ADDRESS).await?.ends_with(ANSWER));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_slow_backend_answers_when_its_time_has_passed() -> Outcome {
    let door = door(Clock::following_runtime(VirtualClock::default().now()));
    door.with_cluster(|cluster| cluster.metrics_mut().faults_mut().slow = SignedDuration::from_secs(40));
    let asked = Instant::now();
    let request = http::Request::get("/api/v1/query?query=queue_length").body(String::new())?;
    let answer = MetricsDoor::new(door).call(request).await?;
    assert_eq!((answer.status().as_u16(), asked.elapsed().as_secs()), (200, 40));
    Ok(())
}
