//! Jobs: status, history, requests by id, and the queue.

pub(crate) mod job_history;
pub(crate) mod job_routes;
pub(crate) mod job_status;
pub(crate) mod queue;
pub(crate) mod standing;
pub(crate) mod timestamps;
