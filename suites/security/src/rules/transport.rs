//! Rules of transport: how connections are protected.

use super::table::rules;

rules! {
    "TLS-01" High [API8] [326, 327] ["12.1.1", "12.1.2"] "no protocol below TLS 1.2 is accepted"
        remedy "Set TLS 1.2 as the minimum, and allow only suites with forward secrecy."
        open "own handshakes with the protocols that the TLS library does not speak";
    "TLS-02" High [API8] [295] ["12.2.2"] "the certificate is valid for the host, and for weeks"
        remedy "Renew the certificate automatically, three weeks before it expires, with all host names."
        open "a check; `cutover doctor` looks at the certificate of an https target";
    "TLS-03" Medium [API8] [319] ["3.4.1", "4.1.2", "12.2.1"] "plain HTTP is refused, and HSTS is announced"
        remedy "Close port 80 of the API, or refuse its requests without a redirect. Send HSTS for a year."
        open "a check of port 80 of an https target";
    "TLS-04" High [API8] [319] ["12.3.1", "12.3.2"] "the database refuses connections without TLS"
        remedy "Require TLS in pg_hba.conf or in the settings of the project. Connect with sslmode=verify-full."
        open "a check of an attached database; a local stack has no TLS";
    "TLS-05" Medium [API8] [311] ["14.2.4"] "stored data is encrypted"
        remedy "Switch on encryption of disks and buckets at the provider, and keep the evidence with its date."
        not_applicable "no program can see it from outside; it is a fact for the list of attestations";
}
