//! The expected ids, object paths and routes, computed from the contract.

use std::collections::BTreeSet;
use std::fmt::Display;

use md5::Md5;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::contract::{Contract, NameHash};
use super::endpoint::{Endpoint, Route};
use super::ids::Derivation;
use super::template::fill;
use cutover_evidence::stop::{CheckResult, Stop};

impl Contract {
    /// The id of a user's document with these bytes; `None` if ids are random.
    pub fn document_id(&self, user: Uuid, file_sha256: &str) -> Option<Uuid> {
        self.id(
            &self.ids.document,
            &[("user_id", &user), ("file_sha256", &file_sha256)],
        )
    }

    /// The id of a document's chunk; `None` if ids are random.
    pub fn chunk_id(&self, document: Uuid, ord: i64) -> Option<Uuid> {
        self.chunk_id_with(document, &self.chunker.name, &self.chunker.version, ord)
    }

    /// The id of a document's chunk from another chunker.
    pub(crate) fn chunk_id_with(
        &self,
        document: Uuid,
        chunker: &str,
        version: &str,
        ord: i64,
    ) -> Option<Uuid> {
        let values: [(&str, &dyn Display); 4] = [
            ("document_id", &document),
            ("chunker_name", &chunker),
            ("chunker_version", &version),
            ("chunk_ord", &ord),
        ];
        self.id(&self.ids.chunk, &values)
    }

    /// Bucket and key of a document's bytes.
    pub fn raw_path(&self, user: Uuid, document: Uuid) -> String {
        self.object_path(&self.storage.raw_path, user, document)
    }

    /// The path of a user's document before its registration, or the prefix of the path that does
    /// not depend on a random id.
    ///
    /// The check is skipped if that prefix does not contain the user's id.
    pub fn expected_raw_path(&self, user: Uuid, file_sha256: &str) -> CheckResult<String> {
        if let Some(document) = self.document_id(user, file_sha256) {
            return Ok(self.raw_path(user, document));
        }
        let template = &self.storage.raw_path;
        let unknown = ["{document_id}", "{h}"].map(|placeholder| template.find(placeholder));
        let known = unknown.into_iter().flatten().min();
        let known = fill(
            &template[..known.unwrap_or(template.len())],
            &[("user_id", &user)],
        );
        if known.contains(&user.to_string()) {
            return Ok(known);
        }
        Err(Stop::not_applicable(
            "document ids are random, so the object path is unknown before the registration",
        ))
    }

    /// Bucket and key of a document's parsed text.
    pub fn parsed_path(&self, user: Uuid, document: Uuid) -> String {
        self.object_path(&self.storage.parsed_path, user, document)
    }

    /// The distinct buckets of the layout: `bucket`, and the first segment of each path.
    pub fn buckets(&self) -> BTreeSet<String> {
        let of_paths = self.storage.paths().map(|(_, path)| bucket_of(path));
        let named = of_paths.chain([self.storage.bucket.as_str()]);
        named.map(str::to_owned).collect()
    }

    /// The route of an endpoint, if the target has it.
    pub fn route(&self, endpoint: Endpoint) -> Option<&Route> {
        self.routes.get(&endpoint)
    }

    /// The path of a route with all placeholders replaced.
    pub fn path(&self, route: &Route, values: &[(&str, &dyn Display)]) -> String {
        let prefixes: [(&str, &dyn Display); 2] = [
            ("prefix", &self.prefix.trim_end_matches('/')),
            ("webhook_prefix", &self.webhook_prefix.trim_end_matches('/')),
        ];
        fill(&fill(&route.path, &prefixes), values)
    }

    fn id(&self, derivation: &Derivation, values: &[(&str, &dyn Display)]) -> Option<Uuid> {
        let name = fill(derivation.template()?, values);
        Some(Uuid::new_v5(&self.ids.namespace, name.as_bytes()))
    }

    fn object_path(&self, template: &str, user: Uuid, document: Uuid) -> String {
        let id = document.to_string();
        let digest = match self.storage.h.hash {
            NameHash::Md5 => hex::encode(Md5::digest(&id)),
            NameHash::Sha256 => hex::encode(Sha256::digest(&id)),
        };
        let h = digest.get(..self.storage.h.digits).unwrap_or(&digest);
        fill(
            template,
            &[("user_id", &user), ("document_id", &id), ("h", &h)],
        )
    }
}

/// The first segment of a path.
pub(super) fn bucket_of(path: &str) -> &str {
    path.split_once('/').map_or(path, |(bucket, _)| bucket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_match_the_published_example() {
        let contract = Contract::fixture();
        let user = "00000000-0000-4000-8000-000000000001".parse().unwrap();
        let hash = hex::encode(Sha256::digest("hello"));
        let document = contract.document_id(user, &hash).unwrap();
        assert_eq!(document.to_string(), "601684e6-b1cd-5438-a22f-907eea07a897");
        let chunk = contract.chunk_id(document, 0).unwrap();
        assert_eq!(chunk.to_string(), "602af5a9-4b11-5329-bf13-ea79831d7fd1");
    }

    #[test]
    fn object_paths_are_derived_from_the_document_id() {
        let contract = Contract::fixture();
        let user: Uuid = "00000000-0000-4000-8000-000000000001".parse().unwrap();
        let document = "601684e6-b1cd-5438-a22f-907eea07a897".parse().unwrap();
        let h = &hex::encode(Md5::digest("601684e6-b1cd-5438-a22f-907eea07a897"))[..8];
        assert_eq!(
            contract.raw_path(user, document),
            format!("files/user/{user}/raw/{h}.pdf")
        );
        assert_eq!(
            contract.parsed_path(user, document),
            format!("files/user/{user}/parsed/{h}.md")
        );
    }

    #[test]
    fn with_random_ids_the_expected_path_is_the_prefix_with_the_user_id() {
        let mut contract = Contract::fixture();
        let user = Uuid::nil();
        let path = contract.expected_raw_path(user, "").unwrap();
        let id = contract.document_id(user, "").unwrap();
        assert_eq!(path, contract.raw_path(user, id));
        contract.ids.document = Derivation::Random;
        assert_eq!(contract.document_id(user, ""), None);
        let known = contract.expected_raw_path(user, "").unwrap();
        assert_eq!(known, format!("files/user/{user}/raw/"));
        "files/{document_id}/{user_id}".clone_into(&mut contract.storage.raw_path);
        let unknown = contract.expected_raw_path(user, "");
        assert!(matches!(unknown, Err(Stop::Skip { .. })), "{unknown:?}");
    }

    #[test]
    fn the_buckets_are_those_of_the_layout() {
        let mut contract = Contract::fixture();
        assert_eq!(contract.buckets(), ["files".to_owned()].into());
        "texts/{h}.md".clone_into(&mut contract.storage.parsed_path);
        let two = ["files", "texts"].map(str::to_owned);
        assert_eq!(contract.buckets(), two.into());
    }

    #[test]
    fn placeholders_of_a_route_are_replaced() {
        let contract = Contract::fixture();
        let route = contract.route(Endpoint::Retry).unwrap();
        assert_eq!(
            contract.path(route, &[("job_id", &7)]),
            "/api/v2/jobs/7/retry"
        );
    }
}
