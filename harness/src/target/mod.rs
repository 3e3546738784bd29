//! A target: where the system under test is, and what we may do to it.

mod attached;
mod file;
mod load;
mod secret_source;

pub use attached::{
    AccountSettings, ApiSettings, CallbackSettings, DatabaseSettings, IdentitySettings,
    LoginSettings, MintSettings, StandinAddresses, StorageSettings,
};
pub use file::{Class, SafetySettings, StackKind, StackSettings, Target};
pub use load::TargetError;
pub use secret_source::{Refused, SecretError, SecretSource};
