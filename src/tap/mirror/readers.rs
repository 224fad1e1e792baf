//! The thread that hands batches to readers.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::unistd::Uid;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use crate::model::{Notice, NoticeKind};
use crate::synth::pcap::file_header;

use super::Socket;
use super::hub::{Hub, LINK, PRECISION, now};
use crate::tap::events;

/// How long frames are gathered before they go out: short for a person, long for a thread that should rarely wake.
const GATHER: Duration = Duration::from_millis(4);
/// How long readers may take to fetch what is left when the tap ends.
const FAREWELL: Duration = Duration::from_millis(500);
/// Readers at once.
const READERS: usize = 16;

/// Batches for one reader.
#[derive(Default)]
struct Queue {
    batches: VecDeque<Rc<Vec<u8>>>,
    bytes: u64,
    lost_frames: u64,
    ended: bool,
}

struct Reader {
    queue: RefCell<Queue>,
    ready: Notify,
    /// The most that `Queue::bytes` may be, or one batch when that is more.
    limit: u64,
}

type Readers = RefCell<Vec<Rc<Reader>>>;

/// Serves readers until `stop` is set. Runs in a `LocalSet` of its own thread.
pub(in crate::tap) async fn serve(
    hub: Arc<Hub>,
    socket: Socket,
    limit: u64,
    mut stop: watch::Receiver<bool>,
) {
    let readers: Rc<Readers> = Rc::default();
    let accepting = tokio::task::spawn_local(accept(socket, Rc::clone(&readers), Arc::clone(&hub), limit));
    let mut spare: Vec<Rc<Vec<u8>>> = Vec::new();
    while !*stop.borrow() {
        tokio::select! {
            () = hub.started.notified() => {}
            _ = stop.changed() => {}
        }
        let _ = timeout(GATHER, hub.full.notified()).await;
        spread(&hub, &readers, &mut spare);
    }
    accepting.abort();
    spread(&hub, &readers, &mut spare);
    for reader in readers.borrow().iter() {
        reader.queue.borrow_mut().ended = true;
        reader.ready.notify_one();
    }
    let _ = timeout(FAREWELL, async {
        while hub.reader_count() != 0 {
            tokio::time::sleep(GATHER).await;
        }
    })
    .await;
}

/// Takes the batch and queues it for every reader.
fn spread(hub: &Hub, readers: &Readers, spare: &mut Vec<Rc<Vec<u8>>>) {
    let at = spare.iter().position(|batch| Rc::strong_count(batch) == 1);
    let mut empty = at.and_then(|at| Rc::into_inner(spare.swap_remove(at))).unwrap_or_default();
    empty.clear();
    let taken = hub.take(empty);
    if taken.bytes.is_empty() {
        return;
    }
    let batch = Rc::new(taken.bytes);
    for reader in readers.borrow().iter() {
        reader.offer(hub, &batch, taken.frames, taken.lost);
    }
    if spare.len() < 4 {
        spare.push(batch);
    }
}

impl Reader {
    fn offer(&self, hub: &Hub, batch: &Rc<Vec<u8>>, frames: u64, lost: u64) {
        let mut queue = self.queue.borrow_mut();
        let size = batch.len() as u64;
        queue.lost_frames += lost;
        if queue.bytes > 0 && queue.bytes + size > self.limit {
            queue.lost_frames += frames;
            hub.lost.fetch_add(frames + lost, Ordering::Relaxed);
            return;
        }
        hub.lost.fetch_add(lost, Ordering::Relaxed);
        if queue.lost_frames > 0 {
            let frames = std::mem::take(&mut queue.lost_frames);
            let text = format!("this reader was too slow: {frames} frames are missing here");
            let notice = Rc::new(events::record(&Notice::warning(now(), NoticeKind::MirrorLost, text)));
            queue.bytes += notice.len() as u64;
            queue.batches.push_back(notice);
        }
        queue.bytes += size;
        queue.batches.push_back(Rc::clone(batch));
        drop(queue);
        self.ready.notify_one();
    }
}

async fn accept(socket: Socket, readers: Rc<Readers>, hub: Arc<Hub>, limit: u64) {
    let listener = match Listener::new(socket) {
        Ok(listener) => listener,
        Err(error) => return events::log(&format!("the mirror cannot be served: {error}")),
    };
    loop {
        let Ok(stream) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        if readers.borrow().len() >= READERS {
            events::log(&format!("the mirror has {READERS} readers; one more was turned away"));
            continue;
        }
        let reader = Rc::new(Reader { queue: RefCell::default(), ready: Notify::new(), limit });
        readers.borrow_mut().push(Rc::clone(&reader));
        hub.set_readers(readers.borrow().len());
        let (readers, hub) = (Rc::clone(&readers), Arc::clone(&hub));
        tokio::task::spawn_local(async move {
            attend(stream, &reader).await;
            readers.borrow_mut().retain(|other| !Rc::ptr_eq(other, &reader));
            hub.set_readers(readers.borrow().len());
        });
    }
}

/// Writes to one reader until it goes or the tap ends.
async fn attend(stream: Box<dyn Stream>, reader: &Reader) {
    let (mut from, mut to) = tokio::io::split(stream);
    let gone = async {
        let mut sink = [0; 64];
        while from.read(&mut sink).await.is_ok_and(|count| count > 0) {}
    };
    let write = async {
        to.write_all(&file_header(PRECISION, LINK)).await?;
        loop {
            let (batch, ended) = {
                let mut queue = reader.queue.borrow_mut();
                (queue.batches.pop_front(), queue.ended)
            };
            match batch {
                Some(batch) => {
                    to.write_all(&batch).await?;
                    reader.queue.borrow_mut().bytes -= batch.len() as u64;
                }
                None if ended => return to.shutdown().await,
                None => reader.ready.notified().await,
            }
        }
    };
    tokio::select! {
        () = gone => {}
        _ = write => {}
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

enum Listener {
    Unix(UnixListener, Vec<Uid>),
    Tcp(TcpListener),
}

impl Listener {
    fn new(socket: Socket) -> std::io::Result<Self> {
        match socket {
            Socket::Unix(listener, users) => {
                listener.set_nonblocking(true)?;
                Ok(Self::Unix(UnixListener::from_std(listener)?, users))
            }
            Socket::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                Ok(Self::Tcp(TcpListener::from_std(listener)?))
            }
        }
    }
    async fn accept(&self) -> std::io::Result<Box<dyn Stream>> {
        match self {
            Self::Tcp(listener) => Ok(Box::new(listener.accept().await?.0)),
            Self::Unix(listener, users) => loop {
                let (stream, _) = listener.accept().await?;
                let peer = stream.peer_cred()?.uid();
                if users.iter().any(|user| user.as_raw() == peer) {
                    return Ok(Box::new(stream));
                }
                events::log(&format!("user {peer} may not read the mirror and was turned away"));
            },
        }
    }
}
