//! Who a certificate says that it is.

use std::fmt::Write as _;

use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Subject, issuer and serial number on one line. The text comes off the wire.
pub(in crate::tap) fn describe(cert: &CertificateDer<'_>) -> String {
    let Ok((_, cert)) = X509Certificate::from_der(cert) else { return "that cannot be read".to_owned() };
    let mut text = format!("subject=\"{}\" issuer=\"{}\" serial=", cert.subject(), cert.issuer());
    for byte in cert.raw_serial().iter().take(20) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_subject_and_issuer() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::OrganizationName, "Alice & Co");
        let cert = params.self_signed(&key).unwrap();
        let text = describe(cert.der());
        assert!(text.contains("Alice & Co") && text.contains("serial="), "{text}");
        assert_eq!(describe(&CertificateDer::from_slice(b"nonsense")), "that cannot be read");
    }
}
