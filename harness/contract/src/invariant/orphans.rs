//! Orphans: stored objects that belong to no document.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use uuid::Uuid;

use super::surfaces::Surfaces;
use super::violation::Violation;
use crate::contract::Contract;
use cutover_evidence::stop::{CheckResult, Stop};

/// The number of users whose folders are listed, those with the newest documents first.
const MAX_USERS: usize = 200;

/// The number of concurrent listings.
const CONCURRENT_LISTS: usize = 8;

/// Why the invariant does not apply to a target.
pub(super) const NO_FOLDERS: &str = "the storage of this target has no folder for each user, so that an object cannot be assigned to one";

#[derive(Deserialize)]
struct Paths {
    document_id: Uuid,
    user_id: Uuid,
    raw_path: Option<String>,
    parsed_path: Option<String>,
}

/// Whether the objects of a user are in folders of their own.
pub(super) fn has_folders(contract: &Contract) -> bool {
    !folders(contract, Uuid::nil()).is_empty()
}

/// A folder with the objects of a user.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Folder {
    path: String,
    /// The end of the names of its objects, with the dot.
    extension: String,
    /// The length of the names: a pipeline may store other objects beside those of the contract.
    length: usize,
}

/// The folders of a user that are the same for all documents.
fn folders(contract: &Contract, user: Uuid) -> BTreeSet<Folder> {
    let layout = &contract.storage;
    let paths = [Uuid::nil(), Uuid::max()].map(|document| {
        [
            layout
                .has_raw_path()
                .then(|| contract.raw_path(user, document)),
            layout
                .has_parsed_path()
                .then(|| contract.parsed_path(user, document)),
        ]
    });
    let split = |path: String| {
        let (folder, name) = path.rsplit_once('/')?;
        let (_, extension) = name.rsplit_once('.')?;
        let is_of_user = folder.contains(&user.to_string());
        is_of_user.then(|| Folder {
            path: folder.to_owned(),
            extension: format!(".{extension}"),
            length: name.len(),
        })
    };
    let [of_one, of_another] = paths.map(|paths| {
        let given = paths.into_iter().flatten();
        given.filter_map(split).collect::<BTreeSet<_>>()
    });
    of_one
        .into_iter()
        .filter(|it| of_another.contains(it))
        .collect()
}

/// Objects in the folders of users that belong to none of their documents.
pub(super) async fn orphans(surfaces: &Surfaces<'_>) -> CheckResult<Vec<Violation>> {
    let query = "SELECT document_id, user_id, raw_path, parsed_path
         FROM documents WHERE user_id IS NOT NULL ORDER BY documents.created_at DESC";
    let rows: Vec<Paths> = surfaces.rows(query).await?;
    let contract = surfaces.contract;
    let mut known: BTreeMap<Uuid, BTreeSet<String>> = BTreeMap::new();
    for user in surfaces.scope.listed() {
        known.entry(*user).or_default();
    }
    for row in &rows {
        if !known.contains_key(&row.user_id) && known.len() >= MAX_USERS {
            continue;
        }
        let paths = [row.raw_path.as_deref(), row.parsed_path.as_deref()];
        let stored = paths.into_iter().flatten();
        let stored = stored.map(|path| contract.storage.object(path).to_owned());
        let specified = [
            contract.raw_path(row.user_id, row.document_id),
            contract.parsed_path(row.user_id, row.document_id),
        ];
        let of_user = known.entry(row.user_id).or_default();
        of_user.extend(stored.chain(specified));
    }
    let listings = known.iter().flat_map(|(user, paths)| {
        let folders = folders(contract, *user).into_iter();
        folders.map(move |folder| (folder, paths))
    });
    let found: Vec<Vec<Violation>> = stream::iter(listings.collect::<Vec<_>>())
        .map(async |(folder, paths)| {
            let objects = surfaces.storage.list(&folder.path).await?;
            let names = objects.into_iter().map(|object| object.name);
            let orphans = names
                .filter(|name| name.ends_with(&folder.extension) && name.len() == folder.length)
                .map(|name| format!("{}/{name}", folder.path))
                .filter(|path| !paths.contains(path));
            let orphans = orphans.map(|path| {
                Violation::new(format!("object '{path}'"), "it belongs to no document")
            });
            Ok::<_, Stop>(orphans.collect())
        })
        .buffered(CONCURRENT_LISTS)
        .try_collect()
        .await?;
    Ok(found.into_iter().flatten().collect())
}
