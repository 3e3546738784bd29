//! The fingerprint of a finding: what it has in common with the same finding of another run.

use sha2::{Digest as _, Sha256};

use super::cause::cause;
use crate::record::{CheckId, Trial};

/// The number of bytes of a fingerprint.
const BYTES: usize = 16;

/// The fingerprint of a trial of a check: a hash of the check and of the cause, without ids, hosts, ports and
/// times.
pub(super) fn fingerprint(check: &CheckId, trial: &Trial) -> String {
    let cause = cause(trial).map(|cause| cause.key);
    let mut hash = Sha256::new();
    hash.update(check.as_str());
    hash.update([0]);
    hash.update(cause.unwrap_or_default());
    let hash: [u8; 32] = hash.finalize().into();
    let digits = hash.iter().take(BYTES).map(|byte| format!("{byte:02x}"));
    digits.collect()
}
