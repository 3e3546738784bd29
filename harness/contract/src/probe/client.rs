//! The HTTP client that everything of the harness asks through.

/// A builder of clients that use no proxy, and rustls with ring for TLS.
///
/// ring is built in seconds where the default provider of rustls takes half a minute.
pub fn client_builder() -> reqwest::ClientBuilder {
    // It fails where a provider is installed already; then that one is used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy()
}
