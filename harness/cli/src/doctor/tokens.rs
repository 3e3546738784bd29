//! The tokens of the test tenants: their claims and their expiry.

use cutover_contract::accounts::TokenClaims;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::report::Report;
use cutover_harness::sut_clients::SutClients;

/// A token that expires sooner may expire during a run.
const MIN_MINUTES_LEFT: i64 = 10;

/// Reports the claims and the expiry of every token.
pub(super) fn check_tokens(clients: &SutClients, report: &mut Report) {
    for (name, claims) in clients.accounts().said() {
        report.add("token", describe(&name, &claims));
    }
}

fn describe(name: &str, claims: &TokenClaims) -> Result<String, String> {
    let shown: Vec<_> = ["sub", "role", "aud", "iss"]
        .into_iter()
        .filter_map(|claim| Some(format!("{claim} {}", claims.claim(claim)?)))
        .collect();
    let shown = shown.join(", ");
    let Some(expires) = claims.expires else {
        return Ok(format!("{name} has {shown}; it never expires"));
    };
    let minutes = (expires - OffsetDateTime::now_utc()).whole_minutes();
    let at = expires.format(&Rfc3339).unwrap_or_default();
    if minutes < 0 {
        return Err(format!(
            "{name} has {shown}; it expired at {at}, replace it"
        ));
    }
    let advice = if minutes < MIN_MINUTES_LEFT {
        "; it may expire during a run"
    } else {
        ""
    };
    Ok(format!(
        "{name} has {shown}; it expires at {at}, in {minutes} min{advice}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutover_contract::jwt;
    use cutover_evidence::secret::Secret;
    use serde_json::json;

    /// A token that expires after a number of seconds.
    fn token(lifetime: i64) -> Secret {
        let expires = OffsetDateTime::now_utc().unix_timestamp() + lifetime;
        let claims = json!({"sub": uuid::Uuid::from_u128(7), "exp": expires});
        Secret::new(jwt::sign(&claims, b"a secret of this test").unwrap())
    }

    #[test]
    fn a_token_is_described_by_its_claims_and_its_expiry() {
        let result =
            |lifetime: i64| describe("token 1", &TokenClaims::by(&token(lifetime)).unwrap());
        let description = result(7200).unwrap();
        assert!(
            description.starts_with("token 1 has sub 00000000"),
            "{description}"
        );
        assert!(description.contains("in 119 min"), "{description}");
        assert!(result(90).unwrap().contains("may expire during a run"));
        assert!(result(-90).unwrap_err().contains("it expired at 2"));
    }
}
