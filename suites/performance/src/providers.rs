//! Providers: what documents wait for, and when it was called for a document.

use cutover_fixtures::documents::Document;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use time::OffsetDateTime;

/// A provider that documents wait for.
pub(crate) struct Provider {
    name: &'static str,
    /// Whether it is the embedder, and not the parser.
    pub(crate) is_embedder: bool,
}

impl Named for Provider {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// The providers.
pub(crate) const PROVIDERS: &[Provider] = &[
    Provider {
        name: "for_the_embedder",
        is_embedder: true,
    },
    Provider {
        name: "for_the_parser",
        is_embedder: false,
    },
];

impl Provider {
    /// When it was called for a document, oldest first.
    pub(crate) async fn calls(
        &self,
        cx: &Context,
        document: &Document,
    ) -> CheckResult<Vec<OffsetDateTime>> {
        let standins = cx.standins()?;
        Ok(if self.is_embedder {
            let calls = standins.embedder_calls(document.nonce()).await?;
            calls.iter().map(|call| call.at).collect()
        } else {
            let calls = standins.parser_calls(document.sha256()).await?;
            calls.iter().map(|call| call.at).collect()
        })
    }
}
