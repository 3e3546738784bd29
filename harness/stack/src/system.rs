//! The system that a stack runs: what its services are configured with. It is implemented beside the system.

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

/// Where the stand-ins are, by name.
pub type Endpoints = BTreeMap<String, Url>;

/// A system that cannot be configured.
pub type SystemError = Box<dyn Error + Send + Sync>;

/// Where the stand-ins listen and keep their objects.
#[derive(Clone, Debug)]
pub struct StandinPlacement {
    /// The address to listen on.
    pub bind: IpAddr,
    /// The port of each stand-in, by name.
    pub ports: BTreeMap<String, u16>,
    /// The directory of the objects.
    pub storage: PathBuf,
}

/// What the services of a stack are configured with.
pub trait System: Debug + Send + Sync {
    /// New secrets for one stack; those of the database are added by the stack.
    ///
    /// # Errors
    /// Where a secret cannot be made.
    fn credentials(&self) -> Result<Credentials, SystemError>;

    /// The settings that the stand-ins read from standard input.
    ///
    /// # Errors
    /// Where a secret is missing.
    fn standin_settings(
        &self,
        credentials: &Credentials,
        placement: StandinPlacement,
    ) -> Result<Value, SystemError>;

    /// The environment of the migration, which alone is given the superuser's address.
    ///
    /// # Errors
    /// Where a secret is missing.
    fn migration_environment(&self, credentials: &Credentials) -> Result<Environment, SystemError>;

    /// The environment of the API and the workers, without their own addresses.
    ///
    /// # Errors
    /// Where a secret or an endpoint is missing.
    fn service_environment(
        &self,
        credentials: &Credentials,
        standins: &Endpoints,
        callback_base: &Url,
    ) -> Result<Environment, SystemError>;
}
