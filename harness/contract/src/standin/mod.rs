//! The stand-ins for the parser, the embedder, storage and identity, as the harness sees them.
//!
//! They run as a process of their own and are programmed over HTTP, so that a
//! check controls them the same way from one process or from many. This module
//! holds what both sides speak; the stand-ins themselves live in the fixtures.

mod call;
mod client;
mod endpoints;
mod evidence;
mod guard;
mod script;
mod status;

pub use call::{CallbackSent, Calls, EmbedderCall, ParserCall, StorageCall};
pub use client::{Scripting, StandinClient, StandinError};
pub use endpoints::{StandinEndpoints, StandinSettings, StandinUser};
pub use guard::ScriptGuard;
pub use script::{
    AuthBehaviour, Callback, CallbackMoment, CallbackStatus, EmbedderBehaviour, ParsedText,
    ParserAnswer, ParserBehaviour, PayloadShape, Script, ScriptId, Signature, StorageBehaviour,
};
pub use status::{SERVICE, StandinStatus, StandinStatusError, check_ports_free};
