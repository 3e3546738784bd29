//! The configuration of the system that a stack runs, implemented outside of this crate.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Debug;
use std::net::IpAddr;
use std::path::PathBuf;

use serde_json::Value;
use url::Url;

use super::credentials::Credentials;

/// The environment variables of a service.
pub type Environment = BTreeMap<String, String>;

/// The URLs of the stand-ins, by name.
pub type Endpoints = BTreeMap<String, Url>;

/// Why a system cannot be configured.
pub type SystemError = Box<dyn Error + Send + Sync>;

/// The addresses of the stand-ins and the directory of their objects.
#[derive(Clone, Debug)]
pub struct StandinPlacement {
    /// The address on which they listen.
    pub bind: IpAddr,
    /// The port of each stand-in, by name.
    pub ports: BTreeMap<String, u16>,
    /// The directory of the storage objects.
    pub storage: PathBuf,
}

/// The addresses and secrets with which a service reaches the others of its stack. The address of a
/// service behind a link is that of the link's proxy.
#[derive(Clone, Copy, Debug)]
pub struct ServiceView<'a> {
    /// The secrets, with the database's address for this service.
    pub credentials: &'a Credentials,
    /// The addresses of the stand-ins for this service.
    pub standins: &'a Endpoints,
    /// The addresses of the stand-ins without links.
    pub direct_standins: &'a Endpoints,
    /// The origin of the API for the parser's callbacks.
    pub callback_base: &'a Url,
}

/// The configuration of the services of a stack.
pub trait System: Debug + Send + Sync {
    /// Generates the secrets of one stack, except those of the database.
    ///
    /// # Errors
    /// If a secret cannot be generated.
    fn credentials(&self) -> Result<Credentials, SystemError>;

    /// The settings that the stand-ins read from their standard input.
    ///
    /// # Errors
    /// If a secret is missing.
    fn standin_settings(
        &self,
        credentials: &Credentials,
        placement: StandinPlacement,
    ) -> Result<Value, SystemError>;

    /// The environment of the migration; only the migration gets the superuser's database URL.
    ///
    /// # Errors
    /// If a secret is missing.
    fn migration_environment(&self, credentials: &Credentials) -> Result<Environment, SystemError>;

    /// The environment of the API or the workers, without the addresses on which they listen.
    ///
    /// # Errors
    /// If a secret or an endpoint is missing.
    fn service_environment(&self, service: &ServiceView<'_>) -> Result<Environment, SystemError>;
}
