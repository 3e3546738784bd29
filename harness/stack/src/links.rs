//! The links of a stack: its services reach each other through proxies, into which faults are injected.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use cutover_evidence::secret::Secret;
use cutover_fault::{LinkClient, LinkSettings, Links};
use url::Url;

use super::credentials::{APP_DATABASE_URL, Credentials, DATABASE_URL};
use super::spec::{LinkEnd, StackLink};
use super::stack_error::StackError;
use super::system::Endpoints;

/// Where the ends of links are, without a proxy.
pub(crate) struct DirectAddresses<'a> {
    pub(crate) credentials: &'a Credentials,
    pub(crate) standins: &'a Endpoints,
    pub(crate) api: &'a Url,
}

impl DirectAddresses<'_> {
    /// The `host:port` of an end.
    fn upstream(&self, end: LinkEnd) -> Result<String, StackError> {
        let url = match end {
            LinkEnd::Database => {
                let url = self.credentials.get(DATABASE_URL)?;
                Url::parse(url.expose())?
            }
            LinkEnd::Api => self.api.clone(),
            LinkEnd::Standin(name) => {
                let url = self.standins.get(name);
                url.cloned().ok_or(StackError::NoEndpoints)?
            }
        };
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        Ok(format!("{host}:{port}"))
    }
}

/// The open links of a stack, and the addresses by which its services are reached through them.
#[derive(Debug)]
pub(crate) struct StackLinks {
    ends: Vec<StackLink>,
    pub(crate) links: Links,
}

impl StackLinks {
    /// Opens the links, each on a free port of `listen`.
    pub(crate) fn open(
        ends: &[StackLink],
        listen: IpAddr,
        direct: &DirectAddresses<'_>,
    ) -> Result<Self, StackError> {
        let settings = ends.iter().map(|link| {
            let settings = LinkSettings {
                listen: SocketAddr::new(listen, 0),
                upstream: direct.upstream(link.end)?,
            };
            Ok((link.name, settings))
        });
        let settings: BTreeMap<_, _> = settings.collect::<Result<_, StackError>>()?;
        Ok(Self {
            ends: ends.to_vec(),
            links: Links::open(&settings)?,
        })
    }

    /// The credentials of a service: with the database behind its link.
    pub(crate) fn credentials(
        &self,
        client: LinkClient,
        direct: &Credentials,
    ) -> Result<Credentials, StackError> {
        let mut credentials = direct.clone();
        if let Some(address) = self.address(client, LinkEnd::Database) {
            let url = Url::parse(direct.get(APP_DATABASE_URL)?.expose())?;
            let url = Secret::new(at(url, address).as_str());
            credentials.insert(APP_DATABASE_URL, url);
        }
        Ok(credentials)
    }

    /// The endpoints of the stand-ins for a service: each behind its link, if it has one.
    pub(crate) fn standins(&self, client: LinkClient, direct: &Endpoints) -> Endpoints {
        let mut standins = direct.clone();
        for link in self.of(client) {
            if let (LinkEnd::Standin(name), Some(proxy)) = (link.end, self.links.proxy(link.name))
                && let Some(url) = standins.get_mut(name)
            {
                *url = at(url.clone(), proxy.address());
            }
        }
        standins
    }

    /// The origin of the API for a client of it.
    pub(crate) fn api(&self, client: LinkClient, direct: &Url) -> Url {
        let address = self.address(client, LinkEnd::Api);
        address.map_or_else(|| direct.clone(), |address| at(direct.clone(), address))
    }

    fn of(&self, client: LinkClient) -> impl Iterator<Item = &StackLink> {
        let links = self.ends.iter();
        links.filter(move |link| link.name.client() == client)
    }

    fn address(&self, client: LinkClient, end: LinkEnd) -> Option<SocketAddr> {
        let link = self.of(client).find(|link| link.end == end)?;
        Some(self.links.proxy(link.name)?.address())
    }
}

/// A URL with another address.
fn at(mut url: Url, address: SocketAddr) -> Url {
    // URLs with a host accept every IP address and port.
    let _ = url.set_ip_host(address.ip());
    let _ = url.set_port(Some(address.port()));
    url
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use cutover_fault::LinkName;

    use super::*;

    const LINKS: &[StackLink] = &[
        StackLink {
            name: LinkName::ApiToDatabase,
            end: LinkEnd::Database,
        },
        StackLink {
            name: LinkName::WorkerToParser,
            end: LinkEnd::Standin("parser"),
        },
        StackLink {
            name: LinkName::ParserToApi,
            end: LinkEnd::Api,
        },
    ];

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn only_the_client_of_a_link_connects_through_it() {
        let mut direct = Credentials::default();
        for (name, user) in [(DATABASE_URL, "owner"), (APP_DATABASE_URL, "app")] {
            let url = format!("postgres://{user}:secret@127.0.0.1:5/postgres");
            direct.insert(name, Secret::new(url));
        }
        let standins = Endpoints::from([("parser".to_owned(), url("http://127.0.0.1:6/"))]);
        let api = url("http://127.0.0.1:7/");
        let addresses = DirectAddresses {
            credentials: &direct,
            standins: &standins,
            api: &api,
        };
        let links = StackLinks::open(LINKS, Ipv4Addr::LOCALHOST.into(), &addresses).unwrap();
        let port = |name| links.links.proxy(name).unwrap().address().port();

        let through = links.credentials(LinkClient::Api, &direct).unwrap();
        let expected = format!(
            "postgres://app:secret@127.0.0.1:{}/postgres",
            port(LinkName::ApiToDatabase)
        );
        assert_eq!(through.get(APP_DATABASE_URL).unwrap().expose(), expected);
        let worker = links.credentials(LinkClient::Worker, &direct).unwrap();
        assert_eq!(worker, direct);

        let parser = &links.standins(LinkClient::Worker, &standins)["parser"];
        assert_eq!(parser.port(), Some(port(LinkName::WorkerToParser)));
        assert_eq!(links.standins(LinkClient::Api, &standins), standins);
        let callbacks = links.api(LinkClient::Parser, &api);
        assert_eq!(callbacks.port(), Some(port(LinkName::ParserToApi)));
        assert_eq!(links.api(LinkClient::User, &api), api);
    }
}
