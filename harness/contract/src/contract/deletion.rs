//! Deletes the documents that a trial created.

use uuid::Uuid;

use super::client::Pipeline;
use super::created_documents::CreatedDocuments;

impl Pipeline {
    /// Deletes the documents of a trial, each as its owner.
    ///
    /// On a local stack it deletes only documents without an upload, because the pipeline polls for
    /// their bytes until the URL expires, and that would slow down other trials. A failure is
    /// ignored, because it is not part of the trial.
    pub async fn delete_created(&self, created: &CreatedDocuments) {
        for (document, registered) in created.drain_for_deletion() {
            let owner = self.as_tenant(registered.tenant);
            let deleted = owner.delete_and_verify(document).await;
            if let (true, Some(log)) = (deleted, &created.log) {
                log.removed(document);
            }
        }
    }

    /// Deletes a document, and returns whether it no longer exists.
    pub async fn delete_and_verify(&self, document: Uuid) -> bool {
        if self.delete(document).await.is_err() {
            return false;
        }
        let response = self.document(document).await;
        response.is_ok_and(|response| response.status == 404)
    }
}
