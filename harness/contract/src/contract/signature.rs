//! The signature of a callback, computed here and not asked of the pipeline.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::contract::Contract;
use cutover_evidence::secret::Secret;

impl Contract {
    /// The signature that proves that a callback's body comes from who knows the secret.
    pub fn signature(secret: &Secret, body: &[u8]) -> String {
        // HMAC takes keys of any length, so the fallback is never taken.
        Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).map_or_else(
            |_| String::new(),
            |mut mac| {
                mac.update(body);
                hex::encode(mac.finalize().into_bytes())
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_rfc_4231() {
        let signature = Contract::signature(&Secret::new("Jefe"), b"what do ya want for nothing?");
        assert_eq!(
            signature,
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
