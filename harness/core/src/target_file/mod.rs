//! The target file: where the system under test is, how to authenticate there, and what a run may do to it.

mod attached;
mod file;
mod identification;
mod links;
mod load;
mod secret_source;
mod standins;

pub use attached::Attachment;
pub use attached::{
    AccountSettings, ApiSettings, CallbackSettings, DatabaseSettings, IdentitySettings,
    LoginSettings, MintSettings, StorageSettings,
};
pub use file::{Class, StackSettings, Target};
pub use identification::{
    CommandIdentity, EnvironmentWords, FileIdentity, HeaderIdentity, IdentificationSettings,
    ImageIdentity, RouteIdentity,
};
pub use load::TargetError;
pub use secret_source::{InvalidSecretSource, SecretError, SecretSource};
pub use standins::{StandinAddresses, StandinConfig, StandinKeySources, StandinKeys};
