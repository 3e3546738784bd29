//! Where the connections of a target that somebody else runs are led through us.

use std::collections::BTreeMap;

use cutover_fault::{LinkName, LinkSettings};

/// What is wrong with the links, if anything is.
pub(super) fn problem(links: &BTreeMap<LinkName, LinkSettings>) -> Option<String> {
    links.iter().find_map(|(name, link)| {
        if link.listen.ip().is_unspecified() {
            return Some(format!(
                "[{name}] must listen at one address, as in 127.0.0.1: at {} anybody could reach what lies behind it",
                link.listen
            ));
        }
        let upstream = &link.upstream;
        let unclear = link.upstream_host().is_none();
        unclear.then(|| format!("[{name}] upstream must be host:port, and is '{upstream}'"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(listen: &str, upstream: &str) -> Option<String> {
        let link = LinkSettings {
            listen: listen.parse().unwrap(),
            upstream: upstream.to_owned(),
        };
        problem(&BTreeMap::from([(LinkName::Database, link)]))
    }

    #[test]
    fn a_link_listens_for_this_machine_and_knows_its_other_end() {
        assert_eq!(said("127.0.0.1:15432", "db.example.org:5432"), None);
        assert_eq!(said("172.17.0.1:15432", "[::1]:5432"), None);
        let open = said("0.0.0.0:15432", "127.0.0.1:5432").unwrap();
        assert!(open.starts_with("[database] must listen"), "{open}");
        for upstream in ["db.example.org", ":5432", "db:port", "http://db:5432/"] {
            assert!(said("127.0.0.1:15432", upstream).is_some(), "{upstream}");
        }
    }
}
