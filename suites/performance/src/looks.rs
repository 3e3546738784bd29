//! Looks: what a measurement finds counts only if a second one finds it, too.

use cutover_harness::prelude::*;

/// Measures once, and again if something is wrong; what is wrong twice is a finding. A busy machine
/// can make anything slow once.
pub(crate) async fn two_looks(
    mut look: impl AsyncFnMut() -> CheckResult<Option<String>>,
) -> CheckResult {
    if look().await?.is_none() {
        return Ok(());
    }
    match look().await? {
        None => Ok(()),
        Some(wrong) => Err(Stop::violated(Finding::new(wrong))),
    }
}
