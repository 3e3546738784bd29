//! Rules of transport: how connections are protected.

use super::table::rules;

rules! {
    "TLS-01" High [API8] [326, 327] "no protocol below TLS 1.2 is accepted"
        open "own handshakes with the protocols that the TLS library does not speak";
    "TLS-02" High [API8] [295] "the certificate is valid for the host, and for weeks"
        open "a check; `cutover doctor` looks at the certificate of an https target";
    "TLS-03" Medium [API8] [319] "plain HTTP is refused, and HSTS is announced"
        open "a check of port 80 of an https target";
    "TLS-04" High [API8] [319] "the database refuses connections without TLS"
        open "a check of an attached database; a local stack has no TLS";
    "TLS-05" Medium [API8] [311] "stored data is encrypted"
        not_applicable "no program can see it from outside; it is a fact for the list of attestations";
}
