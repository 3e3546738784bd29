//! How test tenants authenticate.

use cutover_evidence::secret::Secret;
use url::Url;

/// How test tenants authenticate.
#[derive(Clone, Debug)]
pub enum TokenSource {
    /// Tokens are signed here with the secret of the identity provider, for any number of tenants.
    Mint {
        /// The HS256 secret of the tokens.
        secret: Secret,
        /// Their `iss`.
        issuer: String,
        /// Their `aud`.
        audience: String,
    },
    /// The target file contains the tokens.
    Static(Vec<Secret>),
    /// Accounts log in at Supabase Auth.
    PasswordLogin {
        /// The URL of the project.
        supabase: Url,
        /// Its public key.
        anon_key: Secret,
        /// Email address and password of each account.
        accounts: Vec<(String, Secret)>,
    },
}
