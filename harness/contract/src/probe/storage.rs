//! Reads and writes objects in Supabase Storage with the service-role key.

use http::{Method, header};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::http::Http;
use super::http_error::HttpError;
use super::request::Request;
use super::response::Response;
use cutover_evidence::secret::Secret;

/// Why a storage request failed.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// There is no response.
    #[error("send a request to storage")]
    Http(#[from] HttpError),
    /// The path is not a bucket and a key.
    #[error("parse object path '{path}': expected a bucket and a key")]
    Path {
        /// The path.
        path: String,
    },
    /// Storage rejected the request.
    #[error("{verb} object '{path}': storage responded {response}")]
    Refused {
        /// The operation.
        verb: &'static str,
        /// The object.
        path: String,
        /// Status and body.
        response: String,
    },
}

/// An object's size and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectHead {
    /// Its length in bytes, if known.
    pub bytes: Option<u64>,
    /// Its content type, if known.
    pub content_type: Option<String>,
}

/// An object in a listing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct StoredObject {
    /// Its name within the listed folder.
    pub name: String,
}

/// A probe of Supabase Storage. An object's path is its bucket, a slash and its key.
#[derive(Clone, Debug)]
pub struct Storage {
    http: Http,
    supabase: Url,
    key: Secret,
}

impl Storage {
    /// A probe of the storage of a Supabase project.
    pub fn new(http: Http, supabase: Url, service_role_key: Secret) -> Self {
        Self {
            http,
            supabase,
            key: service_role_key,
        }
    }

    /// The URL of the project.
    pub fn supabase(&self) -> &Url {
        &self.supabase
    }

    /// An object's bytes; `None` if it does not exist.
    pub async fn get(&self, path: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let response = self.object("read", Method::GET, path).await?;
        Ok(response.map(|response| response.body))
    }

    /// An object's size and type; `None` if it does not exist.
    pub async fn head(&self, path: &str) -> Result<Option<ObjectHead>, StorageError> {
        let request = self.request(Method::HEAD, &format!("object/{}", checked(path)?));
        let response = self.http.send(request).await?;
        if response.status == 400 {
            // A response to HEAD has no body, so a missing object looks like a bad request.
            let bytes = self.get(path).await?;
            return Ok(bytes.map(|bytes| ObjectHead {
                bytes: Some(bytes.len() as u64),
                content_type: None,
            }));
        }
        Ok(
            present("read the headers of", path, response)?.map(|response| ObjectHead {
                bytes: response
                    .header(header::CONTENT_LENGTH.as_str())
                    .and_then(|length| length.parse().ok()),
                content_type: response
                    .header(header::CONTENT_TYPE.as_str())
                    .map(str::to_owned),
            }),
        )
    }

    /// Whether the object exists.
    pub async fn exists(&self, path: &str) -> Result<bool, StorageError> {
        Ok(self.head(path).await?.is_some())
    }

    /// The objects and folders directly below a folder, such as `files/user/{id}/raw`.
    pub async fn list(&self, folder: &str) -> Result<Vec<StoredObject>, StorageError> {
        let (bucket, prefix) = folder.split_once('/').unwrap_or((folder, ""));
        let request = self
            .request(Method::POST, &format!("object/list/{bucket}"))
            .json(&json!({"prefix": prefix, "limit": 1000, "offset": 0}));
        let response = self.http.send(request).await?;
        match serde_json::from_slice(&response.body) {
            Ok(objects) if response.is_success() => Ok(objects),
            _ => Err(refused("list", folder, &response)),
        }
    }

    /// Stores an object; an existing object is replaced.
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
        let response = self.http.send(request).await?;
        if response.is_success() {
            Ok(())
        } else {
            Err(refused("store", path, &response))
        }
    }

    /// Deletes an object; returns whether it existed.
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

/// The response; `None` if it reports a missing object.
fn present(
    verb: &'static str,
    path: &str,
    response: Response,
) -> Result<Option<Response>, StorageError> {
    if response.is_success() {
        Ok(Some(response))
    } else if reports_missing(&response) {
        Ok(None)
    } else {
        Err(refused(verb, path, &response))
    }
}

/// Real Supabase responds with status 400 and a body that contains 404. A missing bucket is
/// reported the same way, but it is a misconfiguration and not a missing object.
fn reports_missing(response: &Response) -> bool {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let text = |field: &str| {
        body[field]
            .as_str()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    if text("message").contains("bucket") {
        return false;
    }
    match response.status {
        404 => true,
        400 => text("statusCode") == "404" || body["statusCode"] == 404,
        _ => false,
    }
}

fn refused(verb: &'static str, path: &str, response: &Response) -> StorageError {
    StorageError::Refused {
        verb,
        path: path.to_owned(),
        response: response.summary(),
    }
}
