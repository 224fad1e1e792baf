//! Calls in other languages: what they send, and that no byte of a stranger gets out of its literal.

use std::process::{Command, Stdio};

use super::{Language, command};
use crate::edge::redact::Redactor;
use crate::features::tests::{exchange, request, response};
use crate::model::Exchange;

const ALL: [Language; 4] = [Language::Httpie, Language::Fetch, Language::Python, Language::PowerShell];

fn order(value: &str, body: &[u8]) -> Exchange {
    let fields = [
        ("Host", "api.example"),
        ("Authorization", "Bearer s3cr3t-token-of-anna"),
        ("X-Note", value),
        ("Content-Type", "application/json"),
        ("Content-Length", "9"),
    ];
    exchange("10.0.0.1", 0, request("POST", "/v1/orders?v=2", &fields, body), response(403, &[], b"no"))
}

fn text(exchange: &Exchange, language: Language) -> String {
    command(exchange, language, &Redactor::for_tests(false)).unwrap().text
}

#[test]
fn every_language_has_method_url_fields_and_body_and_no_secret() {
    let asked = order("plain", br#"{"sku":1}"#);
    for language in ALL {
        let text = text(&asked, language);
        for part in ["POST", "/v1/orders?v=2", "X-Note", "plain", "sku", "AUTHORIZATION"] {
            let found = text.to_ascii_uppercase().contains(&part.to_ascii_uppercase());
            assert!(found, "{language:?}: {part} is not in {text}");
        }
        assert!(!text.contains("s3cr3t"), "{language:?}: {text}");
        assert!(!text.to_ascii_lowercase().contains("content-length"), "{language:?}: {text}");
    }
}

/// Values that would end a literal, begin a command, or hide something.
const HOSTILE: [&str; 9] = [
    "a'b\"c",
    "$(touch x) `touch x`",
    "\\\" + process.exit() + \\\"",
    "\u{2019}; Remove-Item x; \u{2018}",
    "@/etc/passwd",
    "=@/etc/passwd",
    "x\u{1b}]0;title\u{7}",
    "\u{202e}txt.exe",
    "</script><script>",
];

#[test]
fn hostile_bytes_stay_in_their_literals() {
    for value in HOSTILE {
        for language in ALL {
            let text = text(&order(value, value.as_bytes()), language);
            let unsafe_letter =
                text.chars().find(|letter| *letter != '\n' && crate::edge::sanitize::is_unsafe(*letter));
            assert_eq!(unsafe_letter, None, "{language:?}: {text}");
        }
    }
    let powershell = text(&order("x", HOSTILE[3].as_bytes()), Language::PowerShell);
    assert!(powershell.contains("\u{2019}\u{2019}; Remove-Item x; \u{2018}\u{2018}"), "{powershell}");
    let httpie = text(&order(HOSTILE[4], b"x"), Language::Httpie);
    assert!(httpie.contains("X-Note: @/etc/passwd"), "{httpie}");
}

/// What a Python program that is made of the literals prints, where there is a Python.
#[test]
fn python_reads_back_what_was_sent() {
    let stub = "import sys, types\nstub = types.ModuleType('requests')\nclass Response:\n    status_code = headers = text = ''\n\
                def request(method, url, headers, data=b'', **_):\n    sys.stderr.write(headers['X-Note'] + '\\n')\n    \
                sys.stderr.buffer.write(data)\n    return Response\nstub.request = request\nsys.modules['requests'] = stub\n";
    for value in HOSTILE {
        let asked = order(value, value.as_bytes());
        let program = format!("{stub}{}", text(&asked, Language::Python));
        let run = Command::new("python3")
            .args(["-X", "utf8", "-c", &program])
            .env("AUTHORIZATION", "x")
            .env("AUTHORIZATION_TOKEN", "x")
            .envs(variables(&asked))
            .stdout(Stdio::null())
            .output();
        let Ok(run) = run else {
            eprintln!("skipped: there is no python3");
            return;
        };
        let printed = run.stderr;
        let characters: String = super::characters(value.as_bytes());
        let expected = [characters.as_bytes(), b"\n", value.as_bytes()].concat();
        assert_eq!(String::from_utf8_lossy(&printed), String::from_utf8_lossy(&expected), "{program}");
    }
}

fn variables(asked: &Exchange) -> Vec<(String, String)> {
    let call = super::Call::new(asked, &Redactor::for_tests(false)).unwrap();
    call.variables.into_iter().map(|name| (name, "x".to_owned())).collect()
}

#[test]
fn bodies_that_are_no_text_go_as_base64() {
    let asked = order("x", &[0, 159, 146, 150]);
    for language in ALL {
        assert!(text(&asked, language).contains("AJ+Slg=="), "{language:?}");
    }
}
