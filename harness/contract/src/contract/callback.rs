//! Authentication of the parser's callback: the rules, the keys, and the headers of one callback.

use http::HeaderName;
use percent_encoding::percent_decode_str;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::pointer::Pointer;
use super::signature::sign;
use crate::probe::Request;
use cutover_evidence::secret::Secret;

/// How the parser's callback is authenticated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallbackRules {
    /// The method.
    pub auth: CallbackAuth,
    /// The header with the HMAC-SHA256 of the body's bytes, in lower-case hex.
    pub signature_header: String,
    /// The header with the static secret.
    pub static_header: String,
    /// The form field of a submission that contains the job's secret.
    pub secret_field: String,
    /// The query parameter of the callback URL that contains the token. Without it, the token is
    /// the segment `{token}` of the callback route.
    #[serde(default = "default_token_parameter")]
    pub token_parameter: String,
    /// The parser's id of the submission, in the body of a callback.
    pub submission_id: Pointer,
    /// What the parser writes as the text of an empty page.
    pub empty_page: String,
    /// What stands in a text for half a surrogate pair, which no text can hold: a character, or
    /// nothing where it is removed.
    pub half_surrogate: String,
}

fn default_token_parameter() -> String {
    "token".to_owned()
}

/// The rules of the default contract.
impl Default for CallbackRules {
    fn default() -> Self {
        Self {
            auth: CallbackAuth::Hmac,
            signature_header: "X-Webhook-Signature".to_owned(),
            static_header: "X-Callback-Token".to_owned(),
            secret_field: "webhook_secret".to_owned(),
            token_parameter: default_token_parameter(),
            submission_id: Pointer::to("/id"),
            empty_page: "NO_CONTENT_HERE".to_owned(),
            half_surrogate: char::REPLACEMENT_CHARACTER.to_string(),
        }
    }
}

impl CallbackRules {
    /// The token of a callback URL that the pipeline gave the parser; `route` is the path of the
    /// callback route, with `{token}` where the token is a segment.
    pub fn token_of(&self, url: &str, route: &str) -> Option<Secret> {
        let url = Url::parse(url).ok()?;
        let token = if self.token_parameter.is_empty() {
            let segments = route.trim_end_matches('/').rsplit('/');
            let place = segments
                .into_iter()
                .position(|segment| segment == "{token}")?;
            let path = url.path().trim_end_matches('/');
            let segment = path.rsplit('/').nth(place)?;
            percent_decode_str(segment).decode_utf8().ok()?.into_owned()
        } else {
            let mut pairs = url.query_pairs();
            let (_, token) = pairs.find(|(name, _)| *name == self.token_parameter)?;
            token.into_owned()
        };
        (!token.is_empty()).then(|| Secret::new(token))
    }

    /// The key of an invalid header name or replacement, and the remedy.
    pub(super) fn contradiction(&self) -> Option<(String, String)> {
        if self.half_surrogate.chars().nth(1).is_some() {
            let detail = format!(
                "'{}' is more than one character; write the character that replaces half a surrogate pair, or \"\" if it \
                 is removed",
                self.half_surrogate
            );
            return Some(("callback.half_surrogate".to_owned(), detail));
        }
        [
            ("signature_header", &self.signature_header),
            ("static_header", &self.static_header),
        ]
        .into_iter()
        .find(|(_, name)| HeaderName::try_from(name.as_str()).is_err())
        .map(|(key, name)| {
            let detail =
                format!("'{name}' is not a valid header name such as \"X-Callback-Token\"");
            (format!("callback.{key}"), detail)
        })
    }
}

/// The authentication method of callbacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallbackAuth {
    /// A signature over the body with the job's secret.
    Hmac,
    /// A secret in a header, the same for every job. It does not protect the body.
    StaticHeader,
    /// Both.
    Both,
    /// A token in the callback URL that the pipeline gives the parser. It does not protect the body.
    UrlToken,
    /// None: any sender can report a result for a job whose id it knows.
    None,
}

impl CallbackAuth {
    /// Its value in a contract file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hmac => "hmac",
            Self::StaticHeader => "static_header",
            Self::Both => "both",
            Self::UrlToken => "url_token",
            Self::None => "none",
        }
    }

    /// Whether callbacks carry any proof of their sender.
    pub fn is_given(self) -> bool {
        self != Self::None
    }

    /// Whether the proof for one job is not valid for another.
    pub fn is_per_job(self) -> bool {
        self.signs() || self.is_in_url()
    }

    /// Whether the callback URL contains a token.
    pub fn is_in_url(self) -> bool {
        self == Self::UrlToken
    }

    /// Whether a signature is required.
    pub fn signs(self) -> bool {
        matches!(self, Self::Hmac | Self::Both)
    }

    /// Whether the static secret is required.
    pub fn has_token(self) -> bool {
        matches!(self, Self::StaticHeader | Self::Both)
    }
}

/// The keys that authenticate the callbacks of one job; keys that the contract does not require are `None`.
#[derive(Clone, Debug, Default)]
pub struct CallbackKeys {
    /// The job's secret.
    pub secret: Option<Secret>,
    /// The static secret.
    pub token: Option<Secret>,
    /// The token of the callback URL.
    pub url_token: Option<Secret>,
}

impl CallbackKeys {
    /// The valid proof for a body.
    pub fn proof(&self, body: &[u8]) -> Proof {
        let secret = self.secret.as_ref();
        Proof {
            signature: secret.map(|secret| sign(secret, body)),
            token: self.token.clone(),
            url_token: self.url_token.clone(),
        }
    }
}

/// The authentication data of one callback; the default is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// The signature of the body.
    pub signature: Option<String>,
    /// The static secret.
    pub token: Option<Secret>,
    /// The token of the callback URL.
    pub url_token: Option<Secret>,
}

impl Proof {
    /// The same proof with every part changed.
    #[must_use]
    pub fn tampered(&self, tamper: impl Fn(&str) -> String) -> Self {
        let changed = |token: &Secret| Secret::new(tamper(token.expose()));
        Self {
            signature: self.signature.as_deref().map(&tamper),
            token: self.token.as_ref().map(changed),
            url_token: self.url_token.as_ref().map(changed),
        }
    }

    /// The token of the URL, if it is a query parameter.
    fn query_token(&self, rules: &CallbackRules) -> Option<&Secret> {
        let is_parameter = !rules.token_parameter.is_empty();
        self.url_token.as_ref().filter(|_| is_parameter)
    }

    /// The segment `{token}` of the callback route.
    pub(super) fn segment(&self) -> &str {
        self.url_token.as_ref().map_or("", Secret::expose)
    }

    /// Adds each part, with a value that is masked in the evidence, as a header with a value that is masked in the evidence.
    pub(super) fn apply_to(&self, mut request: Request, rules: &CallbackRules) -> Request {
        if let Some(signature) = &self.signature {
            let signature = Secret::new(signature.as_str());
            request = request.secret_header(&rules.signature_header, &signature);
        }
        if let Some(token) = &self.token {
            request = request.secret_header(&rules.static_header, token);
        }
        if let Some(token) = self.query_token(rules) {
            request = request.query([(&rules.token_parameter, token.expose())]);
        }
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Contract;

    #[test]
    fn the_default_rules_are_those_of_the_default_contract() {
        assert_eq!(CallbackRules::default(), Contract::fixture().callback);
    }

    #[test]
    fn a_proof_contains_one_part_per_key() {
        let (secret, token) = (Some(Secret::new("Jefe")), Some(Secret::new("t")));
        let signed = CallbackKeys {
            secret,
            ..CallbackKeys::default()
        };
        assert_eq!(signed.proof(b"").token, None);
        let with_token = CallbackKeys {
            token,
            ..CallbackKeys::default()
        };
        assert_eq!(with_token.proof(b"a"), with_token.proof(b"b"));
        assert_ne!(signed.proof(b"a"), signed.proof(b"b"));
        let tampered = with_token.proof(b"").tampered(|part| format!("{part}!"));
        assert_eq!(tampered.token.unwrap().expose(), "t!");
        assert_eq!(tampered.signature, None);
    }

    #[test]
    fn the_token_of_a_url_is_a_parameter_or_a_segment() {
        let mut rules = CallbackRules::default();
        let token = |rules: &CallbackRules, url, route| {
            let token = rules.token_of(url, route);
            token.map(|token| token.expose().to_owned())
        };
        let url = "https://api.test/hooks/7?x=1&token=a%2Bb";
        assert_eq!(
            token(&rules, url, "/hooks/{job_id}").as_deref(),
            Some("a+b")
        );
        assert_eq!(
            token(&rules, "https://api.test/hooks/7", "/hooks/{job_id}"),
            None
        );
        rules.token_parameter.clear();
        let route = "{prefix}/hooks/{token}/{job_id}";
        let url = "https://api.test/api/hooks/se%20cret/7";
        assert_eq!(token(&rules, url, route).as_deref(), Some("se cret"));
    }

    #[test]
    fn half_a_surrogate_pair_becomes_one_character_or_none() {
        let rules = |text: &str| CallbackRules {
            half_surrogate: text.to_owned(),
            ..CallbackRules::default()
        };
        for valid in ["", "?", "\u{fffd}"] {
            assert_eq!(rules(valid).contradiction(), None, "{valid}");
        }
        let (key, detail) = rules("??").contradiction().unwrap();
        assert_eq!(key, "callback.half_surrogate");
        assert!(detail.contains("or \"\" if it is removed"), "{detail}");
    }

    #[test]
    fn the_error_names_an_invalid_header() {
        let rules = CallbackRules {
            static_header: "X Token".to_owned(),
            ..CallbackRules::default()
        };
        let (key, detail) = rules.contradiction().unwrap();
        assert_eq!(key, "callback.static_header");
        assert!(
            detail.starts_with("'X Token' is not a valid header name"),
            "{detail}"
        );
        assert_eq!(CallbackRules::default().contradiction(), None);
    }
}
