//! Waiting for something to come true: the only place of the tests that lets time pass.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep};

/// Asks again and again until the answer is `Ok`, but no longer than `within`; then the error says what was
/// expected and the last answer.
pub async fn eventually<T>(within: Duration, expected: &str, mut ask: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    const PAUSE: Duration = Duration::from_millis(20);
    let deadline = Instant::now() + within;
    loop {
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(last) if Instant::now() >= deadline => {
                return Err(last.context(format!("not within {within:?}: {expected}")));
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}
