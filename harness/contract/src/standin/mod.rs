//! The stand-ins for the parser, the embedder, storage and identity, as the harness sees them.
//!
//! They run as a process of their own and are programmed over HTTP, so that a
//! check controls them the same way from one process or from many. This module
//! holds what both sides speak; the stand-ins themselves live in the fixtures.

mod call;
mod card;
mod client;
mod evidence;
mod guard;
mod presence;
mod script;

pub use call::{CallbackSent, Calls, EmbedderCall, ParserCall, StorageCall};
pub use card::{StandinEndpoints, StandinSettings, StandinUser};
pub use client::{Scripting, StandinClient, StandinError};
pub use guard::ScriptGuard;
pub use presence::{SERVICE, StandinStatus, StandinStatusError, check_ports_free};
pub use script::{
    AuthBehaviour, Callback, CallbackMoment, CallbackStatus, EmbedderBehaviour, ParsedText,
    ParserAnswer, ParserBehaviour, PayloadShape, Script, ScriptId, Signature, StorageBehaviour,
};
