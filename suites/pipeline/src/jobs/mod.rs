//! Jobs: status, history, requests by id, and the queue.

pub(crate) mod fairness;
pub(crate) mod histories;
pub(crate) mod job_history;
pub(crate) mod job_routes;
pub(crate) mod job_status;
pub(crate) mod queue;
pub(crate) mod retry_combinations;
pub(crate) mod simultaneous_requests;
pub(crate) mod standing;
pub(crate) mod timestamps;
pub(crate) mod waiting_costs;
pub(crate) mod written_times;
