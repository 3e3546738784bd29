//! Accounts of a pool are shared fairly, renewed in time, and rejected if their tokens are unusable.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;
use wiremock::matchers::{body_partial_json, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::Accounts;
use super::token_source::TokenSource;
use crate::probe::client;
use crate::probe::tests::wire::RawServer;
use cutover_evidence::secret::Secret;

/// A token of a user that expires in this many seconds.
pub(crate) fn token(user: u128, expires_in: i64) -> Secret {
    let claims = json!({
        "sub": Uuid::from_u128(user),
        "exp": OffsetDateTime::now_utc().unix_timestamp() + expires_in,
        // Two tokens of one user differ.
        "jti": Uuid::new_v4(),
    });
    Secret::new(format!(
        "e30.{}.x",
        URL_SAFE_NO_PAD.encode(claims.to_string())
    ))
}

async fn open(source: TokenSource) -> Result<Accounts, String> {
    let http = client().unwrap();
    let accounts = Accounts::open(&source, &http, &Arc::default(), 3).await;
    accounts.map_err(|error| error.to_string())
}

async fn pool(tokens: Vec<Secret>) -> Result<Accounts, String> {
    open(TokenSource::Static(tokens)).await
}

fn acquire(accounts: &Accounts) -> Result<crate::identity::Tenant, String> {
    let acquired = accounts.acquire(Uuid::nil());
    acquired.map_err(|error| error.to_string())
}

#[tokio::test]
async fn an_account_is_used_by_one_trial_at_a_time() {
    let accounts = pool(vec![token(7, 3600)]).await.unwrap();
    let tenant = acquire(&accounts).unwrap();
    assert_eq!(tenant.user_id, Uuid::from_u128(7));
    let refused = acquire(&accounts).unwrap_err();
    assert!(
        refused.contains("all 1 accounts of the target are in use"),
        "{refused}"
    );
    assert!(accounts.tenant(tenant.user_id).is_some());
    accounts.release([tenant]);
    assert!(acquire(&accounts).is_ok());
}

#[tokio::test]
async fn the_account_with_the_fewest_uploads_is_acquired() {
    let accounts = pool(vec![token(1, 3600), token(2, 3600)]).await.unwrap();
    let quota = accounts.quota().unwrap();
    for (uploads, expected) in [(2, 1), (1, 2), (1, 2), (1, 1)] {
        let tenant = acquire(&accounts).unwrap();
        assert_eq!(tenant.user_id, Uuid::from_u128(expected));
        for _ in 0..uploads {
            quota.begin(tenant.user_id).unwrap();
        }
        accounts.release([tenant]);
    }
    // The first account has used its daily quota, the second has one upload left.
    assert!(quota.begin(Uuid::from_u128(1)).is_err());
    assert!(quota.begin(Uuid::from_u128(2)).is_ok());
}

#[tokio::test]
async fn an_error_names_the_number_of_an_unusable_token() {
    let without_user = Secret::new(format!(
        "e30.{}.x",
        URL_SAFE_NO_PAD.encode("{\"sub\":\"7\"}")
    ));
    let error = pool(vec![without_user]).await.unwrap_err();
    assert!(error.contains("token 1"), "{error}");
    let error = pool(vec![token(7, 3600), token(8, 3600), token(7, 3600)])
        .await
        .unwrap_err();
    assert!(error.contains("token 1 and token 3"), "{error}");
    let accounts = pool(vec![token(7, -5), token(8, 3600)]).await.unwrap();
    let usable = acquire(&accounts).unwrap();
    assert_eq!(usable.user_id, Uuid::from_u128(8));
    let error = acquire(&accounts).unwrap_err();
    assert!(
        error.contains("token 1 of [identity] expires at 2"),
        "{error}"
    );
}

/// An identity provider whose first token per account has this lifetime; later tokens last an hour.
async fn provider(first_lifetime: i64) -> (MockServer, TokenSource) {
    let server = MockServer::start().await;
    let accounts = [(1, "a@example.org"), (2, "b@example.org")];
    for (user, email) in accounts {
        for (lifetime, times) in [(first_lifetime, 1), (3600, 9)] {
            let answer = json!({"access_token": token(user, lifetime).expose()});
            Mock::given(path("/auth/v1/token"))
                .and(query_param("grant_type", "password"))
                .and(body_partial_json(
                    json!({"email": email, "password": "right"}),
                ))
                .respond_with(ResponseTemplate::new(200).set_body_json(answer))
                .up_to_n_times(times)
                .mount(&server)
                .await;
        }
    }
    let source = TokenSource::PasswordLogin {
        supabase: server.uri().parse().unwrap(),
        anon_key: Secret::new("anon"),
        accounts: accounts
            .map(|(_, email)| (email.to_owned(), Secret::new("right")))
            .to_vec(),
    };
    (server, source)
}

async fn logins(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

#[tokio::test]
async fn accounts_log_in_again_before_their_tokens_expire() {
    let (server, source) = provider(-1).await;
    let accounts = open(source).await.unwrap();
    assert_eq!(logins(&server).await, 2);
    let old = accounts.tenant(Uuid::from_u128(1)).unwrap().token;
    accounts.renew().await.unwrap();
    assert_eq!(logins(&server).await, 4);
    let new = accounts.tenant(Uuid::from_u128(1)).unwrap().token;
    assert_ne!(old.expose(), new.expose());
    assert!(acquire(&accounts).is_ok());
    accounts.renew().await.unwrap();
    assert_eq!(logins(&server).await, 4, "a new token is not renewed");
}

#[tokio::test]
async fn a_login_error_names_the_account_and_quotes_the_message() {
    let (server, source) = provider(3600).await;
    let refusal = json!({"error_code": "invalid_credentials", "msg": "Invalid login credentials"});
    Mock::given(body_partial_json(json!({"password": "wrong"})))
        .respond_with(ResponseTemplate::new(400).set_body_json(refusal))
        .mount(&server)
        .await;
    let TokenSource::PasswordLogin {
        supabase,
        anon_key,
        mut accounts,
    } = source
    else {
        panic!("expected a password login")
    };
    accounts[1].1 = Secret::new("wrong");
    let error = open(TokenSource::PasswordLogin {
        supabase,
        anon_key,
        accounts,
    })
    .await
    .unwrap_err();
    assert!(
        error.contains("'b@example.org'") && error.contains("(Invalid login credentials)"),
        "{error}"
    );
    assert!(!error.contains("wrong"), "{error}");
}

/// The login error at this server.
async fn login_error_at(wire: RawServer) -> String {
    let account = ("a@example.org".to_owned(), Secret::new("hunter2"));
    let source = TokenSource::PasswordLogin {
        supabase: wire.url,
        anon_key: Secret::new("anon"),
        accounts: vec![account.clone(), account],
    };
    let error = open(source).await.unwrap_err();
    assert!(!error.contains("hunter2"), "{error}");
    assert!(
        error.starts_with("log in as 'a@example.org' at "),
        "{error}"
    );
    error
}

#[tokio::test(start_paused = true)]
async fn a_login_at_a_silent_identity_provider_times_out() {
    let silent = RawServer::new(|stream, _| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let error = login_error_at(silent).await;
    assert!(error.contains("did not respond within 10s"), "{error}");
}

#[tokio::test]
async fn an_invalid_login_response_is_described_without_its_secrets() {
    for (response, expected) in [
        ("HTTP/1.1 400 Bad Request\r\n\r\n{}", "the status is 400"),
        ("HTTP/1.1 200 OK\r\n\r\n<html>", "is not JSON"),
        ("HTTP/1.1 200 OK\r\n\r\n{}", "has no access_token"),
        ("SSH-2.0", "sent an incomplete response"),
    ] {
        let error = login_error_at(RawServer::responding(response).await).await;
        assert!(error.contains(expected), "{error}");
    }
}
