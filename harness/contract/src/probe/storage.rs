//! Asks Supabase Storage with the service's own key, and knows how it says that an object is missing.

use http::{Method, header};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::http::{Http, HttpError};
use super::request::Request;
use super::response::Response;
use cutover_evidence::secret::Secret;

/// Why storage gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// It gave none.
    #[error("ask storage")]
    Http(#[from] HttpError),
    /// The path is none: an object is named by its bucket and its key.
    #[error("address object '{path}': expected a bucket and a key")]
    Path {
        /// The path.
        path: String,
    },
    /// It refused.
    #[error("{verb} object '{path}': storage answered {answer}")]
    Refused {
        /// What was asked.
        verb: &'static str,
        /// The object.
        path: String,
        /// Status and body.
        answer: String,
    },
}

/// An object's size and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectHead {
    /// How long it is, where storage says so.
    pub bytes: Option<u64>,
    /// Its type, where storage says so.
    pub content_type: Option<String>,
}

/// An object in a listing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct StoredObject {
    /// Its name within the listed folder.
    pub name: String,
}

/// Asks Supabase Storage. Objects are named as the pipeline's rows name them: bucket, slash, key.
#[derive(Clone, Debug)]
pub struct Storage {
    http: Http,
    supabase: Url,
    key: Secret,
}

impl Storage {
    /// Asks the storage of a Supabase project with its service-role key.
    pub fn new(http: Http, supabase: Url, service_role_key: Secret) -> Self {
        Self {
            http,
            supabase,
            key: service_role_key,
        }
    }

    /// Where the project is.
    pub fn supabase(&self) -> &Url {
        &self.supabase
    }

    /// An object's bytes; `None` where there is none.
    pub async fn get(&self, path: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let reply = self.object("read", Method::GET, path).await?;
        Ok(reply.map(|reply| reply.body))
    }

    /// An object's size and type; `None` where there is none.
    pub async fn head(&self, path: &str) -> Result<Option<ObjectHead>, StorageError> {
        let request = self.request(Method::HEAD, &format!("object/{}", checked(path)?));
        let reply = self.http.send(request).await?;
        if reply.status == 400 {
            // An answer to HEAD has no body that could tell a missing object from a bad request.
            let bytes = self.get(path).await?;
            return Ok(bytes.map(|bytes| ObjectHead {
                bytes: Some(bytes.len() as u64),
                content_type: None,
            }));
        }
        Ok(present("look at", path, reply)?.map(|reply| ObjectHead {
            bytes: reply
                .header(header::CONTENT_LENGTH.as_str())
                .and_then(|length| length.parse().ok()),
            content_type: reply
                .header(header::CONTENT_TYPE.as_str())
                .map(str::to_owned),
        }))
    }

    /// Whether there is an object.
    pub async fn exists(&self, path: &str) -> Result<bool, StorageError> {
        Ok(self.head(path).await?.is_some())
    }

    /// The objects and folders directly below a folder, such as `files/user/{id}/raw`.
    pub async fn list(&self, folder: &str) -> Result<Vec<StoredObject>, StorageError> {
        let (bucket, prefix) = folder.split_once('/').unwrap_or((folder, ""));
        let request = self
            .request(Method::POST, &format!("object/list/{bucket}"))
            .json(&json!({"prefix": prefix, "limit": 1000, "offset": 0}));
        let reply = self.http.send(request).await?;
        match serde_json::from_slice(&reply.body) {
            Ok(objects) if reply.is_success() => Ok(objects),
            _ => Err(refused("list", folder, &reply)),
        }
    }

    /// Stores an object over whatever is there.
    pub async fn put(
        &self,
        path: &str,
        content_type: &str,
        bytes: impl Into<Vec<u8>>,
    ) -> Result<(), StorageError> {
        let request = self
            .request(Method::POST, &format!("object/{}", checked(path)?))
            .header("x-upsert", "true")
            .body(content_type, bytes);
        let reply = self.http.send(request).await?;
        if reply.is_success() {
            Ok(())
        } else {
            Err(refused("store", path, &reply))
        }
    }

    /// Removes an object; whether there was one.
    pub async fn delete(&self, path: &str) -> Result<bool, StorageError> {
        Ok(self.object("delete", Method::DELETE, path).await?.is_some())
    }

    async fn object(
        &self,
        verb: &'static str,
        method: Method,
        path: &str,
    ) -> Result<Option<Response>, StorageError> {
        let request = self.request(method, &format!("object/{}", checked(path)?));
        present(verb, path, self.http.send(request).await?)
    }

    fn request(&self, method: Method, path: &str) -> Request {
        let mut url = self.supabase.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/storage/v1/{path}"));
        Request::new(method, url)
            .secret_header("apikey", &self.key)
            .bearer(&self.key)
    }
}

fn checked(path: &str) -> Result<&str, StorageError> {
    match path.split_once('/') {
        Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => Ok(path),
        _ => Err(StorageError::Path {
            path: path.to_owned(),
        }),
    }
}

/// The reply, unless it says that there is no such object.
fn present(
    verb: &'static str,
    path: &str,
    reply: Response,
) -> Result<Option<Response>, StorageError> {
    if reply.is_success() {
        Ok(Some(reply))
    } else if says_missing(&reply) {
        Ok(None)
    } else {
        Err(refused(verb, path, &reply))
    }
}

/// Real Supabase answers 400 and says 404 in the body; a missing bucket, which it
/// words the same way, is a misconfiguration and not a missing object.
fn says_missing(reply: &Response) -> bool {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let text = |field: &str| {
        body[field]
            .as_str()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    if text("message").contains("bucket") {
        return false;
    }
    match reply.status {
        404 => true,
        400 => text("statusCode") == "404" || body["statusCode"] == 404,
        _ => false,
    }
}

fn refused(verb: &'static str, path: &str, reply: &Response) -> StorageError {
    StorageError::Refused {
        verb,
        path: path.to_owned(),
        answer: reply.summary(),
    }
}
