//! The control protocol of the stand-ins for the parser, the embedder, storage and identity.
//!
//! The stand-ins run as a separate process and are programmed over HTTP, so that checks
//! in one or many processes control them in the same way. This module contains the types
//! of both sides and the client; the stand-ins themselves are in the fixtures.

mod call;
mod client;
mod endpoints;
mod evidence;
mod form;
mod guard;
mod holding;
mod refusal;
mod script;
mod status;
mod transport;

pub use call::{CallbackSent, Calls, EmbedderCall, ParserCall, StorageCall};
pub use client::{Scripting, StandinClient};
pub use endpoints::{StandinEndpoints, StandinSettings, StandinUser};
pub use form::{CallbackForm, Framing, HeaderCase, JsonLayout, ResponseForm, RetryAfter};
pub use guard::ScriptGuard;
pub use holding::Holding;
pub use refusal::{Refusal, Refusals};
pub use script::{
    AuthBehaviour, Callback, CallbackMoment, CallbackStatus, EmbedderBehaviour, ParsedText,
    ParserAnswer, ParserBehaviour, PayloadShape, Script, ScriptId, Signature, StorageBehaviour,
};
pub use status::{SERVICE, StandinStatus, StandinStatusError, check_ports_free};
pub use transport::StandinError;
