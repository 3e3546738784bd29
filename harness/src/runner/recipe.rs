//! What stack a target asks for: the contract it is held to becomes the pipeline's configuration.

use std::path::PathBuf;

use crate::catalog::{DefectLocation, SeededDefect};
use crate::contract::Contract;
use crate::stack::{PipelineSettings, StackSpec};
use crate::target::Target;

/// The heartbeats of a worker within its lease: one may be lost.
const HEARTBEATS_PER_LEASE: u32 = 3;

/// The stack that a target asks for, with the seeded defect where it is seeded.
///
/// `program` is the binary that carries the pipeline and the stand-ins.
pub(crate) fn stack_spec(
    program: PathBuf,
    target: &Target,
    contract: &Contract,
    defect: Option<&SeededDefect>,
) -> StackSpec {
    let mut spec = StackSpec::new(program);
    spec.kind = target.stack.ground();
    spec.images = target.stack.images.clone();
    spec.workers = target.stack.workers;
    spec.settings = pipeline_settings(contract);
    spec.buckets = contract.buckets().into_iter().collect();
    let variables = &target.stack.environment;
    let given = variables
        .iter()
        .map(|(name, value)| (name.clone(), Some(value.clone())));
    spec.environment_overrides.extend(given);
    match defect.map(|defect| (defect.id, defect.location)) {
        None => {}
        Some((id, DefectLocation::Pipeline)) => spec.pipeline_defect = Some(id.to_owned()),
        Some((id, DefectLocation::Standins)) => spec.standin_defect = Some(id.to_owned()),
        Some((_, DefectLocation::Environment(variables))) => {
            let changed = variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.map(ToOwned::to_owned)));
            spec.environment_overrides.extend(changed);
        }
    }
    spec
}

/// The pipeline is configured with what it will be judged by.
fn pipeline_settings(contract: &Contract) -> PipelineSettings {
    let (limits, timing) = (&contract.limits, &contract.timing);
    PipelineSettings {
        api_prefix: contract.prefix.clone(),
        webhook_prefix: contract.webhook_prefix.clone(),
        callback: contract.callback.clone(),
        max_upload_bytes: limits.max_bytes,
        hard_max_upload_bytes: limits.hard_max_bytes,
        max_concurrent_jobs: limits.concurrent_jobs as usize,
        max_daily_uploads: limits.daily_uploads as usize,
        upload_url_ttl: limits.url_ttl,
        poll_interval: timing.poll_interval,
        retry_base: timing.retry_base,
        retry_cap: timing.retry_cap,
        max_retries: timing.max_retries as usize,
        lease: timing.lease,
        heartbeat: timing.lease / HEARTBEATS_PER_LEASE,
        parse_deadline: timing.parse_deadline,
        parse_deadline_cap: timing.parse_deadline_cap,
        provider_timeout: timing.provider_timeout,
        storage_timeout: timing.provider_timeout,
        shutdown_grace: timing.shutdown_grace,
        embed_model: contract.embedder.model.clone(),
        embed_dimensions: contract.embedder.dimensions,
        embed_batch: contract.embedder.max_batch,
        ..PipelineSettings::default()
    }
}
