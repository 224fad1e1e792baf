//! Names for TLS alerts, and words for handshakes that failed.

use rustls::{AlertDescription, Error, PeerIncompatible};

use crate::model::NoticeKind;

/// The name that the RFCs give an alert (RFC 8446 §6, RFC 5246 §7.2, RFC 7301 §3.2).
pub(in crate::tap) const fn name(code: u8) -> &'static str {
    match code {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        21 => "decryption_failed",
        22 => "record_overflow",
        30 => "decompression_failure",
        40 => "handshake_failure",
        41 => "no_certificate",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        60 => "export_restriction",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        111 => "certificate_unobtainable",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        114 => "bad_certificate_hash_value",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        121 => "encrypted_client_hello_required",
        _ => "unknown_alert",
    }
}

/// The alert that ends `records`, when it is not encrypted.
pub(in crate::tap) fn sent(records: &[u8]) -> Option<u8> {
    match records.last_chunk::<7>() {
        Some([21, 3, _, 0, 2, _level, code]) => Some(*code),
        _ => None,
    }
}

/// What to say of a handshake with a client that failed. `sent` is the alert that we sent, where it could be read.
pub(in crate::tap) fn describe(error: &Error, sent: Option<u8>, spoke_http: bool) -> (NoticeKind, String) {
    if spoke_http {
        let text =
            "the client spoke plain HTTP to the TLS port: use https://, or --listen-plain for such clients";
        return (NoticeKind::ServerAlert, text.to_owned());
    }
    if let Error::AlertReceived(alert) = error {
        let code = u8::from(*alert);
        return (
            NoticeKind::ClientAlert,
            format!("the client refused the TLS handshake with the alert {}{}", name(code), advice(*alert)),
        );
    }
    let old = matches!(
        error,
        Error::PeerIncompatible(
            PeerIncompatible::SignatureAlgorithmsExtensionRequired
                | PeerIncompatible::Tls12NotOffered
                | PeerIncompatible::Tls12NotOfferedOrEnabled
                | PeerIncompatible::SupportedVersionsExtensionRequired
        )
    );
    let hint = if old { "; it shares no version of TLS with the tap, which speaks 1.2 and 1.3" } else { "" };
    let alert = sent
        .or_else(|| implied(error))
        .map_or_else(|| "an alert".to_owned(), |code| format!("the alert {}", name(code)));
    (NoticeKind::ServerAlert, format!("the TLS handshake failed ({error}); the client got {alert}{hint}"))
}

/// The alert that belongs to an error, for those that we send encrypted.
fn implied(error: &Error) -> Option<u8> {
    match error {
        Error::NoCertificatesPresented => Some(AlertDescription::CertificateRequired.into()),
        Error::InvalidCertificate(why) => Some(AlertDescription::from(why.clone()).into()),
        _ => None,
    }
}

fn advice(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::UnknownCA => {
            ": it does not trust the certificate's issuer (`why403 tap ca` shows how to trust the local CA)"
        }
        AlertDescription::BadCertificate | AlertDescription::CertificateUnknown => {
            ": it does not accept the certificate; most often the name differs, the issuer is not trusted or a certificate is pinned"
        }
        AlertDescription::CertificateExpired => {
            ": the certificate has expired, or the client's clock is wrong"
        }
        AlertDescription::ProtocolVersion => ": it wants another version of TLS than 1.2 or 1.3",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_alert_at_the_end() {
        assert_eq!(sent(&[22, 3, 3, 0, 1, 0, 21, 3, 3, 0, 2, 2, 70]), Some(70));
        assert_eq!(sent(&[23, 3, 3, 0, 2, 2, 70]), None);
        assert_eq!(sent(&[]), None);
    }

    #[test]
    fn names_the_alert_of_either_side() {
        let (kind, text) = describe(&Error::AlertReceived(AlertDescription::UnknownCA), None, false);
        assert_eq!(kind, NoticeKind::ClientAlert);
        assert!(text.contains("unknown_ca") && text.contains("why403 tap ca"), "{text}");
        let (kind, text) = describe(&Error::NoApplicationProtocol, Some(120), false);
        assert_eq!(kind, NoticeKind::ServerAlert);
        assert!(text.contains("no_application_protocol"), "{text}");
        assert!(describe(&Error::DecryptError, None, true).1.contains("--listen-plain"));
    }
}
