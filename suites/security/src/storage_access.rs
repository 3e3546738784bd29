//! Access to storage: nobody but the service lists, reads, signs, moves, replaces or removes a stored object.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::probe::{HttpError, Method, Request};
use serde_json::{Value, json};
use url::Url;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(nobody_but_the_service_reaches_stored_objects, ATTEMPTS)
            .only_where([Condition::RAW_PATH])
            .requires([Http, Storage])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(an_upload_token_is_valid_for_its_object)
            .only_where([Condition::RAW_PATH])
            .requires([Http, Storage])
            .effect(Effect::WriteTenant)
            .severity(Critical),
    ]
}

/// A request to storage about an object of another user.
pub(super) struct Attempt {
    name: &'static str,
    method: Method,
    /// The route for a bucket and the path of the object in it.
    route: fn(&str, &str) -> String,
    /// The body for them.
    body: fn(&str, &str) -> Value,
}

impl Named for Attempt {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// The object by which attempts would replace another.
const OWN: &str = "cutover/own.pdf";

const ATTEMPTS: &[Attempt] = &[
    Attempt {
        name: "listing_the_folder",
        method: Method::POST,
        route: |bucket, _| format!("object/list/{bucket}"),
        body: |_, path| json!({"prefix": folder_of(path), "limit": 100, "offset": 0}),
    },
    Attempt {
        name: "listing_the_bucket",
        method: Method::POST,
        route: |bucket, _| format!("object/list/{bucket}"),
        body: |_, _| json!({"prefix": "", "limit": 100, "offset": 0}),
    },
    Attempt {
        name: "listing_the_buckets",
        method: Method::GET,
        route: |_, _| "bucket".to_owned(),
        body: |_, _| Value::Null,
    },
    Attempt {
        name: "signing_a_download",
        method: Method::POST,
        route: |bucket, path| format!("object/sign/{bucket}/{path}"),
        body: |_, _| json!({"expiresIn": 60}),
    },
    Attempt {
        name: "signing_an_upload",
        method: Method::POST,
        route: |bucket, path| format!("object/upload/sign/{bucket}/{path}"),
        body: |_, _| json!({}),
    },
    Attempt {
        name: "replacing",
        method: Method::PUT,
        route: |bucket, path| format!("object/{bucket}/{path}"),
        body: |_, _| json!("%PDF-1.4 of another user"),
    },
    Attempt {
        name: "copying",
        method: Method::POST,
        route: |_, _| "object/copy".to_owned(),
        body: |bucket, path| json!({"bucketId": bucket, "sourceKey": path, "destinationKey": OWN}),
    },
    Attempt {
        name: "moving",
        method: Method::POST,
        route: |_, _| "object/move".to_owned(),
        body: |bucket, path| json!({"bucketId": bucket, "sourceKey": path, "destinationKey": OWN}),
    },
    Attempt {
        name: "removing",
        method: Method::DELETE,
        route: |bucket, path| format!("object/{bucket}/{path}"),
        body: |_, _| Value::Null,
    },
];

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A client without a key, and another user with a valid token, are refused or shown nothing, and the object stays as it is.
async fn nobody_but_the_service_reaches_stored_objects(
    cx: &Context,
    case: &Attempt,
) -> CheckResult {
    let tenant = cx.tenant()?;
    let document = cx.document().build();
    let done = cx.pipeline_as(tenant.clone())?.complete(&document).await?;
    let object = cx.contract().raw_path(tenant.user_id, done.document_id());
    let before = stored(cx, &object).await?;
    let (bucket, path) = object.split_once('/').unwrap_or((&object, ""));
    let (storage, stranger) = (cx.storage()?, cx.tenant()?);
    let http = cx.pipeline()?.http().surface("storage");
    let mut url = storage.supabase().clone();
    url.set_path(&format!("/storage/v1/{}", (case.route)(bucket, path)));
    let body = (case.body)(bucket, path);
    let request = Request::new(case.method.clone(), url);
    let request = if body.is_null() {
        request
    } else {
        request.json(&body)
    };
    for request in [request.clone(), request.bearer(&stranger.token)] {
        let reply = http.send(request).await.map_err(HttpError::into_stop)?;
        // A list may be empty for those who may see nothing.
        let is_empty = reply.json().is_ok_and(|list| list == json!([]));
        ensure!(
            !reply.is_success() || is_empty,
            "{}, without the key of the service, is answered with {}",
            reply.request,
            reply.summary()
        );
        ensure!(
            stored(cx, &object).await? == before,
            "{}, without the key of the service, changes a stored object",
            reply.request
        );
    }
    Ok(())
}

/// The bytes of an object, which must exist.
async fn stored(cx: &Context, path: &str) -> CheckResult<Vec<u8>> {
    match cx.storage()?.get(path).await? {
        Some(bytes) => Ok(bytes),
        None => Err(Stop::violated(Finding::new(format!(
            "{path}, the object of a complete document, does not exist"
        )))),
    }
}

/// The token of one signed URL neither writes nor reads the object of another user, who can still upload the registered bytes.
async fn an_upload_token_is_valid_for_its_object(cx: &Context) -> CheckResult {
    let tenant = cx.tenant()?;
    let document = cx.document().build();
    let owner = cx.pipeline_as(tenant.clone())?;
    let awaited = owner.accept(document.upload()).await?;
    let object = cx.contract().raw_path(tenant.user_id, awaited.document_id);
    let caller = cx.tenant()?;
    let stranger = cx.pipeline_as(caller.clone())?;
    let own = stranger.accept(cx.document().build().upload()).await?;
    let own_object = cx.contract().raw_path(caller.user_id, own.document_id);
    for url in swapped(&own.signed_url, &own_object, &object) {
        for method in [Method::PUT, Method::POST, Method::GET] {
            let reads = method == Method::GET;
            let request = Request::new(method, url.clone());
            let request = if reads {
                request
            } else {
                request.body("application/pdf", *b"%PDF-1.4 of another user")
            };
            let reply = stranger.http().surface("storage").send(request).await;
            let reply = reply.map_err(HttpError::into_stop)?;
            ensure!(
                !reply.is_success(),
                "the token of one upload is accepted for the object of another user: {} to {}",
                reply.summary(),
                reply.request
            );
        }
    }
    owner.deliver(&awaited, document.upload()).await?;
    owner.until_complete(&awaited).await?;
    ensure!(
        stored(cx, &object).await? == document.bytes(),
        "the token of one upload changes the object of another user"
    );
    Ok(())
}

/// The signed URL with the other object's path in place of its own, as it is and encoded; also for a download.
fn swapped(signed: &Url, own: &str, other: &str) -> Vec<Url> {
    let path = signed.path();
    if !path.contains(own) {
        return Vec::new();
    }
    let traversed = format!("{}/..%2f..%2f..%2f..%2f{other}", folder_of(own));
    let paths = [
        path.replace(own, other),
        path.replace(own, &traversed),
        path.replace("/upload/sign/", "/sign/").replace(own, other),
        path.replace("/upload/sign/", "/").replace(own, other),
    ];
    let swapped = paths.into_iter().map(|path| {
        let mut url = signed.clone();
        url.set_path(&path);
        url
    });
    swapped.collect()
}
