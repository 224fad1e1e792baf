//! Names of shell variables.

/// Longest shell variable name that is made.
const VARIABLE: usize = 40;

/// Variables that mean something to a shell, to curl or to the loader.
const RESERVED: [&str; 16] = [
    "PATH", "IFS", "HOME", "ENV", "PS1", "PS4", "PWD", "SHELL", "USER", "TERM", "LANG", "UID", "STATUS",
    "RANDOM", "SECONDS", "OPTIND",
];

/// A shell variable's name made of `parts`: `COOKIE_SESSION_ID`.
pub(in crate::edge::redact) fn variable(parts: &[&[u8]]) -> String {
    let mut name = String::new();
    for part in parts {
        if !name.is_empty() {
            name.push('_');
        }
        let part = part.strip_prefix(b"x-").or_else(|| part.strip_prefix(b"X-")).unwrap_or(part);
        for byte in part.iter().take(VARIABLE) {
            if byte.is_ascii_alphanumeric() {
                name.push(byte.to_ascii_uppercase() as char);
            } else if !name.ends_with('_') && !name.is_empty() {
                name.push('_');
            }
        }
    }
    name.truncate(VARIABLE);
    let name = name.trim_end_matches('_');
    match name.as_bytes().first() {
        None => "SECRET".to_owned(),
        Some(b'0'..=b'9') => format!("SECRET_{name}"),
        // Assigning these would change the shell that runs the command.
        Some(_) if RESERVED.contains(&name) => format!("SECRET_{name}"),
        Some(_) => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::variable;

    #[test]
    fn variables_are_shell_names() {
        assert_eq!(variable(&[b"cookie", b"session-id"]), "COOKIE_SESSION_ID");
        assert_eq!(variable(&[b"x-api-key"]), "API_KEY");
        assert_eq!(variable(&[b"$(rm)"]), "RM");
        assert_eq!(variable(&[b"pwd"]), "SECRET_PWD");
        assert_eq!(variable(&[b"1st"]), "SECRET_1ST");
        assert_eq!(variable(&["é".as_bytes()]), "SECRET");
    }
}
