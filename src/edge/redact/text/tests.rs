use super::{Reading, find};
use crate::edge::redact::settle;

/// The text with a star for each secret.
fn hidden(text: &str) -> String {
    let mut out = Vec::new();
    find(text.as_bytes(), Reading::default(), &mut out);
    let mut shown = String::new();
    let mut done = 0;
    for secret in settle(out) {
        shown.push_str(&text[done..secret.range.start]);
        shown.push('*');
        done = secret.range.end;
    }
    shown + &text[done..]
}

#[test]
fn what_is_assigned_to_a_name_is_hidden_and_nothing_else() {
    for (text, expected) in [
        ("login failed: password=hunter2x for bob", "login failed: password=* for bob"),
        (r#"{"message":"denied: api_key=hunter2x"}"#, r#"{"message":"denied: api_key=*"}"#),
        ("Authorization: Bearer hunter2x", "Authorization: Bearer *"),
        ("sent Authorization: Bearer hunter2x and failed", "sent Authorization: Bearer * and failed"),
        ("url=https://h/?a=1 err=token=hunter2x", "url=https://h/?a=1 err=token=*"),
        ("Server=x;User=u;Pwd=hunter2x;Timeout=3", "Server=x;User=u;Pwd=*;Timeout=3"),
        ("/a?token=a;hunter2x&b=1", "/a?token=*&b=1"),
        (r#"{\"password\": \"hunt\\\"er2\", \"a\": 1}"#, r#"{\"password\": \"*\", \"a\": 1}"#),
        ("{'password':'hunter2x','a':'b'}", "{'password':'*','a':'b'}"),
        (r#"login(user:\"b\",password:\"my pass hunter2x\"){t}"#, r#"login(user:\"b\",password:\"*\"){t}"#),
        ("user: b\npassword: correct horse hunter2x\nx: y", "user: b\npassword: *\nx: y"),
        ("password: |\n  hunter2x\nuser: b", "password: |\n  *\nuser: b"),
        ("tokens:\n- hunter2x\n- hunter3x\nuser: b", "tokens:\n- *\n- *\nuser: b"),
        ("var csrfToken = \"hunter2x\";", "var csrfToken = \"*\";"),
        ("payload=%7B%22password%22%3A%22hunter2x%22%7D", "payload=%7B%22password%22%3A%22*%22%7D"),
        ("API key zQ7Kp224BXw9TmR4vB2qL is not valid", "API key * is not valid"),
        ("'zQ7Kp224BXw9TmR4vB2qL' is not a valid token", "'*' is not a valid token"),
        ("token zQ7Kp224BXw9TmR4vB2qL is expired", "token * is expired"),
        ("mysql --password hunter2x -h db", "mysql --password * -h db"),
        ("Cookie: sid=hunter2x; lang=de", "Cookie: sid=*; lang=de"),
        ("X-A: b\r\n Authorization: Bearer hunter2x", "X-A: b\r\n Authorization: Bearer *"),
        ("пароль: hunter2x", "пароль: *"),
    ] {
        assert_eq!(hidden(text), expected);
    }
}

#[test]
fn text_that_speaks_of_secrets_stays() {
    for text in [
        "Invalid token: expired",
        "the password is wrong",
        "CSRF token missing or incorrect.",
        "Access-Control-Allow-Credentials: true",
        r#"{"credentials":"include","token_type":"Bearer","max_tokens":4096}"#,
        "Bearer error=\"insufficient_scope\", scope=\"orders:write\"",
        "signature: SHA256 mismatch",
        "login($password:String!){login(password:$password){id}}",
        "password: required",
        "request id 5f4dcc3b5aa765d61d8327deb882cf99: the session is over",
        "<label for=\"password\">Password:</label>",
        "token=[redacted 6 bytes #12345678]",
        "the token of https://issuer.example.com/oauth2 is not accepted",
    ] {
        assert_eq!(hidden(text), text);
    }
}
