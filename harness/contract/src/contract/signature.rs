//! The HMAC-SHA256 signature of a callback, computed independently of the pipeline.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use cutover_evidence::secret::Secret;

/// Signs a callback's body with the job's secret.
pub(super) fn sign(secret: &Secret, body: &[u8]) -> String {
    // HMAC accepts keys of any length, so the fallback is unreachable.
    Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).map_or_else(
        |_| String::new(),
        |mut mac| {
            mac.update(body);
            hex::encode(mac.finalize().into_bytes())
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_matches_the_example_of_rfc_4231() {
        let signature = sign(&Secret::new("Jefe"), b"what do ya want for nothing?");
        assert_eq!(
            signature,
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
