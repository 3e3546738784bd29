//! Token claims: no claim but the subject says who the user is, and no claim gives rights over others.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::identity::Tenant;
use cutover_harness::prelude::*;
use serde_json::{Value, json};

use super::client_headers::send;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(no_claim_but_the_subject_names_the_user, CLAIMS)
            .requires([Http, Minting])
            .effect(Effect::WriteTenant)
            .severity(Critical),
    ]
}

/// Claims that users can set, or that another service reads.
pub(super) struct OtherClaims {
    name: &'static str,
    /// The claims, from the id and the address of another user.
    claims: fn(&str, &str) -> Value,
}

impl Named for OtherClaims {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// An object that names the user and gives every right.
fn profile(id: &str, email: &str) -> Value {
    json!({
        "sub": id, "id": id, "user_id": id, "uid": id, "tenant_id": id, "org_id": id, "account_id": id, "owner_id": id,
        "email": email, "preferred_username": email, "role": "service_role", "roles": ["admin", "service_role"],
        "is_admin": true, "admin": true, "is_super_admin": true, "scope": "*", "permissions": ["*"],
    })
}

const CLAIMS: &[OtherClaims] = &[
    OtherClaims {
        name: "in_the_users_own_metadata",
        claims: |id, email| json!({"user_metadata": profile(id, email)}),
    },
    OtherClaims {
        name: "in_the_metadata_of_the_provider",
        claims: |id, email| json!({"app_metadata": profile(id, email)}),
    },
    OtherClaims {
        name: "as_other_names_of_the_user",
        claims: |id, _| json!({"user_id": id, "uid": id, "id": id, "userId": id, "oid": id, "username": id, "tenant_id": id, "tid": id}),
    },
    OtherClaims {
        name: "as_the_address_of_the_user",
        claims: |_, email| json!({"email": email, "email_verified": true, "preferred_username": email, "upn": email}),
    },
    OtherClaims {
        name: "as_rights",
        claims: |_, _| {
            json!({"is_admin": true, "admin": true, "is_super_admin": true, "roles": ["admin", "service_role"],
                "scope": "admin *", "scp": ["*"], "permissions": ["*"], "groups": ["admin"]})
        },
    },
    OtherClaims {
        name: "as_an_actor",
        claims: |id, _| json!({"act": {"sub": id}, "may_act": {"sub": id}, "impersonated_by": id, "on_behalf_of": id}),
    },
];

/// With such claims, a user sees and changes nothing of the user that they name.
async fn no_claim_but_the_subject_names_the_user(cx: &Context, case: &OtherClaims) -> CheckResult {
    let (victim, caller) = (cx.tenant()?, cx.tenant()?);
    let owner = cx.pipeline_as(victim.clone())?;
    let document = cx.document().build();
    let done = owner.complete(&document).await?;
    let stranger = cx.pipeline_as(claiming(cx, &caller, &victim, case)?)?;
    let search = cx.contract().requests.search.body(document.nonce(), 5);
    for endpoint in [
        Endpoint::Jobs,
        Endpoint::Job,
        Endpoint::Document,
        Endpoint::Search,
        Endpoint::Retry,
        Endpoint::DeleteDocument,
    ] {
        if !cx.contract().has(endpoint) {
            continue;
        }
        let id = owner.id_for(endpoint, &done.accepted);
        let request = stranger.request(endpoint, id)?;
        let reply = if endpoint == Endpoint::Search {
            send(&stranger, request.json(&search)).await?
        } else {
            send(&stranger, request).await?
        };
        let text = reply.text();
        let ids = [done.job_id().to_string(), done.document_id().to_string()];
        let shows = reply.is_success() && ids.iter().any(|id| text.contains(id));
        ensure!(
            !shows,
            "{}, with a token of another user whose claims name its owner, shows its data: {}",
            reply.request,
            reply.summary()
        );
    }
    owner.until_complete(&done.accepted).await?;
    Ok(())
}

/// The caller with a token that has these claims, too.
fn claiming(
    cx: &Context,
    caller: &Tenant,
    victim: &Tenant,
    case: &OtherClaims,
) -> CheckResult<Tenant> {
    let mut claims = json!(cx.minter()?.claims(caller.user_id));
    let others = (case.claims)(&victim.user_id.to_string(), &victim.email);
    for (name, value) in others.as_object().into_iter().flatten() {
        claims[name] = value.clone();
    }
    Ok(Tenant {
        token: cx.minter()?.token(&claims)?,
        ..caller.clone()
    })
}
