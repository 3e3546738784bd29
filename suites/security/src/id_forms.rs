//! Forms of ids: in no notation does an id give access to what is another user's.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::probe::Request;

use super::client_headers::send;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(no_form_of_an_id_opens_what_is_anothers, FORMS)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(Critical),
    ]
}

/// Notations of an id in a path.
pub(super) struct IdForms {
    name: &'static str,
    /// Whether a service that misreads them could change what belongs to everybody.
    reads_only: bool,
    /// From the foreign id and an own id to segments of a path, percent-encoded where that is needed.
    forms: fn(&str, &str) -> Vec<String>,
}

impl Named for IdForms {
    fn name(&self) -> &'static str {
        self.name
    }
}

const FORMS: &[IdForms] = &[
    IdForms {
        name: "in_another_notation",
        reads_only: false,
        forms: |id, _| {
            let simple = id.replace('-', "");
            vec![
                id.to_uppercase(),
                simple.clone(),
                simple.to_uppercase(),
                format!("%7B{id}%7D"),
                format!("urn:uuid:{id}"),
                id.replace('-', "%2D"),
                escaped(id, "%"),
                escaped(id, "%25"),
            ]
        },
    },
    IdForms {
        name: "with_something_after_it",
        reads_only: false,
        forms: |id, _| {
            [
                "/", "%2f", "%00", "%20", "%0a", ".json", ".pdf", ";", ";a=b", "%3f", "%23", "?",
                "*", "/.", "//", "%09",
            ]
            .map(|end| format!("{id}{end}"))
            .into()
        },
    },
    IdForms {
        name: "with_something_before_it",
        reads_only: false,
        forms: |id, _| {
            ["%20", "%2f", ".%2f", "%2e%2e%2f", "%00", "0", "+", "-", "*"]
                .map(|start| format!("{start}{id}"))
                .into()
        },
    },
    IdForms {
        name: "beside_an_own_id",
        reads_only: false,
        forms: |id, own| {
            vec![
                format!("{own},{id}"),
                format!("{id},{own}"),
                format!("{own}%2C{id}"),
                format!("{own}%7C{id}"),
                format!("{own}/{id}"),
                format!("{own}%2f..%2f{id}"),
                format!("{own};{id}"),
                format!("{own}%26id={id}"),
                format!("{own}?id={id}&job_id={id}&document_id={id}"),
                format!("{own}%00{id}"),
            ]
        },
    },
    IdForms {
        name: "in_a_condition",
        reads_only: true,
        forms: |id, own| {
            vec![
                format!("{own}'%20OR%20'1'='1"),
                format!("{id}'%20OR%20'1'='1"),
                format!("{id}'--%20"),
                format!("{own}%20OR%20true"),
                "%25".to_owned(),
                "*".to_owned(),
                "null".to_owned(),
                "00000000-0000-0000-0000-000000000000".to_owned(),
            ]
        },
    },
];

/// Every byte of the id, escaped.
fn escaped(id: &str, sign: &str) -> String {
    let escaped: Vec<_> = id.bytes().map(|byte| format!("{sign}{byte:02x}")).collect();
    escaped.concat()
}

/// Whatever the notation, a read shows nothing of the other user's document, and a change leaves it as it is.
async fn no_form_of_an_id_opens_what_is_anothers(cx: &Context, case: &IdForms) -> CheckResult {
    let owner = cx.pipeline()?;
    let document = cx.document().build();
    let done = owner.complete(&document).await?;
    let before = owner.view(&done.accepted).await?.summary();
    let stranger = cx.pipeline()?;
    let own = stranger.accept(cx.document().build().upload()).await?;
    for endpoint in [
        Endpoint::Job,
        Endpoint::Document,
        Endpoint::Retry,
        Endpoint::DeleteDocument,
    ] {
        let reads = matches!(endpoint, Endpoint::Job | Endpoint::Document);
        if !cx.contract().has(endpoint) || (case.reads_only && !reads) {
            continue;
        }
        let [foreign, own] =
            [&done.accepted, &own].map(|accepted| owner.id_for(endpoint, accepted).to_string());
        let template = stranger.request(endpoint, &foreign)?;
        for form in (case.forms)(&foreign, &own) {
            let request = with_form(&template, &foreign, &form);
            let reply = send(&stranger, request).await?;
            let text = reply.text();
            let leak = [document.nonce(), document.title()]
                .into_iter()
                .find(|word| text.contains(word));
            ensure!(
                leak.is_none(),
                "{} shows another user's document: {}",
                reply.request,
                reply.summary()
            );
            let names_it = reply.is_success() && text.contains(&foreign);
            ensure!(
                !names_it,
                "{} is answered for another user's id: {}",
                reply.request,
                reply.summary()
            );
        }
    }
    let after = owner.view(&done.accepted).await?.summary();
    ensure_eq!(
        after,
        before,
        "requests of another user with forms of its id changed a document"
    );
    Ok(())
}

/// The request with this form in the place of the id.
fn with_form(template: &Request, id: &str, form: &str) -> Request {
    let mut url = template.url().clone();
    let (form, query) = form.split_once('?').unwrap_or((form, ""));
    let path = url.path().replace(id, form);
    url.set_path(&path);
    url.set_query(Some(query).filter(|query| !query.is_empty()));
    template.clone().to(url)
}
