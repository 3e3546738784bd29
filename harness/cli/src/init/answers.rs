//! What must be known of a pipeline before its target file can be written.

use clap::ValueEnum;
use url::Url;

use cutover_harness::interlock::is_this_machine;
use cutover_harness::target_file::Class;

/// Where the Supabase stand-in of the written file is.
pub(super) const STANDIN: &str = "http://127.0.0.1:4103";

/// A project that nobody has, to be replaced.
pub(super) const PROJECT: &str = "https://project.supabase.co";

/// How tenants come by their tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Way {
    /// They are given to us
    Tokens,
    /// We sign them as the identity provider does
    Mint,
    /// Accounts log in
    Login,
}

/// What is known of a pipeline.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    /// The origin of its API.
    pub(super) api: Url,
    /// The name by which reports speak of it.
    pub(super) name: String,
    /// How much would be hurt by a mistake.
    pub(super) class: Class,
    /// How tenants come by their tokens.
    pub(super) identity: Way,
    /// Whether the database may be read.
    pub(super) database: bool,
    /// Whether the objects may be read.
    pub(super) storage: bool,
    /// Whether our stand-ins are in the place of its providers.
    pub(super) standins: bool,
    /// Its Supabase project; the stand-in where there are such.
    pub(super) supabase: Url,
}

impl Answers {
    /// The hosts that a run would talk to.
    pub(super) fn hosts(&self) -> Vec<&str> {
        let asks_supabase = self.storage || self.identity == Way::Login;
        let supabase = asks_supabase.then_some(&self.supabase);
        let mut hosts: Vec<_> = [Some(&self.api), supabase]
            .into_iter()
            .flatten()
            .filter_map(Url::host_str)
            .collect();
        hosts.dedup();
        hosts
    }
}

/// The class of a pipeline of which nothing is said: what is not on this machine is production.
pub(super) fn class_of(api: &Url) -> Class {
    if api.host_str().is_some_and(is_this_machine) {
        Class::Local
    } else {
        Class::Production
    }
}
