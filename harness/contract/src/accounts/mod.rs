//! The test tenants of a target: token sources, a pool of accounts, and their upload quota.

mod account;
mod error;
mod login;
mod pool;
mod quota;
#[cfg(test)]
pub(crate) mod tests;
mod token;
mod token_source;

pub use error::AccountError;
pub use pool::Accounts;
pub use quota::Quota;
pub use token::TokenClaims;
pub use token_source::TokenSource;
