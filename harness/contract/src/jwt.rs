//! JSON Web Tokens with an HMAC signature, as Supabase signs them.
//!
//! jsonwebtoken has two cryptography providers. One is C code that takes half a minute to
//! build, and the other adds thirty crates for algorithms that are not used here. This
//! provider uses the HMAC of ring, which TLS requires anyway.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};

pub use jsonwebtoken::errors::Error;

use jsonwebtoken::signature::{Error as SignatureError, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ring::hmac;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Signs claims with HS256.
///
/// # Errors
/// If the claims cannot be serialized as JSON.
pub fn sign(claims: &impl Serialize, secret: &[u8]) -> Result<String> {
    install_provider();
    let key = EncodingKey::from_secret(secret);
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key)
}

/// The claims of a token with a valid signature that passes the validation.
///
/// # Errors
/// If the signature or a claim is invalid.
pub fn verify<C>(token: &str, secret: &[u8], validation: &Validation) -> Result<C>
where
    C: DeserializeOwned + Clone,
{
    install_provider();
    let key = DecodingKey::from_secret(secret);
    jsonwebtoken::decode(token, &key, validation).map(|token| token.claims)
}

fn install_provider() {
    static PROVIDER: CryptoProvider = CryptoProvider {
        signer_factory: |algorithm, key| Ok(Box::new(Hmac::new(*algorithm, key.as_bytes())?)),
        verifier_factory: |algorithm, key| {
            Ok(Box::new(Hmac::new(*algorithm, key.try_get_as_bytes()?)?))
        },
        key_utils: KeyUtils::new_unimplemented(),
    };
    // This fails if a provider is already installed, and then that provider is used.
    let _ = PROVIDER.install_default();
}

/// HMAC with SHA-2.
struct Hmac {
    algorithm: Algorithm,
    key: hmac::Key,
}

impl Hmac {
    fn new(algorithm: Algorithm, secret: &[u8]) -> Result<Self> {
        let hashes = [
            (Algorithm::HS256, hmac::HMAC_SHA256),
            (Algorithm::HS384, hmac::HMAC_SHA384),
            (Algorithm::HS512, hmac::HMAC_SHA512),
        ];
        let found = hashes.into_iter().find(|(known, _)| *known == algorithm);
        let (_, hash) = found.ok_or(ErrorKind::InvalidAlgorithm)?;
        Ok(Self {
            algorithm,
            key: hmac::Key::new(hash, secret),
        })
    }
}

impl Signer<Vec<u8>> for Hmac {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, SignatureError> {
        Ok(hmac::sign(&self.key, message).as_ref().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hmac {
    fn verify(
        &self,
        message: &[u8],
        signature: &Vec<u8>,
    ) -> std::result::Result<(), SignatureError> {
        hmac::verify(&self.key, message, signature).map_err(|_| SignatureError::new())
    }
}

impl JwtSigner for Hmac {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl JwtVerifier for Hmac {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::*;

    /// The example of RFC 7515, appendix A.1.
    #[test]
    fn the_example_of_rfc_7515_is_verified() {
        let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
                     eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
                     dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let key = URL_SAFE_NO_PAD.decode(secret).unwrap();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        let claims: Value = verify(token, &key, &validation).unwrap();
        assert_eq!(claims["iss"], "joe");
    }

    #[test]
    fn another_secret_or_another_algorithm_is_rejected() {
        let token = sign(&json!({ "exp": 4_000_000_000_u64 }), b"ours").unwrap();
        let validation = Validation::new(Algorithm::HS256);
        verify::<Value>(&token, b"ours", &validation).unwrap();
        verify::<Value>(&token, b"theirs", &validation).unwrap_err();
        verify::<Value>(&token, b"ours", &Validation::new(Algorithm::HS512)).unwrap_err();
        verify::<Value>(&token, b"ours", &Validation::new(Algorithm::RS256)).unwrap_err();
    }
}
