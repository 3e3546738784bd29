//! The notation of the rules: an id, a severity, the classes of OWASP and CWE, a statement, and what proves it.

/// Defines `RULES`, the rules of one topic.
///
/// ```text
/// rules! {
///     "AUTH-01" Critical [API2] [306] "a request without a token is refused on every route"
///         checked ["security::a_bad_token_is_refused_everywhere::none"];
///     "AUTH-19" Medium [API2] [307] "repeated wrong passwords are slowed down"
///         not_applicable "the pipeline has no login of its own";
/// }
/// ```
macro_rules! rules {
    ($($id:literal $severity:ident [$($owasp:ident),+] [$($cwe:literal),+] $statement:literal $state:ident $proof:tt;)+) => {
        pub(super) const RULES: &[::cutover_harness::rule::Rule] = &[
            $(::cutover_harness::rule::Rule {
                id: $id,
                statement: $statement,
                severity: ::cutover_harness::record::Severity::$severity,
                owasp: &[$(stringify!($owasp)),+],
                cwe: &[$($cwe),+],
                state: $crate::rules::table::state!($state $proof),
            }),+
        ];
    };
}

/// What proves a rule.
macro_rules! state {
    (checked [$($check:literal),+ $(,)?]) => {
        ::cutover_harness::rule::RuleState::Checked(&[$($check),+])
    };
    (not_applicable $reason:literal) => {
        ::cutover_harness::rule::RuleState::NotApplicable($reason)
    };
    (open $missing:literal) => {
        ::cutover_harness::rule::RuleState::Open($missing)
    };
}

pub(super) use {rules, state};
