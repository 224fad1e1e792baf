use clap::{CommandFactory, Parser};

use super::{Cli, Command, Format};

fn read(line: &str) -> Cli {
    Cli::try_parse_from(std::iter::once("why403").chain(line.split_whitespace()))
        .unwrap_or_else(|error| panic!("{line}: {error}"))
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn a_capture_filter_is_never_a_subcommand() {
    for filter in [
        "tcp port 80",
        "port ssh",
        "host demo",
        "tcp port 80 and host config",
        "ip proto tcp",
        "not port ssh",
    ] {
        let cli = read(filter);
        assert!(cli.command.is_none(), "{filter}");
        assert_eq!(cli.watch.expression.join(" "), filter);
    }
    let cli = read("-i eth0 port ssh");
    assert_eq!(cli.watch.expression, ["port", "ssh"]);
    assert_eq!(cli.watch.interface.as_deref(), Some("eth0"));
    assert_eq!(read("-- demo").watch.expression, ["demo"]);
}

#[test]
fn options_may_follow_the_filter() {
    let cli = read("-r a.pcap tcp port 80 --json -c 3");
    assert_eq!(cli.watch.expression, ["tcp", "port", "80"]);
    assert!(cli.watch.run.json);
    assert_eq!(cli.watch.run.count, Some(3));
}

#[test]
fn subcommands_take_the_same_options() {
    let Some(Command::Demo(demo)) = read("demo --json -c 5").command else { panic!() };
    assert_eq!((demo.run.json, demo.run.count), (true, Some(5)));
    let Some(Command::Ssh(ssh)) = read("ssh root@box -Y status:4xx tcp port 80").command else { panic!() };
    assert_eq!((ssh.host.as_str(), ssh.expression.len()), ("root@box", 3));
}

#[test]
fn exports() {
    let cli = read("--export curl --export har=/tmp/a=b.har --export md=-");
    assert_eq!(cli.watch.run.export[0].format, Format::Curl);
    assert_eq!(cli.watch.run.export[1].file.as_deref(), Some(std::path::Path::new("/tmp/a=b.har")));
    assert_eq!((cli.watch.run.export[2].format, &cli.watch.run.export[2].file), (Format::Markdown, &None));
    assert!(Cli::try_parse_from(["why403", "--export", "xml"]).is_err());
    assert!(Cli::try_parse_from(["why403", "--export", "curl="]).is_err());
}
