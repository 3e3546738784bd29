//! The faults of a link: one file each, all of the same shape.

mod bandwidth;
mod behaviour;
mod blackhole;
mod close_after_bytes;
mod first_requests;
mod flap;
mod half_open;
mod latency;
mod lost_reply;
mod refuse;
mod reset;
mod reset_after_bytes;
mod slicer;
mod slow_close;

pub use bandwidth::Bandwidth;
pub(crate) use behaviour::{Admission, Behaviour, CutAt, EffectContext, FaultEffect};
pub use behaviour::{Direction, FaultError};
pub use blackhole::Blackhole;
pub use close_after_bytes::CloseAfterBytes;
pub use first_requests::FirstRequests;
pub use flap::Flap;
pub use half_open::HalfOpen;
pub use latency::Latency;
pub use lost_reply::LostReply;
pub use refuse::Refuse;
pub use reset::Reset;
pub use reset_after_bytes::ResetAfterBytes;
pub use slicer::Slicer;
pub use slow_close::SlowClose;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Makes one enum of the faults, which forwards to their behaviour.
macro_rules! faults {
    ($($name:ident),* $(,)?) => {
        /// A fault of a link; `fault` is its name in a file.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "fault", rename_all = "snake_case")]
        pub enum Fault {
            $(#[doc = concat!("[`", stringify!($name), "`]")] $name($name),)*
        }

        impl Fault {
            pub(crate) fn behaviour(&self) -> &dyn Behaviour {
                match self { $(Self::$name(fault) => fault,)* }
            }
        }

        $(impl From<$name> for Fault {
            fn from(fault: $name) -> Self { Self::$name(fault) }
        })*
    };
}

faults![
    Refuse,
    Blackhole,
    Reset,
    ResetAfterBytes,
    CloseAfterBytes,
    Latency,
    Bandwidth,
    Slicer,
    SlowClose,
    HalfOpen,
    Flap,
    LostReply,
    FirstRequests,
];

impl Fault {
    /// The name of the fault, as in a file.
    pub fn name(&self) -> &'static str {
        self.behaviour().name()
    }

    /// Whether all values are within their ranges.
    pub fn check(&self) -> Result<(), FaultError> {
        self.behaviour().check()
    }
}
