//! The expiry time of an X.509 certificate, read from its DER encoding.
//!
//! `x509-parser` would add nine crates to the build for this one field.

use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

/// The DER tags up to and including the validity period.
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The expiry time of a certificate; `None` if the encoding is invalid.
pub(super) fn expiry(der: &[u8]) -> Option<OffsetDateTime> {
    let (certificate, _) = content(der, SEQUENCE)?;
    let (mut fields, _) = content(certificate, SEQUENCE)?;
    if let Some((_, rest)) = content(fields, VERSION) {
        fields = rest;
    }
    // Serial number, signature algorithm, issuer.
    for _ in 0..3 {
        fields = element(fields)?.2;
    }
    let (validity, _) = content(fields, SEQUENCE)?;
    let (_, _, not_after) = element(validity)?;
    let (tag, end, _) = element(not_after)?;
    timestamp(tag, std::str::from_utf8(end).ok()?)
}

/// Parses a time. Certificates may use only this format: with seconds, in UTC.
fn timestamp(tag: u8, text: &str) -> Option<OffsetDateTime> {
    let text = match tag {
        // Two-digit years range from 1950 to 2049.
        UTC_TIME if text.get(..2)? < "50" => format!("20{text}"),
        UTC_TIME => format!("19{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let format = format_description!("[year][month][day][hour][minute][second]Z");
    let timestamp = PrimitiveDateTime::parse(&text, format).ok()?;
    Some(timestamp.assume_utc())
}

/// The content of an element with this tag, and the bytes after it.
fn content(der: &[u8], expected: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(der)?;
    (tag == expected).then_some((content, rest))
}

/// The first element: its tag, its content, and the bytes after it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [tag, first, rest @ ..] = der else {
        return None;
    };
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        // A length of more than four bytes is invalid in a certificate.
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = bytes
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use time::macros::datetime;

    use super::*;

    /// A certificate that expires before 2050, and one that expires later: the two encodings of a time.
    const CERTIFICATES: [(&str, OffsetDateTime); 2] = [
        (
            "MIIBfDCCASOgAwIBAgIUFsu8mLjrGwbBLNVkR7uxKs9xyyEwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJbG9jYWxob3N0MB4XDTI2MTEyNDE2MjE0M1oXDTI3MTEyNDE2MjE0M1owFDESMBAGA1UEAwwJbG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMH+m0zbj8sP7rJSQOZK6ezcQQSqXZhmNn9dN7VXthWoIXh1UXVrETUaRLFdBXDmNN0+k83ChxM6VxnBr0iMerqNTMFEwHQYDVR0OBBYEFDsC/8sAHBw7/+7ZLlE1rABPo8JtMB8GA1UdIwQYMBaAFDsC/8sAHBw7/+7ZLlE1rABPo8JtMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgXq1LSdvolYg8F/uhLdlxjenl8N5bxPQjGnkfz9w/m2sCIAsM8q9LURq4MSJIjZ4WyoHK1JUNHaDV/wg9+KxdXiFn",
            datetime!(2027-11-24 16:21:43 UTC),
        ),
        (
            "MIIBnDCCAUGgAwIBAgIUKW4phfGjoI/dvjkRr19HcjdArAIwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDE2MjA1NFoYDzIwODEwODI3MTYyMDU0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARp81T2Tkyek+WZRDKLBDsu6pIpTT/Mcw32HFgj8XLhxMbnneiskChZwQYBxkNxrjD+1vJt/i+clO4La5+jxxP1o28wbTAdBgNVHQ4EFgQU/JMUE9KawANM5WS3ax1k0MR624owHwYDVR0jBBgwFoAU/JMUE9KawANM5WS3ax1k0MR624owDwYDVR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZIzj0EAwIDSQAwRgIhAIwOb+JKADh8qMeRge/fcjWgcx1qnAo1BjJkFPIlYmyHAiEA1DdkBjL5+PLdA4nKZQaLgr9+lhg3h4RS0raMbtxnDvE=",
            datetime!(2081-08-27 16:20:54 UTC),
        ),
    ];

    #[test]
    fn both_encodings_of_the_expiry_time_are_read() {
        for (der, expected) in CERTIFICATES {
            let der = STANDARD.decode(der).unwrap();
            assert_eq!(expiry(&der), Some(expected));
        }
    }

    #[test]
    fn a_truncated_certificate_has_no_expiry_time() {
        for (der, _) in CERTIFICATES {
            let der = STANDARD.decode(der).unwrap();
            for length in 0..der.len() {
                assert_eq!(expiry(&der[..length]), None);
            }
        }
        assert_eq!(expiry(&[SEQUENCE, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
