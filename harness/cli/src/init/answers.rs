//! What a target file needs to say about a pipeline.

use clap::ValueEnum;
use url::Url;

use cutover_harness::environment::is_this_machine;
use cutover_harness::target_file::Class;

/// The address of the Supabase stand-in in the written file.
pub(super) const STANDIN: &str = "http://127.0.0.1:4103";

/// A placeholder for a Supabase project.
pub(super) const PROJECT: &str = "https://project.supabase.co";

/// How test tenants authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum IdentityMethod {
    /// With existing tokens of accounts
    Tokens,
    /// With tokens that cutover signs as the identity provider does
    Mint,
    /// With the e-mail address and password of accounts
    Login,
}

/// The answers about a pipeline.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    /// The origin of the API.
    pub(super) api: Url,
    /// The name of the target in reports.
    pub(super) name: String,
    /// The environment class.
    pub(super) class: Class,
    /// How test tenants authenticate.
    pub(super) identity: IdentityMethod,
    /// Whether cutover may read the database.
    pub(super) database: bool,
    /// Whether cutover may read the stored objects.
    pub(super) storage: bool,
    /// Whether cutover's stand-ins replace the pipeline's providers.
    pub(super) standins: bool,
    /// The Supabase project, or its stand-in.
    pub(super) supabase: Url,
}

impl Answers {
    /// The hosts that a run would connect to.
    pub(super) fn hosts(&self) -> Vec<&str> {
        let needs_supabase = self.storage || self.identity == IdentityMethod::Login;
        let supabase = needs_supabase.then_some(&self.supabase);
        let mut hosts: Vec<_> = [Some(&self.api), supabase]
            .into_iter()
            .flatten()
            .filter_map(Url::host_str)
            .collect();
        hosts.dedup();
        hosts
    }
}

/// The default class of a pipeline: production, unless it runs on this machine.
pub(super) fn default_class(api: &Url) -> Class {
    if api.host_str().is_some_and(is_this_machine) {
        Class::Local
    } else {
        Class::Production
    }
}
