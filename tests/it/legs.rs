//! The legs of a request through a real proxy.

use std::process::Command;

use serde_json::Value;

use crate::support::{Nginx, Program, can_run, must, why403};

fn post(nginx: &Nginx, path: &str, token: bool) {
    let mut words = vec!["-s", "-o", "/dev/null", "-d", "a=1"];
    words.extend(["-H", "Authorization: Bearer abc"].iter().take(if token { 2 } else { 0 }));
    let url = format!("http://{}{path}", nginx.address);
    words.push(&url);
    must("curl", words);
}

/// The next line about `path`; those of the probes before may still come.
fn line_of(watch: &mut Program, path: &str) -> Value {
    std::iter::from_fn(|| Some(watch.next())).find(|line| line["request"]["target"] == path).unwrap()
}

fn servers(line: &Value) -> Vec<(&str, &str, u64)> {
    let legs = line["legs"].as_array().map(Vec::as_slice).unwrap_or_default();
    legs.iter()
        .map(|leg| {
            let text = |name: &str| leg[name].as_str().unwrap();
            (text("role"), text("server"), leg["status"].as_u64().unwrap())
        })
        .collect()
}

#[test]
fn loopback_a_proxy_and_what_is_behind_it_are_one_exchange() {
    if !can_run("legs on loopback", true, &["nginx", "curl"]) {
        return;
    }
    let (nginx, addresses) = Nginx::before_application();
    let [proxy, application, authorization] = addresses.map(|one| one.to_string());
    let ports = addresses.map(|one| one.port().to_string());
    let mut command = Command::new(why403());
    command.args([
        "-i",
        "lo",
        "--json",
        "-Y",
        "status:403",
        "tcp",
        "port",
        &ports[0],
        "or",
        &ports[1],
        "or",
        &ports[2],
    ]);
    let mut watch = Program::start(&mut command);
    watch.begins_to_see(|| post(&nginx, "/probe", false));
    post(&nginx, "/v1/accepted", true);

    post(&nginx, "/v1/orders", false);
    let line = line_of(&mut watch, "/v1/orders");
    assert_eq!(line["server"], proxy.as_str(), "{line}");
    assert_eq!(servers(&line), [("client", proxy.as_str(), 403), ("forwarded", &application, 403)]);
    assert_eq!(line["refused_at"]["server"], application.as_str(), "{line}");
    assert_eq!(line["server_process"]["pid"], nginx.id(), "{line}");
    assert_eq!(line["server_process"]["program"], "nginx", "{line}");

    post(&nginx, "/stripped/orders", true);
    let line = line_of(&mut watch, "/stripped/orders");
    assert_eq!(servers(&line), [("client", proxy.as_str(), 403), ("forwarded", &application, 403)]);
    let changed = line["legs"][1]["changed"].as_array().unwrap();
    let dropped = changed.iter().find(|one| one["name"] == "authorization").unwrap();
    assert_eq!((&dropped["kind"], &dropped["after"]), (&"removed".into(), &Value::Null));
    assert_eq!(line["diagnosis"][0]["cause"], "missing-credentials", "{line}");
    assert!(line["diagnosis"][0]["evidence"].to_string().contains("did not pass on authorization"), "{line}");

    post(&nginx, "/guarded/orders", true);
    let line = line_of(&mut watch, "/guarded/orders");
    assert_eq!(
        servers(&line),
        [("client", proxy.as_str(), 403), ("authorization check", &authorization, 403)]
    );
    assert!(line["refused_at"]["says"].as_str().unwrap().contains("whether the request may pass"), "{line}");

    post(&nginx, "/own", true);
    let line = line_of(&mut watch, "/own");
    assert!(line["legs"].is_null(), "{line}");
    assert_eq!(line["refused_at"]["server"], proxy.as_str(), "{line}");
    assert!(line["refused_at"]["says"].as_str().unwrap().contains("answered itself"), "{line}");

    watch.signal(nix::sys::signal::Signal::SIGINT);
    assert_eq!(watch.ended().code(), Some(0), "{}", watch.said());
    assert!(watch.rest().is_empty(), "each request came once");
}
