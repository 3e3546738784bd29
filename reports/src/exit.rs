//! The exit codes of the binary. Any code but 0 means: do not promote.

/// GO, or CONDITIONAL without `--strict`.
pub const GO: u8 = 0;
/// NO-GO: the system under test is wrong.
pub const NO_GO: u8 = 1;
/// A usage or configuration error; nothing ran.
pub const USAGE: u8 = 2;
/// INCONCLUSIVE: the evidence does not suffice for a decision.
pub const INCONCLUSIVE: u8 = 3;
/// CONDITIONAL with `--strict`.
pub const CONDITIONAL: u8 = 4;
/// Refused by a safety interlock; nothing ran.
pub const REFUSED: u8 = 5;
/// An internal error of cutover.
pub const INTERNAL_ERROR: u8 = 70;

/// The table of exit codes for `--help`.
pub const TABLE: &str = "\
Exit codes (any code but 0 means: do not promote):
   0  GO, or CONDITIONAL without --strict
   1  NO-GO
   2  usage or configuration error, nothing ran
   3  INCONCLUSIVE
   4  CONDITIONAL with --strict
   5  refused by a safety interlock, nothing ran
  70  internal error of cutover";
