//! Refuses checks that inject faults into a link that the target does not have.

use cutover_reports::record::{Admission, SkipClass};

use crate::capability::missing_link;
use crate::suite::Case;
use crate::target_file::Target;

/// The refusal of a check whose link the target does not have.
pub(crate) fn refused_by_links(case: &Case, target: &Target) -> Option<Admission> {
    let link = case.row_link.filter(|link| !target.has_link(*link))?;
    Some(Admission::Refused {
        class: SkipClass::PreconditionMissing,
        reason: format!(
            "injects a fault into link '{link}', which target '{}' does not have; {}",
            target.name,
            missing_link(link)
        ),
    })
}
