//! Accounts: the tenants of a target, of which a trial takes those that nobody else has.

mod login;
mod pool;
mod quota;
mod seat;
#[cfg(test)]
pub(crate) mod tests;
mod token;
mod token_source;

pub use pool::{AccountError, Accounts};
pub use quota::Quota;
pub use token::TokenClaims;
pub use token_source::TokenSource;
