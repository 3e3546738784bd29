//! The status codes of the answers, where pipelines may choose.

use std::fmt;

use cutover_reports::record::Finding;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::probe::Response;
use cutover_evidence::stop::{CheckResult, Stop};

/// A status code, or several that are all correct.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum StatusCodes {
    /// The only correct code.
    One(u16),
    /// Any of these is correct.
    Several(Vec<u16>),
}

impl StatusCodes {
    /// All correct codes.
    pub fn all(&self) -> &[u16] {
        match self {
            Self::One(code) => std::slice::from_ref(code),
            Self::Several(codes) => codes,
        }
    }

    /// Whether the code is correct.
    pub fn include(&self, status: u16) -> bool {
        self.all().contains(&status)
    }
}

impl fmt::Display for StatusCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<_> = self.all().iter().map(ToString::to_string).collect();
        f.write_str(&texts.join(" or "))
    }
}

/// What a check expects of the status of a response.
pub trait ExpectedStatus {
    /// Whether the status is as expected.
    fn fits(&self, status: u16) -> bool;
    /// The expectation, for findings.
    fn describe(&self) -> String;
}

impl ExpectedStatus for u16 {
    fn fits(&self, status: u16) -> bool {
        *self == status
    }

    fn describe(&self) -> String {
        self.to_string()
    }
}

impl ExpectedStatus for &StatusCodes {
    fn fits(&self, status: u16) -> bool {
        self.include(status)
    }

    fn describe(&self) -> String {
        self.to_string()
    }
}

impl Response {
    /// The response itself; a finding if its status differs.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a number is written without a reference"
    )]
    pub fn expect_status(self, status: impl ExpectedStatus) -> CheckResult<Self> {
        if status.fits(self.status) {
            return Ok(self);
        }
        let summary = format!("{} has the wrong response status", self.request);
        Err(Stop::violated(
            Finding::new(summary).comparing(status.describe(), self.summary()),
        ))
    }
}

/// What a target does with a page of a list that is larger than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PageLimit {
    /// It refuses the request with `page_too_large`.
    Refused,
    /// It returns a page of the largest size.
    Capped,
}

/// Declares the struct of the codes with a list of its keys.
macro_rules! statuses {
    ($($(#[doc = $doc:literal])+ $field:ident,)+) => {
        /// The status codes of the answers.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct Statuses {
            $($(#[doc = $doc])+ pub $field: StatusCodes,)+
            /// What happens to a page that is larger than `limits.page_max`.
            pub page_limit: PageLimit,
        }

        impl Statuses {
            fn table(&self) -> Vec<(&'static str, &StatusCodes)> {
                vec![$((stringify!($field), &self.$field)),+]
            }
        }
    };
}

statuses! {
    /// A registration is accepted.
    accepted,
    /// A retry is accepted.
    retried,
    /// A callback is accepted.
    callback_accepted,
    /// A search has results, or none.
    searched,
    /// A request body or a query is not valid.
    invalid,
    /// An id is not a UUID.
    malformed_id,
    /// A job or a document does not exist.
    unknown,
    /// A job or a document of another user. The same codes as `unknown`, unless the target
    /// discloses that it exists.
    foreign,
    /// A deletion of a document that is gone: a success, or the status of an unknown one.
    deleted_again,
    /// The document exists already.
    duplicate,
    /// The job cannot be retried.
    not_retryable,
    /// The document is too large.
    too_large,
    /// A user has too many jobs or uploads.
    too_many,
    /// No valid token.
    unauthenticated,
    /// A route exists with other methods only. A 405 has `Allow`.
    wrong_method,
    /// A page is larger than `limits.page_max`.
    page_too_large,
    /// A callback is not authentic.
    callback_unauthenticated,
    /// A callback is authentic, and its body is not valid.
    callback_malformed,
    /// A callback is about a job that does not exist.
    callback_unknown_job,
}

impl Statuses {
    /// A code that cannot have its meaning, with its key and the remedy.
    pub(super) fn contradiction(&self) -> Option<(String, String)> {
        self.table().into_iter().find_map(|(key, codes)| {
            let is_success =
                ["accepted", "retried", "callback_accepted", "searched"].contains(&key);
            let allowed = match key {
                "deleted_again" => 200..500,
                _ if is_success => 200..300,
                _ => 400..500,
            };
            let fits = |code: &u16| allowed.contains(code);
            if !codes.all().is_empty() && codes.all().iter().all(fits) {
                return None;
            }
            let detail = format!(
                "'{codes}' is not from {} to {}; write a number or a list of numbers",
                allowed.start,
                allowed.end - 1
            );
            Some((format!("statuses.{key}"), detail))
        })
    }

    /// Whether a foreign id looks exactly like an unknown one.
    pub fn hides_foreign_ids(&self) -> bool {
        self.foreign == self.unknown
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract::Contract;

    const DEFAULT: &str = include_str!("../../../../fixtures/contracts/upload_pipeline.toml");

    #[test]
    fn a_status_is_a_number_or_a_list_and_fits_its_meaning() {
        let with = |overrides: &str| {
            let overrides = overrides.parse().unwrap();
            Contract::parse_with_overrides(DEFAULT, &overrides, "x.toml")
        };
        let contract =
            with("[statuses]\nmalformed_id = [404, 422]\ndeleted_again = [204, 404]").unwrap();
        assert!(contract.statuses.malformed_id.include(404));
        assert_eq!(contract.statuses.malformed_id.to_string(), "404 or 422");
        for wrong in [
            "unauthenticated = 200",
            "accepted = 404",
            "unknown = []",
            "searched = 404",
            "deleted_again = 500",
        ] {
            let refused = with(&format!("[statuses]\n{wrong}"))
                .unwrap_err()
                .to_string();
            assert!(refused.contains("x.toml': key 'statuses."), "{refused}");
        }
    }
}
