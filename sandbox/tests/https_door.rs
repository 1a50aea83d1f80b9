//! The door for clients of a real cluster, where a client does not behave.

use std::io::ErrorKind;

use sluice_sandbox::World;
use sluice_sandbox::doors::{Clock, Door, HttpsDoor};
use tokio::net::TcpStream;

#[tokio::test(start_paused = true)]
async fn who_connects_and_says_nothing_is_shown_out() {
    let door = Door::new(World::new(1), Clock::following_runtime(jiff::Timestamp::UNIX_EPOCH));
    let https = HttpsDoor::open(door, 0).await.expect("a port is free");
    let silent = TcpStream::connect(https.address()).await.expect("it listens");
    let mut nothing = [0_u8; 1];
    loop {
        silent.readable().await.expect("a stream");
        match silent.try_read(&mut nothing) {
            Err(problem) if problem.kind() == ErrorKind::WouldBlock => {}
            closed => {
                assert_eq!(closed.expect("an orderly end"), 0);
                break;
            }
        }
    }
    https.close().await;
}
