//! What the stand-ins saw of the document: the callback, the model, and the place of the object.

use cutover_contract::contract::Endpoint;
use url::Url;

use super::document::LearntDocument;
use super::session::Session;
use crate::init::draft::{Certainty, Draft, route};

/// Completes the draft with what the stand-ins received, where they run.
pub(super) async fn learn_from_standins(
    session: &Session<'_>,
    document: &LearntDocument,
    draft: &mut Draft,
) {
    let Some(standins) = &session.standins else {
        return;
    };
    let calls = standins
        .parser_calls(&document.upload.sha256)
        .await
        .unwrap_or_default();
    if let Some(call) = calls.first() {
        let url = call
            .fields
            .get("webhook_url")
            .and_then(|url| url.parse::<Url>().ok());
        if let Some(url) = url {
            set_callback(&url, document, draft);
            (session.show)(format!("callback: POST {}", url.path()));
        }
    }
    let calls = standins
        .storage_calls(&document.document)
        .await
        .unwrap_or_default();
    for (key, suffix) in [("raw_path", ".pdf"), ("parsed_path", ".md")] {
        let object = calls.iter().find(|call| call.object.ends_with(suffix));
        if let Some(call) = object {
            let path = call.object.replace(&document.document, "{document_id}");
            let path = path.replace(&session.tenant.user_id.to_string(), "{user_id}");
            draft.set(
                "storage",
                key,
                path,
                Certainty::Guess,
                "the object of this document",
            );
        }
        let bucket = object.and_then(|call| call.object.split('/').next());
        if let Some(bucket) = bucket {
            draft.set(
                "storage",
                "bucket",
                bucket,
                Certainty::Seen,
                "the bucket of this document",
            );
        }
    }
}

/// Sets the route of the callback, and how it is proved.
fn set_callback(url: &Url, document: &LearntDocument, draft: &mut Draft) {
    let [job, id] = document.ids();
    let path = url
        .path()
        .replace(job, "{job_id}")
        .replace(id, "{document_id}");
    let source = "the address that the parser was given";
    draft.set(
        "routes",
        Endpoint::Callback.name(),
        route("POST", &path),
        Certainty::Seen,
        source,
    );
    let mut parameters = url.query_pairs();
    let token = parameters.find(|(_, value)| value.len() >= 16);
    if let Some((name, _)) = token {
        let source = "the address that the parser was given";
        draft.set("callback", "auth", "url_token", Certainty::Guess, source);
        draft.set(
            "callback",
            "token_parameter",
            name.into_owned(),
            Certainty::Guess,
            source,
        );
    }
}
