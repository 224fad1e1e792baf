//! Texts that come again and again, read once: programs behind User-Agent, addresses of clients.

use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;

use crate::features;
use crate::memo::Memo;

/// Texts of one kind remembered by one thread.
const REMEMBERED: usize = 512;
/// Longest text that is remembered.
const LONGEST: usize = 512;

/// What a User-Agent says.
#[derive(Debug, Default)]
pub struct Agent {
    /// The program, see [`product`].
    pub product: Rc<[u8]>,
    /// Whether it says nothing.
    pub blank: bool,
    /// The scanner it names.
    pub scanner: Option<&'static str>,
    /// The robot or driven browser it names.
    pub robot: Option<&'static str>,
    /// The script or automation it names.
    pub script: Option<&'static str>,
}

/// A client's address and network as text.
pub type Home = (Rc<[u8]>, Rc<[u8]>);

thread_local! {
    static AGENTS: RefCell<Memo<Box<[u8]>, Rc<Agent>, REMEMBERED>> = RefCell::default();
    static HOMES: RefCell<Memo<IpAddr, Home, REMEMBERED>> = RefCell::default();
}

/// What is behind a User-Agent.
pub fn agent(value: &[u8]) -> Rc<Agent> {
    AGENTS.with_borrow_mut(|known| {
        if let Some(agent) = known.get(value) {
            return Rc::clone(agent);
        }
        let agent = Rc::new(Agent::of(value));
        if value.len() <= LONGEST {
            known.put(value.into(), Rc::clone(&agent));
        }
        agent
    })
}

/// Where a client is.
pub fn home(client: IpAddr) -> Home {
    HOMES.with_borrow_mut(|known| {
        if let Some(home) = known.get(&client) {
            return home.clone();
        }
        let text = |text: String| Rc::from(text.into_bytes());
        let home: Home =
            (text(client.to_canonical().to_string()), text(features::client_network(client).to_string()));
        known.put(client, home.clone());
        home
    })
}

impl Agent {
    fn of(value: &[u8]) -> Self {
        let text = std::str::from_utf8(value).unwrap_or_default().to_ascii_lowercase();
        let blank = text.trim().is_empty();
        let names = |list: &[&'static str]| list.iter().copied().find(|name| text.contains(name));
        Self {
            product: product(&String::from_utf8_lossy(value)).into_bytes().into(),
            blank,
            scanner: names(&SCANNERS),
            robot: names(&ROBOTS),
            script: names(&SCRIPTS),
        }
    }
}

/// The program behind a User-Agent: its first product, or the browser's family.
pub fn product(agent: &str) -> String {
    let lower = agent.to_ascii_lowercase();
    for name in ["headless", "bot", "crawler", "spider", "edg/", "firefox", "chrome", "safari"] {
        if lower.starts_with("mozilla") && lower.contains(name) {
            return name.trim_end_matches('/').to_owned();
        }
    }
    lower.split(['/', ' ', '(']).next().unwrap_or_default().to_owned()
}

/// Parts of the User-Agent of programs that read sites by themselves or drive a browser.
const ROBOTS: [&str; 9] =
    ["bot/", "bot ", "crawl", "spider", "scrapy", "headless", "phantomjs", "selenium", "puppeteer"];
/// Parts of the User-Agent of scanners.
const SCANNERS: [&str; 20] = [
    "sqlmap",
    "nikto",
    "nmap",
    "acunetix",
    "masscan",
    "zgrab",
    "nuclei",
    "dirbuster",
    "gobuster",
    "wpscan",
    "nessus",
    "openvas",
    "hydra",
    "metasploit",
    "fuzz",
    "burp",
    "zaproxy",
    "havij",
    "w3af",
    "arachni",
];
/// Parts of the User-Agent of scripts and automation.
const SCRIPTS: [&str; 22] = [
    "curl",
    "wget",
    "python",
    "libwww",
    "go-http-client",
    "java/",
    "okhttp",
    "scrapy",
    "headless",
    "phantomjs",
    "httpie",
    "axios",
    "node-fetch",
    "ruby",
    "php",
    "perl",
    "bot",
    "crawler",
    "spider",
    "httpclient",
    "postman",
    "winhttp",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_agents() {
        assert_eq!(product("curl/8.1"), "curl");
        assert_eq!(product("Mozilla/5.0 (X11) HeadlessChrome/1"), "headless");
        assert_eq!(product(""), "");
        assert_eq!(agent(b"sqlmap/1.8").scanner, Some("sqlmap"));
        assert_eq!((agent(b"curl/8.1").script, agent(b" ").blank), (Some("curl"), true));
    }

    #[test]
    fn homes_of_clients() {
        let (address, network) = home(IpAddr::from([10, 1, 2, 3]));
        assert_eq!((&*address, &*network), (&b"10.1.2.3"[..], &b"10.1.2.0/24"[..]));
    }
}
