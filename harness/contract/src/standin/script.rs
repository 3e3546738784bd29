//! Scripts: the faulty behaviour of a stand-in, for which requests, and how often.

use serde::{Deserialize, Serialize};

use super::form::{CallbackForm, ResponseForm};

/// The id of a script, unique within one stand-in process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScriptId(pub u64);

/// The behaviour of a stand-in for the requests in a scope.
///
/// If several scripts match a request, the oldest one with remaining uses applies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script<B> {
    /// A text that the subject of a request must contain; an empty scope matches every
    /// request. Parser: the file's SHA-256 in hex, the job id and the extracted text.
    /// Embedder: the inputs. Storage: method and object path (`PUT files/user/…`).
    /// Identity: the bearer token. The subject of an availability request to the parser
    /// or the embedder is `GET /…`, and so is that of a request for a parse job.
    pub scope: String,
    /// The maximum number of requests; `None` means no limit.
    pub times: Option<u32>,
    /// The form of the response.
    #[serde(default)]
    pub form: ResponseForm,
    /// The behaviour.
    pub behaviour: B,
}

/// The behaviour for one submission to the parser. The default is correct behaviour.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ParserBehaviour {
    /// The response to the submission.
    pub answer: ParserAnswer,
    /// The callback.
    pub callback: Callback,
}

impl ParserBehaviour {
    /// Accepts the submission and never calls back.
    pub fn silent() -> Self {
        Self::calling_back(Callback {
            moment: CallbackMoment::Never,
            ..Callback::default()
        })
    }

    /// Returns this text, whatever the file contains. Pages are separated by a form feed.
    pub fn returning(text: impl Into<String>) -> Self {
        Self::calling_back(Callback {
            text: ParsedText::Literal { text: text.into() },
            ..Callback::default()
        })
    }

    /// Accepts the submission and sends this callback.
    pub fn calling_back(callback: Callback) -> Self {
        Self {
            callback,
            ..Self::default()
        }
    }
}

/// The parser's response to a submission.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParserAnswer {
    /// 200 and an id.
    #[default]
    Accept,
    /// This status, with a body that contains the marker; no callback follows.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// The error text.
        marker: String,
        /// `Retry-After`, in seconds.
        retry_after_s: Option<u32>,
    },
    /// This status and a plain text, as a gateway before the service sends it; no callback follows.
    Plain {
        /// The HTTP status.
        status: u16,
        /// The body.
        text: String,
    },
    /// 200 and this id.
    AcceptAs {
        /// The id of the submission.
        id: String,
    },
    /// Accepts the request and never responds.
    Hang,
    /// 200 and a body that is not JSON; no callback follows.
    Garbage,
    /// 200 after this long, in milliseconds.
    Late {
        /// The delay.
        delay_ms: u64,
    },
}

/// The callback for an accepted submission.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Callback {
    /// The time.
    pub moment: CallbackMoment,
    /// The number of times the same callback is sent.
    pub times: u32,
    /// The format of the payload.
    pub shape: PayloadShape,
    /// The outcome it reports.
    pub status: CallbackStatus,
    /// The text it contains.
    pub text: ParsedText,
    /// The validity of its authentication: the signature, the static secret, or both.
    pub signature: Signature,
    /// The form of the request.
    pub form: CallbackForm,
}

impl Default for Callback {
    fn default() -> Self {
        Self {
            moment: CallbackMoment::default(),
            times: 1,
            shape: PayloadShape::default(),
            status: CallbackStatus::default(),
            text: ParsedText::default(),
            signature: Signature::default(),
            form: CallbackForm::default(),
        }
    }
}

/// The time of the callback.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackMoment {
    /// Immediately after the response.
    #[default]
    AfterAnswer,
    /// This long after the response, in milliseconds.
    Late {
        /// The delay.
        delay_ms: u64,
    },
    /// Before the response to the submission, which waits for the response to the
    /// callback, but at most one second.
    BeforeAnswer,
    /// Never.
    Never,
}

/// The format of a callback's payload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayloadShape {
    /// `{"status", "md", "txt"}`.
    #[default]
    TopLevel,
    /// `{"status", "txt"}`.
    TextOnly,
    /// `{"status", "result": {"md"}}`.
    ResultObject,
    /// `{"status", "result": [{"page", "md"}, …]}`.
    ResultPages,
    /// A body that is not JSON.
    Malformed,
    /// JSON with the text under an unknown key.
    UnknownShape,
}

/// The outcome a callback reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackStatus {
    /// `completed`.
    #[default]
    Completed,
    /// `failed`, with this error.
    Failed {
        /// The error.
        error: String,
    },
    /// A status that the pipeline may not know.
    Other {
        /// The status.
        word: String,
    },
}

/// The text in a callback.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParsedText {
    /// The text of the submitted PDF.
    #[default]
    Extracted,
    /// This text.
    Literal {
        /// The text; pages are separated by a form feed.
        text: String,
    },
}

/// The validity of a callback's signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signature {
    /// Signed with the secret of the submission.
    #[default]
    Valid,
    /// Signed with another secret.
    Wrong,
    /// Not signed.
    Missing,
}

/// The behaviour for one request to the embedder. The default is correct behaviour.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmbedderBehaviour {
    /// The vectors in the order of the inputs.
    #[default]
    Serve,
    /// This status.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// The error text.
        marker: String,
        /// `Retry-After`, in seconds.
        retry_after_s: Option<u32>,
    },
    /// This status and a plain text, as a gateway before the service sends it.
    Plain {
        /// The HTTP status.
        status: u16,
        /// The body.
        text: String,
    },
    /// Accepts the request and never responds.
    Hang,
    /// One vector too few.
    Short,
    /// The vectors in reverse order, each with its correct `index`.
    Reordered,
    /// Zero vectors.
    Zero,
    /// Vectors that contain NaN.
    NotANumber,
    /// Vectors of another dimension.
    WrongDimension,
    /// 200 and a body that is not JSON.
    Garbage,
    /// Vectors after this long, in milliseconds.
    Late {
        /// The delay.
        delay_ms: u64,
    },
}

/// The behaviour for one request to storage. The default is correct behaviour.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StorageBehaviour {
    /// Like real Supabase.
    #[default]
    Serve,
    /// Real Supabase's response for a missing object.
    Missing,
    /// This status.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// The error text.
        marker: String,
    },
    /// Status 400, with this status in the body, as most versions of real Supabase send it.
    RefuseInBody {
        /// The status in the body.
        status: u16,
        /// The error text.
        marker: String,
    },
    /// 400 with the actual status in the body, as Supabase sends most errors.
    InBody {
        /// The body, a JSON object.
        body: serde_json::Value,
    },
    /// This status and a plain text, as a gateway before the service sends it.
    Plain {
        /// The HTTP status.
        status: u16,
        /// The body.
        text: String,
    },
    /// Accepts the request and never responds.
    Hang,
    /// A correct response after this long, in milliseconds.
    Late {
        /// The delay.
        delay_ms: u64,
    },
    /// A signed URL under the key `signedURL` instead of `url`, as in other versions.
    OtherSigningKey,
    /// Bytes that differ from the stored ones, with the same length.
    Corrupt,
}

/// The behaviour for one request to the identity provider. The default is correct behaviour.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthBehaviour {
    /// Like real Supabase.
    #[default]
    Serve,
    /// This status.
    Refuse {
        /// The HTTP status.
        status: u16,
    },
    /// Accepts the request and never responds.
    Hang,
    /// A correct response after this long, in milliseconds.
    Late {
        /// The delay.
        delay_ms: u64,
    },
}
