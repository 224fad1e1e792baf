//! What can be typed after `why403 tap`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use ipnet::IpNet;

use crate::model::size;
use crate::sandbox;
use crate::tap::relay::proxy_header::ProxyVersion;

/// Terminate TLS in front of a server and mirror the plaintext.
#[derive(Args, Clone, Debug, Default)]
#[command(args_conflicts_with_subcommands = true)]
#[expect(missing_docs, reason = "the help texts are the documentation")]
pub struct TapArgs {
    #[command(subcommand)]
    pub command: Option<TapCommand>,

    /// Address to accept TLS on, such as 0.0.0.0:8443 (may be given again)
    #[arg(long, value_name = "ADDR")]
    pub listen: Vec<String>,
    /// Address to accept plain TCP on (may be given again)
    #[arg(long, value_name = "ADDR")]
    pub listen_plain: Vec<String>,
    /// Address to serve as a forward proxy on: CONNECT, and requests with an absolute URL (may be given again)
    #[arg(long, value_name = "ADDR", conflicts_with_all = ["listen", "listen_plain", "upstream"])]
    pub proxy: Vec<String>,
    /// With --proxy: hosts whose TLS is passed through unopened, such as '*.bank.example' (may be given again)
    #[arg(long, value_name = "GLOB", requires = "proxy")]
    pub passthrough: Vec<String>,
    /// With --proxy: make a CA for this run, its key in memory only, and write its certificate to FILE, which must not exist
    #[arg(long, value_name = "FILE", requires = "proxy")]
    pub proxy_ca: Option<PathBuf>,
    /// Server to relay to, HOST:PORT; a name is resolved once, at start
    #[arg(long, value_name = "ADDR")]
    pub upstream: Option<String>,

    /// Certificate chain in PEM, leaf first; each --cert goes with the --key in the same place
    #[arg(long, value_name = "FILE", help_heading = "Certificate")]
    pub cert: Vec<PathBuf>,
    /// Private key in PEM (PKCS#8, PKCS#1 or SEC1)
    #[arg(long, value_name = "FILE", help_heading = "Certificate")]
    pub key: Vec<PathBuf>,
    /// Mint certificates for these names (and what clients ask for) from a local CA; see `why403 tap ca`
    #[arg(long, value_name = "NAME", num_args = 1.., conflicts_with_all = ["cert", "key"], help_heading = "Certificate")]
    pub self_signed: Vec<String>,
    /// Refuse clients that ask for a name no certificate covers, instead of sending the first one
    #[arg(long, help_heading = "Certificate")]
    pub strict_sni: bool,
    /// Ask clients for a certificate of one of these CAs (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Certificate")]
    pub client_ca: Option<PathBuf>,
    /// Let clients in that have no certificate
    #[arg(long, requires = "client_ca", help_heading = "Certificate")]
    pub client_cert_optional: bool,
    /// Protocols to offer, best first; none with an empty list
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "http/1.1",
        help_heading = "Certificate"
    )]
    pub alpn: Vec<String>,

    /// Speak TLS to the server and verify it
    #[arg(long, help_heading = "Upstream")]
    pub upstream_tls: bool,
    /// CAs (PEM) to verify the server with, instead of the system's; with --proxy, besides them
    #[arg(long, value_name = "FILE", help_heading = "Upstream")]
    pub upstream_ca: Option<PathBuf>,
    /// Name to ask the server for and verify [default: the client's, else the host of --upstream]
    #[arg(long, value_name = "NAME", requires = "upstream_tls", help_heading = "Upstream")]
    pub upstream_name: Option<String>,
    /// Client certificate to show the server (PEM)
    #[arg(long, value_name = "FILE", requires_all = ["upstream_tls", "upstream_key"], help_heading = "Upstream")]
    pub upstream_cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", requires = "upstream_cert", help_heading = "Upstream")]
    pub upstream_key: Option<PathBuf>,
    /// Tell the server the client's address with a PROXY protocol header
    #[arg(long, value_name = "VERSION", num_args = 0..=1, default_missing_value = "v2", help_heading = "Upstream")]
    pub proxy_protocol: Option<ProxyVersion>,
    /// Expect a PROXY protocol header (v1 or v2) from every client: a load balancer stands in front
    #[arg(long, help_heading = "Upstream")]
    pub accept_proxy: bool,
    /// Whose PROXY headers are believed: addresses and networks; other peers are turned away
    #[arg(
        long,
        value_name = "CIDR",
        value_delimiter = ',',
        value_parser = crate::tap::relay::proxy_header::network,
        default_values = crate::tap::relay::proxy_header::PRIVATE_NETWORKS,
        hide_default_value = true,
        requires = "accept_proxy",
        help_heading = "Upstream"
    )]
    pub accept_proxy_from: Vec<IpNet>,

    /// Where to offer the plaintext as a pcap stream: unix:PATH, tcp:ADDR or none
    #[arg(long, value_name = "WHERE", help_heading = "Mirror")]
    pub mirror: Option<String>,
    /// Allow a tcp: mirror that other machines can reach
    #[arg(long, help_heading = "Mirror")]
    pub mirror_expose: bool,
    /// Bytes that may wait for one reader of the mirror before it loses frames
    #[arg(long, value_name = "SIZE", default_value = "16MiB", value_parser = size::parse, help_heading = "Mirror")]
    pub mirror_buffer: u64,
    /// Watch in this terminal
    #[arg(long, help_heading = "Mirror")]
    pub tui: bool,

    /// Ends when standard input does (started beside the inspector)
    #[arg(long, hide = true)]
    pub leashed: bool,

    /// Connections at once
    #[arg(long, value_name = "N", default_value_t = 10_000, help_heading = "Limits")]
    pub max_connections: u32,
    /// Connections at once that have not finished their handshake; the oldest goes when there are more
    #[arg(long, value_name = "N", default_value_t = 1_024, help_heading = "Limits")]
    pub max_handshakes: u32,
    /// Seconds for PROXY header and TLS handshake
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    pub handshake_timeout: u32,
    /// Seconds to wait for the server to accept
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    pub connect_timeout: u32,
    /// Seconds without a byte in either direction; 0 waits for ever
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600, help_heading = "Limits")]
    pub idle_timeout: u32,
    /// Seconds that open connections get after SIGTERM
    #[arg(long, value_name = "SECONDS", default_value_t = 5, help_heading = "Limits")]
    pub drain_timeout: u32,
    /// What to give up once everything is open: auto, require (all of it or no start) or off
    #[arg(long, value_name = "HOW", default_value_t, help_heading = "Limits")]
    pub sandbox: sandbox::Mode,
    /// Threads that relay [default: one a core, at most 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256), help_heading = "Limits")]
    pub workers: Option<u16>,
}

/// What else `why403 tap` can do.
#[derive(Subcommand, Clone, Debug)]
pub enum TapCommand {
    /// Print the local CA's certificate and how to trust it
    Ca,
    /// Keeps what the tap gave up (started by the tap itself)
    #[command(hide = true)]
    Keeper {
        /// Files to read again when asked
        #[arg(long)]
        file: Vec<PathBuf>,
        /// Socket to remove at the end
        #[arg(long)]
        socket: Option<PathBuf>,
    },
}
