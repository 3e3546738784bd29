//! Refuses checks that inject faults into a link that the target does not have.

use cutover_fault::LinkName;
use cutover_reports::record::{Admission, SkipClass};

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

/// What to add to a target file for a link.
pub(crate) fn missing_link(link: LinkName) -> String {
    let every = link.of_every_part();
    let every = every.map_or_else(String::new, |every| format!(" or [links.{every}]"));
    format!("add [links.{link}]{every} to the target file")
}
