//! Validates the `[links]` table of a target file: connections that pass through cutover.

use std::collections::BTreeMap;

use cutover_fault::{LinkName, LinkSettings};

/// What is wrong with the links, if anything is.
pub(super) fn problem(links: &BTreeMap<LinkName, LinkSettings>) -> Option<String> {
    links.iter().find_map(|(name, link)| {
        if link.listen.ip().is_unspecified() {
            return Some(format!(
                "[{name}] must listen at one address, such as 127.0.0.1: at {} any host could reach its upstream",
                link.listen
            ));
        }
        let upstream = &link.upstream;
        let is_invalid = link.upstream_host().is_none();
        is_invalid.then(|| format!("[{name}] upstream must be host:port, but is '{upstream}'"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem_of(listen: &str, upstream: &str) -> Option<String> {
        let link = LinkSettings {
            listen: listen.parse().unwrap(),
            upstream: upstream.to_owned(),
        };
        problem(&BTreeMap::from([(LinkName::Database, link)]))
    }

    #[test]
    fn a_link_listens_at_one_address_and_has_an_upstream() {
        assert_eq!(problem_of("127.0.0.1:15432", "db.example.org:5432"), None);
        assert_eq!(problem_of("172.17.0.1:15432", "[::1]:5432"), None);
        let open = problem_of("0.0.0.0:15432", "127.0.0.1:5432").unwrap();
        assert!(open.starts_with("[database] must listen"), "{open}");
        for upstream in ["db.example.org", ":5432", "db:port", "http://db:5432/"] {
            assert!(
                problem_of("127.0.0.1:15432", upstream).is_some(),
                "{upstream}"
            );
        }
    }
}
