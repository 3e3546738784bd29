//! Why a target's accounts cannot be used.

use uuid::Uuid;

use super::login::LoginError;
use crate::identity::TokenError;

/// Why an account cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// A token could not be signed.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A token does not name a user.
    #[error("read token {number} of [identity]: not a JWT with a user id as `sub`")]
    NoUser {
        /// The position of the token in the list, from 1.
        number: usize,
    },
    /// An account cannot log in.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// Two accounts belong to the same user.
    #[error(
        "{one} and {other} of [identity] belong to the same user, {user_id}: use different users"
    )]
    Duplicate {
        /// The first account.
        one: String,
        /// The second account.
        other: String,
        /// The user of both.
        user_id: Uuid,
    },
    /// All unused tokens have expired.
    #[error(
        "{name} of [identity] expires at {at}, before a check could finish: add a new token, or configure \
         [identity.login]"
    )]
    Expired {
        /// The account or token.
        name: String,
        /// Its expiry time.
        at: String,
    },
    /// More tenants are needed at the same time than accounts exist.
    #[error(
        "all {count} accounts of the target are in use; add accounts under [identity], or a secret that signs tokens"
    )]
    Exhausted {
        /// The number of accounts.
        count: usize,
    },
}
