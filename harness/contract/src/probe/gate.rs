//! What every request to a target passes: the limits of a run, where others use the target too.

use std::fmt::Debug;

use futures::future::BoxFuture;
use uuid::Uuid;

/// Admits requests, counts what they do, and may end the run.
pub trait RequestGate: Debug + Send + Sync {
    /// Waits until a request with a body of this many bytes may be sent.
    fn admit(&self, bytes: usize) -> BoxFuture<'_, ()>;

    /// A request was answered with this status, or not at all.
    fn answered(&self, status: Option<u16>);

    /// A document is about to be uploaded.
    fn document(&self);

    /// A job reports its costs at the providers so far, in cents.
    fn spent(&self, job: Uuid, cents: f64);
}
