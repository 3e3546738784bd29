//! The target file: where the system under test is, how to authenticate there, and what a run may do to it.

mod attached;
mod documents;
mod file;
mod links;
mod load;
mod logs;
mod secret_source;
mod standins;

pub use crate::environment::{
    Class, CommandIdentity, EnvironmentWords, FileIdentity, HeaderIdentity, IdentificationSettings,
    ImageIdentity, RouteIdentity,
};
pub use crate::resources::{PidFileError, ResourceSettings, ResourceSource};
pub use attached::Attachment;
pub use attached::{
    AccountSettings, ApiSettings, CallbackSettings, DatabaseSettings, IdentitySettings,
    LoginSettings, MintSettings, StorageSettings,
};
pub use documents::DocumentSettings;
pub use file::{StackSettings, Target};
pub use load::TargetError;
pub use logs::{LogSettings, LogSourceSettings};
pub use secret_source::{InvalidSecretSource, SecretError, SecretSource};
pub use standins::{StandinAddresses, StandinConfig, StandinKeySources, StandinKeys};
