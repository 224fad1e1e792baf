//! A Node server behind the tap: requests, and the WebSocket that it upgrades to.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use super::Tap;
use crate::support::{can_run, lines, run};

/// Refuses every POST, and echoes the first frame of a WebSocket in capitals.
const SERVER: &str = r"
const crypto = require('crypto');
const server = require('http').createServer((request, response) => {
  let length = 0;
  request.on('data', piece => length += piece.length).on('end', () => {
    response.writeHead(403, {'content-type': 'application/json'});
    response.end(JSON.stringify({error: 'denied', from: request.socket.remoteAddress, length}));
  });
});
server.on('upgrade', (request, socket) => {
  const key = request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
  const accept = crypto.createHash('sha1').update(key).digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    'Sec-WebSocket-Accept: ' + accept + '\r\n\r\n');
  socket.once('data', frame => {
    const text = frame.subarray(6).map((byte, at) => byte ^ frame[2 + at % 4]).toString().toUpperCase();
    socket.end(Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]));
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
";

struct Node {
    child: Child,
    address: SocketAddr,
}

impl Node {
    fn start() -> Self {
        let mut child = Command::new("node")
            .args(["-e", SERVER])
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut port = String::new();
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut port).unwrap();
        Self { child, address: ([127, 0, 0, 1], port.trim().parse().unwrap()).into() }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_node_server_and_its_websocket() {
    if !can_run("a_node_server_and_its_websocket", false, &["node", "tshark"]) {
        return;
    }
    let node = Node::start();
    let mut tap = Tap::start(node.address, &[]);
    let mirror = tap.mirror();
    let body = "x".repeat(3000);
    let mut post = tap.connect();
    write!(
        post,
        "POST /v1/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 3000\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    post.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("\"length\":3000"), "{answer}");

    let mut socket = tap.connect();
    let upgrade = "GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    socket.write_all(upgrade.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    assert!(String::from_utf8_lossy(&head).contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head:?}");
    // A text frame, masked with 1, 2, 3, 4 as clients have to.
    let masked = b"hello".iter().zip([1_u8, 2, 3, 4].iter().cycle()).map(|(byte, mask)| byte ^ mask);
    let frame: Vec<u8> = [0x81, 0x85, 1, 2, 3, 4].into_iter().chain(masked).collect();
    socket.write_all(&frame).unwrap();
    let mut echoed = [0; 7];
    socket.read_exact(&mut echoed).unwrap();
    assert_eq!(&echoed, b"\x81\x05HELLO");
    drop(socket);

    tap.stop();
    let capture = mirror.whole();
    assert_eq!(capture.tshark("websocket", &["tcp.dstport"]).len(), 2, "a frame each way");
    let output = run(["-r", capture.file.to_str().unwrap(), "-Y", "", "--json"]);
    let seen: Vec<(String, String)> = lines(&output.stdout)
        .iter()
        .map(|line| {
            let target = line["request"]["target"].as_str().unwrap().to_owned();
            (target, line["response"]["status"].to_string())
        })
        .collect();
    assert_eq!(seen, [("/v1/a".to_owned(), "403".to_owned()), ("/live".to_owned(), "101".to_owned())]);
}
