//! Safety: what a run may do to a target that is not ours, proven before it begins and kept to while it runs.

mod brake;
mod interlock;
mod safeguards;

pub(crate) use brake::Brake;
pub(crate) use interlock::{Claim, Interlock, is_this_machine, proven, within_profile};
pub(crate) use safeguards::Safeguards;
