//! How test tenants authenticate.

use cutover_evidence::secret::Secret;
use url::Url;

/// How test tenants authenticate.
#[derive(Clone, Debug)]
pub enum TokenSource {
    /// Tokens are signed here, as the identity provider signs them: any number of tenants.
    Mint {
        /// The HS256 secret of the tokens.
        secret: Secret,
        /// Their `iss`.
        issuer: String,
        /// Their `aud`.
        audience: String,
    },
    /// The target file gives the tokens.
    Static(Vec<Secret>),
    /// Accounts log in at Supabase Auth.
    PasswordLogin {
        /// The project.
        supabase: Url,
        /// Its public key.
        anon_key: Secret,
        /// Address and password of each account.
        accounts: Vec<(String, Secret)>,
    },
}
