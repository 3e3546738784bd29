//! The connection to a system under test: its endpoints and how to authenticate there.

use crate::environment::IdentificationSettings;
use crate::resources::ResourceSource;
use cutover_contract::accounts::TokenSource;
use cutover_contract::probe::LogSource;
use cutover_contract::standin::StandinEndpoints;
use cutover_evidence::secret::Secret;
use url::Url;

/// The endpoints of a system under test, and how to authenticate there. What a target does not grant is `None` or empty.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The origin of the API.
    pub api: Url,
    /// How the system says which environment it is.
    pub identification: Box<IdentificationSettings>,
    /// How test tenants authenticate.
    pub tokens: TokenSource,
    /// The URL of the database.
    pub database: Option<Secret>,
    /// The object storage.
    pub storage: Option<StorageAccess>,
    /// The stand-ins of its providers.
    pub standins: Option<StandinEndpoints>,
    /// The static secret of callbacks.
    pub callback_token: Option<Secret>,
    /// The logs that can be read.
    pub logs: Vec<LogSource>,
    /// The processes of an attached target, which are sampled while a load runs.
    pub resources: Vec<ResourceSource>,
}

/// The object storage of a Supabase project.
#[derive(Clone, Debug)]
pub struct StorageAccess {
    /// The origin of the project.
    pub supabase: Url,
    /// The service role key.
    pub service_key: Secret,
}
