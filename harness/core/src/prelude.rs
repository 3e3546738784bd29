//! What a suite's file needs: `use cutover_harness::prelude::*`.

pub use cutover_reports::record::Effect;
pub use cutover_reports::record::Finding;
pub use cutover_reports::record::Severity::{self, Critical, High, Low, Medium};
pub use uuid::Uuid;

pub use crate::capability::Capability::{self, *};
pub use crate::check::{Check, Resource, secs};
pub use crate::context::Context;
pub use crate::control_action::ControlAction;
pub use crate::suite::Suite;
pub use crate::{check, ensure, ensure_eq};
pub use cutover_contract::contract::{Endpoint, Pipeline};
pub use cutover_contract::probe::Poll;
pub use cutover_evidence::stop::{CheckResult, Stop};
