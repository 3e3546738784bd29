//! How the parser's callback proves where it comes from: the rules, the keys to it, and the proof itself.

use http::HeaderName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::contract::Contract;
use crate::probe::Request;
use cutover_evidence::secret::Secret;

/// How the parser's callback proves where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallbackRules {
    /// By what.
    pub auth: CallbackAuth,
    /// The header with the signature of the body: HMAC-SHA256 of its very bytes, in lower-case hex.
    pub signature_header: String,
    /// The header with the static secret.
    pub static_header: String,
    /// The field of a submission that gives the parser the job's secret.
    pub secret_field: String,
}

/// As in the default contract.
impl Default for CallbackRules {
    fn default() -> Self {
        Self {
            auth: CallbackAuth::Hmac,
            signature_header: "X-Webhook-Signature".to_owned(),
            static_header: "X-Callback-Token".to_owned(),
            secret_field: "webhook_secret".to_owned(),
        }
    }
}

impl CallbackRules {
    /// The key of a header that is none, and what would be right.
    pub(super) fn contradiction(&self) -> Option<(String, String)> {
        [
            ("signature_header", &self.signature_header),
            ("static_header", &self.static_header),
        ]
        .into_iter()
        .find(|(_, name)| HeaderName::try_from(name.as_str()).is_err())
        .map(|(key, name)| {
            let detail = format!("'{name}' is no name of a header such as \"X-Callback-Token\"");
            (format!("callback.{key}"), detail)
        })
    }
}

/// What proves where a callback comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallbackAuth {
    /// A signature over the body with the job's secret.
    Hmac,
    /// A secret in a header, the same for every job: it says nothing of the body.
    StaticHeader,
    /// Both.
    Both,
}

impl CallbackAuth {
    /// Its word in a contract file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hmac => "hmac",
            Self::StaticHeader => "static_header",
            Self::Both => "both",
        }
    }

    /// Whether a signature is asked for.
    pub fn signs(self) -> bool {
        matches!(self, Self::Hmac | Self::Both)
    }

    /// Whether the static secret is asked for.
    pub fn has_token(self) -> bool {
        matches!(self, Self::StaticHeader | Self::Both)
    }
}

/// What callbacks about one job are proven with; a key that the contract does not ask for is not there.
#[derive(Clone, Debug, Default)]
pub struct CallbackKeys {
    /// The job's secret.
    pub secret: Option<Secret>,
    /// The static secret.
    pub token: Option<Secret>,
}

impl CallbackKeys {
    /// The right proof for a body.
    pub fn proof(&self, body: &[u8]) -> Proof {
        let secret = self.secret.as_ref();
        Proof {
            signature: secret.map(|secret| Contract::signature(secret, body)),
            token: self.token.clone(),
        }
    }
}

/// What a callback carries to prove where it comes from, part by part; the default proves nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// The signature of its body.
    pub signature: Option<String>,
    /// The static secret.
    pub token: Option<Secret>,
}

impl Proof {
    /// The same parts, each of them changed.
    #[must_use]
    pub fn tampered(&self, spoil: impl Fn(&str) -> String) -> Self {
        let token = self.token.as_ref();
        Self {
            signature: self.signature.as_deref().map(&spoil),
            token: token.map(|token| Secret::new(spoil(token.expose()))),
        }
    }

    /// Puts each part into its header, whose value is then never shown.
    pub(super) fn apply_to(&self, mut request: Request, rules: &CallbackRules) -> Request {
        if let Some(signature) = &self.signature {
            let signature = Secret::new(signature.as_str());
            request = request.secret_header(&rules.signature_header, &signature);
        }
        if let Some(token) = &self.token {
            request = request.secret_header(&rules.static_header, token);
        }
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_that_of_the_default_contract() {
        assert_eq!(CallbackRules::default(), Contract::fixture().callback);
    }

    #[test]
    fn a_proof_has_the_parts_that_there_are_keys_for() {
        let (secret, token) = (Some(Secret::new("Jefe")), Some(Secret::new("t")));
        let signed = CallbackKeys {
            secret,
            token: None,
        };
        assert_eq!(signed.proof(b"").token, None);
        let known = CallbackKeys {
            secret: None,
            token,
        };
        assert_eq!(known.proof(b"a"), known.proof(b"b"));
        assert_ne!(signed.proof(b"a"), signed.proof(b"b"));
        let tampered = known.proof(b"").tampered(|part| format!("{part}!"));
        assert_eq!(tampered.token.unwrap().expose(), "t!");
        assert_eq!(tampered.signature, None);
    }

    #[test]
    fn a_header_that_is_none_is_named() {
        let rules = CallbackRules {
            static_header: "X Token".to_owned(),
            ..CallbackRules::default()
        };
        let (key, detail) = rules.contradiction().unwrap();
        assert_eq!(key, "callback.static_header");
        assert!(detail.starts_with("'X Token' is no name"), "{detail}");
        assert_eq!(CallbackRules::default().contradiction(), None);
    }
}
