//! The configuration that all HTTP clients of the harness share.

/// A client builder without a proxy, with rustls and ring for TLS.
///
/// ring compiles in seconds; the default provider of rustls takes half a minute.
pub fn client_builder() -> reqwest::ClientBuilder {
    // This fails if a provider is already installed, and then that provider is used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy()
}
