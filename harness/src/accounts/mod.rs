//! Accounts: the tenants of a target, of which a trial takes those that nobody else has.

mod login;
mod pool;
mod quota;
mod seat;
#[cfg(test)]
pub(crate) mod tests;
mod token;

pub(crate) use pool::Accounts;
pub(crate) use quota::Quota;
pub(crate) use token::Said;
