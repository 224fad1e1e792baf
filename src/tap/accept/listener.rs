//! Accepts connections and hands each to the worker that has the fewest.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use crate::model::NoticeKind;

use crate::tap::Shared;
use crate::tap::accept::admission::Admission;
use crate::tap::accept::connection::{Arrival, Entrance};
use crate::tap::accept::worker::Worker;
use crate::tap::events;

/// How long to wait when the system has no more file descriptors.
const BREATHER: Duration = Duration::from_millis(50);

/// Accepts until the future is dropped.
pub(in crate::tap) async fn accept(
    listener: TcpListener,
    entrance: Entrance,
    shared: Arc<Shared>,
    admission: Arc<Admission>,
    workers: Arc<[Worker]>,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mut starving = false;
    loop {
        let socket = match listener.accept().await {
            Ok((socket, _)) => socket,
            Err(error) if transient(&error) => continue,
            Err(error) => {
                if !std::mem::replace(&mut starving, true) {
                    events::log(&format!(
                        "connections have to wait: {error}; raise the limit with ulimit -n"
                    ));
                }
                tokio::time::sleep(BREATHER).await;
                continue;
            }
        };
        starving = false;
        let Some(waiting) = admission.enter() else {
            refuse(&shared, &socket);
            continue;
        };
        // It moves to the event loop of another thread.
        let (Ok(socket), Some(worker)) =
            (socket.into_std(), workers.iter().min_by_key(|worker| worker.load()))
        else {
            continue;
        };
        worker.hand(Arrival { socket, entrance, waiting });
    }
}

fn refuse(shared: &Shared, socket: &tokio::net::TcpStream) {
    if let (Ok(peer), Ok(local)) = (socket.peer_addr(), socket.local_addr()) {
        shared.reporter.warn((peer, local), NoticeKind::Limit, "refused: --max-connections reached");
    }
    let _ = socket.set_zero_linger();
}

/// Errors of the connection, not of accepting.
fn transient(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}
