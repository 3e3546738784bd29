//! The notation of the rules: an id, a severity, the classes of OWASP and CWE, the requirements of ASVS 5.0.0, a
//! statement, a remedy, and what proves it.

/// Defines `RULES`, the rules of one topic.
///
/// ```text
/// rules! {
///     "AUTH-01" Critical [API2] [306] ["8.2.1"] "a request without a token is refused on every route"
///         remedy "Verify the token in one layer in front of all routes."
///         checked ["security::a_bad_token_is_refused_everywhere::none"];
///     "AUTH-19" Medium [API2] [307] ["6.3.1"] "repeated wrong passwords are slowed down"
///         remedy "Switch on the rate limit of the identity provider."
///         not_applicable "the pipeline has no login of its own";
/// }
/// ```
///
/// `isolation;` before the first rule states that all of them keep users apart.
macro_rules! rules {
    (isolation; $($rows:tt)+) => {
        $crate::rules::table::rules! { @rows true; $($rows)+ }
    };
    (@rows $isolation:literal; $($id:literal $severity:ident [$($owasp:ident),+] [$($cwe:literal),+] [$($asvs:literal),*] $statement:literal
        remedy $remedy:literal $state:ident $proof:tt;)+) => {
        pub(super) const RULES: &[::cutover_harness::rule::Rule] = &[
            $(::cutover_harness::rule::Rule {
                id: $id,
                statement: $statement,
                severity: ::cutover_harness::record::Severity::$severity,
                owasp: &[$(stringify!($owasp)),+],
                cwe: &[$($cwe),+],
                asvs: &[$($asvs),*],
                remedy: $remedy,
                isolation: $isolation,
                state: $crate::rules::table::state!($state $proof),
            }),+
        ];
    };
    ($($rows:tt)+) => {
        $crate::rules::table::rules! { @rows false; $($rows)+ }
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
