//! The staging box's server: accepts, reads, asks the rules, answers.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::box_policy::Rules;
use super::message::{Message, read};
use super::now;
use super::token::Key;

/// Serves until the runtime ends.
pub(super) async fn serve(listener: TcpListener, key: Key) {
    let rules = Rc::new(RefCell::new(Rules::new(key)));
    while let Ok((stream, client)) = listener.accept().await {
        let rules = Rc::clone(&rules);
        tokio::task::spawn_local(async move {
            // A client that goes away in the middle is none of the server's business.
            let _ = talk(stream, client, &rules).await;
        });
    }
}

async fn talk(mut stream: TcpStream, client: SocketAddr, rules: &RefCell<Rules>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut raw = Vec::new();
    let mut served: u64 = 0;
    while let Some(request) = read(&mut stream, &mut raw).await? {
        raw.clear();
        served += 1;
        let time = now().seconds();
        let answer = rules.borrow_mut().answer(&request, client.ip(), time);
        // Work takes its time, and not always the same.
        let millis = if request.target().1 == "/v1/search" { 1 } else { 2 + served * 7 % 23 };
        tokio::time::sleep(Duration::from_millis(millis)).await;
        stream.write_all(&dated(answer, time, &request).bytes()).await?;
    }
    Ok(())
}

/// With the fields that every response has.
fn dated(mut answer: Message, time: i64, request: &Message) -> Message {
    let date = jiff::Timestamp::from_second(time).unwrap_or_default();
    let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    answer.fields.insert(0, ("Date".to_owned(), date));
    let id = request.get("x-request-id");
    if !id.is_empty() {
        answer.fields.push(("X-Request-Id".to_owned(), id.to_owned()));
    }
    answer
}
