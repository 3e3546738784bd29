//! A pool of accounts: lent fairly, renewed in time, and refused where it would mislead.

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
use crate::probe::tests::wire::Wire;
use cutover_evidence::secret::Secret;

/// A token of a user that expires in so many seconds.
pub(crate) fn token(user: u128, expires_in: i64) -> Secret {
    let claims = json!({
        "sub": Uuid::from_u128(user),
        "exp": OffsetDateTime::now_utc().unix_timestamp() + expires_in,
        // Two tokens of one user are not the same.
        "jti": Uuid::new_v4(),
    });
    Secret::new(format!(
        "e30.{}.x",
        URL_SAFE_NO_PAD.encode(claims.to_string())
    ))
}

async fn opened(door: TokenSource) -> Result<Accounts, String> {
    let http = client().unwrap();
    let accounts = Accounts::open(&door, &http, &Arc::default(), 3).await;
    accounts.map_err(|error| error.to_string())
}

async fn pool(tokens: Vec<Secret>) -> Result<Accounts, String> {
    opened(TokenSource::Static(tokens)).await
}

fn take(accounts: &Accounts) -> Result<crate::identity::Tenant, String> {
    let taken = accounts.take(Uuid::nil());
    taken.map_err(|error| error.to_string())
}

#[tokio::test]
async fn an_account_is_one_trials_at_a_time() {
    let accounts = pool(vec![token(7, 3600)]).await.unwrap();
    let tenant = take(&accounts).unwrap();
    assert_eq!(tenant.user_id, Uuid::from_u128(7));
    let refused = take(&accounts).unwrap_err();
    assert!(
        refused.contains("1 accounts and all are in use"),
        "{refused}"
    );
    assert!(accounts.of(tenant.user_id).is_some());
    accounts.give_back([tenant]);
    assert!(take(&accounts).is_ok());
}

#[tokio::test]
async fn the_account_that_has_uploaded_least_is_taken() {
    let accounts = pool(vec![token(1, 3600), token(2, 3600)]).await.unwrap();
    let quota = accounts.quota().unwrap();
    for (uploads, expected) in [(2, 1), (1, 2), (1, 2), (1, 1)] {
        let tenant = take(&accounts).unwrap();
        assert_eq!(tenant.user_id, Uuid::from_u128(expected));
        for _ in 0..uploads {
            quota.begin(tenant.user_id).unwrap();
        }
        accounts.give_back([tenant]);
    }
    // Nobody else may upload one more than a day allows.
    assert!(quota.begin(Uuid::from_u128(1)).is_err());
    assert!(quota.begin(Uuid::from_u128(2)).is_ok());
}

#[tokio::test]
async fn tokens_that_are_of_no_use_are_refused_by_their_number() {
    let anonymous = Secret::new(format!(
        "e30.{}.x",
        URL_SAFE_NO_PAD.encode("{\"sub\":\"7\"}")
    ));
    let error = pool(vec![anonymous]).await.unwrap_err();
    assert!(error.contains("token 1"), "{error}");
    let error = pool(vec![token(7, 3600), token(8, 3600), token(7, 3600)])
        .await
        .unwrap_err();
    assert!(error.contains("token 1 and token 3"), "{error}");
    let accounts = pool(vec![token(7, -5), token(8, 3600)]).await.unwrap();
    let live = take(&accounts).unwrap();
    assert_eq!(live.user_id, Uuid::from_u128(8));
    let error = take(&accounts).unwrap_err();
    assert!(
        error.contains("token 1 of [identity] expires at 2"),
        "{error}"
    );
}

/// An identity provider whose first token for each account lives so long, and each later one an hour.
async fn provider(first_life: i64) -> (MockServer, TokenSource) {
    let server = MockServer::start().await;
    let accounts = [(1, "a@example.org"), (2, "b@example.org")];
    for (user, email) in accounts {
        for (life, times) in [(first_life, 1), (3600, 9)] {
            let answer = json!({"access_token": token(user, life).expose()});
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
    let door = TokenSource::PasswordLogin {
        supabase: server.uri().parse().unwrap(),
        anon_key: Secret::new("anon"),
        accounts: accounts
            .map(|(_, email)| (email.to_owned(), Secret::new("right")))
            .to_vec(),
    };
    (server, door)
}

async fn logins(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

#[tokio::test]
async fn accounts_log_in_again_before_their_tokens_expire() {
    let (server, door) = provider(-1).await;
    let accounts = opened(door).await.unwrap();
    assert_eq!(logins(&server).await, 2);
    let old = accounts.of(Uuid::from_u128(1)).unwrap().token;
    accounts.renew().await.unwrap();
    assert_eq!(logins(&server).await, 4);
    let new = accounts.of(Uuid::from_u128(1)).unwrap().token;
    assert_ne!(old.expose(), new.expose());
    assert!(take(&accounts).is_ok());
    accounts.renew().await.unwrap();
    assert_eq!(logins(&server).await, 4, "what is fresh is not renewed");
}

#[tokio::test]
async fn a_refusal_names_the_account_and_what_was_said() {
    let (server, door) = provider(3600).await;
    let refusal = json!({"error_code": "invalid_credentials", "msg": "Invalid login credentials"});
    Mock::given(body_partial_json(json!({"password": "wrong"})))
        .respond_with(ResponseTemplate::new(400).set_body_json(refusal))
        .mount(&server)
        .await;
    let TokenSource::PasswordLogin {
        supabase,
        anon_key,
        mut accounts,
    } = door
    else {
        panic!("it logs in")
    };
    accounts[1].1 = Secret::new("wrong");
    let error = opened(TokenSource::PasswordLogin {
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

/// Why nobody can log in at this server.
async fn refused_at(wire: Wire) -> String {
    let account = ("a@example.org".to_owned(), Secret::new("hunter2"));
    let door = TokenSource::PasswordLogin {
        supabase: wire.url,
        anon_key: Secret::new("anon"),
        accounts: vec![account.clone(), account],
    };
    let error = opened(door).await.unwrap_err();
    assert!(!error.contains("hunter2"), "{error}");
    assert!(
        error.starts_with("log in as 'a@example.org' at "),
        "{error}"
    );
    error
}

#[tokio::test(start_paused = true)]
async fn an_identity_provider_that_says_nothing_is_not_waited_for() {
    let silent = Wire::new(|stream, _| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let error = refused_at(silent).await;
    assert!(error.contains("did not answer within 10s"), "{error}");
}

#[tokio::test]
async fn an_identity_provider_that_says_something_else_is_quoted_without_its_secrets() {
    for (said, told) in [
        ("HTTP/1.1 400 Bad Request\r\n\r\n{}", "answers 400"),
        ("HTTP/1.1 200 OK\r\n\r\n<html>", "is not JSON"),
        ("HTTP/1.1 200 OK\r\n\r\n{}", "gives no access_token"),
        ("SSH-2.0", "broke off its answer"),
    ] {
        let error = refused_at(Wire::saying(said).await).await;
        assert!(error.contains(told), "{error}");
    }
}
