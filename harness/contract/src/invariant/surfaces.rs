//! The surfaces that the invariants read, limited to a scope.

use serde::de::DeserializeOwned;

use super::facts;
use super::scope::Scope;
use crate::contract::Contract;
use crate::probe::{Database, DatabaseError, Parameter, Storage};

/// The surfaces that the invariants read.
#[derive(Clone, Copy, Debug)]
pub struct Surfaces<'a> {
    /// The database with the rows.
    pub database: &'a Database,
    /// The storage with the objects.
    pub storage: &'a Storage,
    /// The contract of the pipeline.
    pub contract: &'a Contract,
    /// The documents to check.
    pub scope: &'a Scope,
}

impl Surfaces<'_> {
    /// The rows of a query over the tables in scope.
    pub(super) async fn rows<T: DeserializeOwned>(
        &self,
        query: &str,
    ) -> Result<Vec<T>, DatabaseError> {
        let parameters = [
            self.scope.parameter(),
            Parameter::Json(facts::from_contract(self.contract)),
        ];
        self.database
            .rows_of_invariant(&facts::over_tables(query), &parameters)
            .await
    }
}
