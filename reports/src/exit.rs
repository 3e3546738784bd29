//! The exit codes of the binary. Non-zero always means: do not promote.

/// GO; also CONDITIONAL, unless asked to be strict.
pub const GO: u8 = 0;
/// NO-GO: the system under test is wrong.
pub const NO_GO: u8 = 1;
/// A mistake in how cutover was called or configured; nothing ran.
pub const USAGE: u8 = 2;
/// INCONCLUSIVE: we could not tell.
pub const INCONCLUSIVE: u8 = 3;
/// CONDITIONAL, when asked to be strict.
pub const CONDITIONAL: u8 = 4;
/// Refused by a safety interlock; nothing ran.
pub const REFUSED: u8 = 5;
/// cutover itself broke.
pub const BROKEN: u8 = 70;

/// The codes as a person reads them.
pub const TABLE: &str = "\
Exit codes (non-zero always means: do not promote):
   0  GO, or CONDITIONAL without --strict
   1  NO-GO
   2  usage or configuration error, nothing ran
   3  INCONCLUSIVE
   4  CONDITIONAL with --strict
   5  refused by a safety interlock, nothing ran
  70  cutover itself broke";
