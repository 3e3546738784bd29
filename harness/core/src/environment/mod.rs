//! The environment of a target: its class, how a target says which it is, and which hosts are this machine.

mod class;
mod host;
mod identification_settings;

pub use class::Class;
pub use host::is_this_machine;
pub use identification_settings::{
    CommandIdentity, EnvironmentWords, FileIdentity, HeaderIdentity, IdentificationSettings,
    ImageIdentity, RouteIdentity,
};
