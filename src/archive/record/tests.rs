//! What is written is read back, and what cannot be read is refused with a reason.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{RecordError, names, read, write};
use crate::features::tests::{exchange, request, response};
use crate::model::{
    Anomaly, AnomalySet, Body, BodyRare, Connection, Exchange, ExchangeId, FieldSpan, Fields, FlowId, Gap,
    Imported, InterfaceId, Preface, Request, RequestHead, Response, ResponseHead, Span, StreamId, Timestamp,
};

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof!["[ -~\u{e9}\u{1f512}\r\n\t\0]{0,60}".prop_map(String::into_bytes), vec(any::<u8>(), 0..most),]
}

fn span() -> impl Strategy<Value = Span> {
    (0_u32..80, 0_u32..80).prop_map(|(start, len)| Span { start, len })
}

fn fields() -> impl Strategy<Value = Fields> {
    let line = (span(), span()).prop_map(|(name, value)| FieldSpan { name, value });
    (bytes(200), vec(line, 0..6)).prop_map(|(raw, lines)| Fields::new(raw, lines))
}

fn body() -> impl Strategy<Value = Body> {
    let gaps = vec((any::<u64>(), any::<u64>()), 0..3);
    let rare = option::of((gaps, fields())).prop_map(|rare| {
        rare.map(|(gaps, trailers)| {
            let gaps = gaps.into_iter().map(|(offset, len)| Gap { offset, len }).collect();
            Box::new(BodyRare { gaps, trailers })
        })
    });
    (bytes(100), any::<u64>(), prop::sample::select(names::ALL.3), rare)
        .prop_map(|(kept, len, end, rare)| Body { kept: kept.into(), len, end, rare })
}

fn any_request() -> impl Strategy<Value = Request> {
    let head = (fields(), span(), span(), prop::sample::select(names::ALL.2));
    (head, body(), any::<i64>(), any::<i64>()).prop_map(
        |((fields, method, target, version), body, started, ended)| Request {
            head: RequestHead::new(fields, method, target, version),
            body,
            started: Timestamp(started),
            ended: Timestamp(ended),
        },
    )
}

fn response_head() -> impl Strategy<Value = ResponseHead> {
    (fields(), 0_u16..1000, span(), prop::sample::select(names::ALL.2))
        .prop_map(|(fields, status, reason, version)| ResponseHead::new(fields, status, reason, version))
}

fn any_response() -> impl Strategy<Value = Response> {
    (response_head(), body(), any::<i64>(), any::<i64>()).prop_map(|(head, body, started, ended)| Response {
        head,
        body,
        started: Timestamp(started),
        ended: Timestamp(ended),
    })
}

fn address() -> impl Strategy<Value = std::net::SocketAddr> {
    (any::<std::net::IpAddr>(), any::<u16>()).prop_map(Into::into)
}

fn preface() -> impl Strategy<Value = Preface> {
    let text = || option::of("[a-z.:]{0,20}".prop_map(String::into_boxed_str));
    (prop::sample::select(names::ALL.1), address(), option::of(address()), text(), text()).prop_map(
        |(kind, peer, client, destination, authority)| Preface { kind, peer, client, destination, authority },
    )
}

/// Any exchange, consistent or not.
pub(crate) fn any_exchange() -> impl Strategy<Value = Exchange> {
    let connection = (any::<u64>(), any::<u32>(), any::<u32>(), any::<u32>(), any::<bool>());
    let ends = (any::<u64>(), address(), address(), connection, option::of(preface()));
    let messages = (option::of(any_request()), vec(response_head(), 0..3), option::of(any_response()));
    let rest = (
        prop::sample::select(names::ALL.0),
        option::of(bytes(40)),
        vec(prop::sample::select(Anomaly::ALL), 0..5),
    );
    (ends, messages, rest).prop_map(
        |((id, client, server, connection, preface), (request, interim, response), (outcome, junk, odd))| {
            let (flow, interface, stream, index, handshake) = connection;
            let mut anomalies = AnomalySet::default();
            for one in odd {
                anomalies.insert(one);
            }
            Exchange {
                id: ExchangeId(id),
                client,
                server,
                connection: Connection {
                    flow: FlowId(flow),
                    interface: InterfaceId(interface),
                    stream: StreamId(stream),
                    index,
                    handshake,
                },
                preface: preface.map(Box::new),
                request,
                interim: interim.into(),
                response,
                outcome,
                not_http: junk.map(Into::into),
                imported: (id % 2 == 0).then(|| {
                    Box::new(Imported {
                        format: "har",
                        recorder: "x".into(),
                        entry: id,
                        reason: (id % 4 == 0).then(|| "net::ERR_FAILED".into()),
                        absent: vec![("frames", "y".into())],
                    })
                }),
                anomalies,
            }
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(exchange in any_exchange(), run: u64) {
        let text = write(run, &exchange);
        let recorded = read(&text).unwrap();
        prop_assert_eq!(recorded.run, run);
        prop_assert_eq!(&recorded.exchange, &exchange);
        prop_assert_eq!(write(run, &recorded.exchange), text);
    }

    #[test]
    fn no_text_is_too_odd_to_be_refused(text in "\\PC{0,200}", cut in 0_usize..2000) {
        let _ = read(&text);
        let whole = sample();
        let cut = whole.char_indices().map(|(at, _)| at).nth(cut % whole.len()).unwrap_or_default();
        prop_assert!(matches!(read(&whole[..cut]), Err(RecordError::Damaged(_))));
    }
}

fn sample() -> String {
    let request = request("POST", "/a", &[("Host", "h"), ("X", "caf\u{e9}")], b"{\"a\":1}");
    write(3, &exchange("10.0.0.1", 5, request, response(403, &[("Server", "s")], b"\xff\0")))
}

#[test]
fn a_newer_version_is_refused_whatever_it_holds() {
    for text in [
        sample().replacen("\"v\":1", "\"v\":2", 1),
        r#"{"v":7,"frames":[]}"#.to_owned(),
        r#"{"other":{},"v":4000000000}"#.to_owned(),
    ] {
        let error = read(&text).unwrap_err();
        assert!(matches!(error, RecordError::Newer(_)), "{error}");
        assert!(error.to_string().contains("use a newer why403"), "{error}");
    }
    let none = sample().replacen("\"v\":1", "\"v\":0", 1);
    assert_eq!(read(&none), Err(RecordError::Damaged("there is no version 0".into())));
}

#[test]
fn an_unknown_name_is_named() {
    let text = sample().replacen("\"outcome\":\"complete\"", "\"outcome\":\"lost\\u001b\"", 1);
    let error = read(&text).unwrap_err().to_string();
    assert!(error.contains("'lost\\u{1b}' is no outcome"), "{error}");
}

/// The format as other programs read it: a change of this text needs a new version.
#[test]
fn the_format_of_version_1() {
    assert_eq!(
        sample(),
        concat!(
            r#"{"v":1,"run":3,"id":0,"client":"10.0.0.1:40000","server":"10.0.0.9:80","flow":0,"interface":0,"#,
            r#""stream":0,"index":0,"handshake":false,"request":{"raw":"POST /a HTTP/1.1\r\nHost: h\r\nX: café\r\n\r\n","#,
            r#""lines":[[18,4,24,1],[27,1,30,5]],"method":[0,4],"target":[5,2],"version":"HTTP/1.1","#,
            r#""started":5000000000,"ended":5000000000,"body":{"kept":"{\"a\":1}","len":7,"end":"complete"}},"#,
            r#""response":{"raw":"HTTP/1.1 403 Reason\r\nServer: s\r\n\r\n","lines":[[21,6,29,1]],"status":403,"#,
            r#""reason":[13,6],"version":"HTTP/1.1","started":5001000000,"ended":5001000000,"#,
            r#""body":{"kept":{"base64":"/wA="},"len":2,"end":"complete"}},"outcome":"complete"}"#
        )
    );
}
