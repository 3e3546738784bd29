//! A database server that has just been started.

use crate::credentials::Credentials;
use crate::services::Service;

/// A running database, before its schema is migrated.
pub(crate) struct RunningDatabase {
    pub(crate) service: Service,
    /// Its URLs and passwords, as the services of the same backend use them.
    pub(crate) credentials: Credentials,
}
