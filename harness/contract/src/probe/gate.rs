//! The interface through which a run limits its requests to a shared target.

use std::fmt::Debug;

use futures::future::BoxFuture;
use uuid::Uuid;

/// Admits requests, counts their effects, and may stop the run.
pub trait RequestGate: Debug + Send + Sync {
    /// Waits until a request with a body of this many bytes may be sent.
    fn admit(&self, bytes: usize) -> BoxFuture<'_, ()>;

    /// A request received a response with this status, or no response.
    fn answered(&self, status: Option<u16>);

    /// A document is about to be uploaded.
    fn document(&self);

    /// A job reports its provider costs so far, in cents.
    fn spent(&self, job: Uuid, cents: f64);
}
