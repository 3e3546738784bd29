//! Scripts: how a stand-in deviates from serving well, for which calls, how often.

use serde::{Deserialize, Serialize};

/// A script's handle, unique within one stand-in process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScriptId(pub u64);

/// How a stand-in answers the calls in a scope.
///
/// Of several scripts that match a call, the oldest with calls left applies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script<B> {
    /// A text that the call's subject must contain; empty means every call. The
    /// subject is, for the parser, the file's SHA-256 in hex, the job id and the
    /// extracted text; for the embedder, its inputs; for storage, method and
    /// object path (`PUT files/user/…`); for identity, the bearer token. Asking
    /// parser or embedder whether they are there has the subject `GET /…`.
    pub scope: String,
    /// For how many calls; `None` means for all.
    pub times: Option<u32>,
    /// What it does.
    pub behaviour: B,
}

/// How the parser treats one submission. The default serves well.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ParserBehaviour {
    /// What it answers to the submission.
    pub answer: ParserAnswer,
    /// How it calls back.
    pub callback: Callback,
}

/// What the parser answers to a submission.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParserAnswer {
    /// 200 and an id.
    #[default]
    Accept,
    /// This status, with a body that names the marker; no callback follows.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// The text of the error.
        marker: String,
        /// `Retry-After`, in seconds.
        retry_after_s: Option<u32>,
    },
    /// Takes the request and never answers.
    Hang,
    /// 200 and a body that is not JSON; no callback follows.
    Garbage,
    /// 200 after this long, in milliseconds.
    Late {
        /// The delay.
        delay_ms: u64,
    },
}

/// How the parser calls back about an accepted submission.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Callback {
    /// When.
    pub moment: CallbackMoment,
    /// How many times the same callback is sent.
    pub times: u32,
    /// What the payload looks like.
    pub shape: PayloadShape,
    /// The outcome it reports.
    pub status: CallbackStatus,
    /// The text it carries.
    pub text: ParsedText,
    /// How it proves where it comes from: the signature, the static secret, or both.
    pub signature: Signature,
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
        }
    }
}

/// When the parser calls back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackMoment {
    /// At once after the answer.
    #[default]
    AfterAnswer,
    /// This long after the answer, in milliseconds.
    Late {
        /// The delay.
        delay_ms: u64,
    },
    /// Before the submission is answered: the answer waits for the callback's own
    /// answer, but no longer than a second.
    BeforeAnswer,
    /// Not at all.
    Never,
}

/// What the payload of a callback looks like.
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
    /// JSON with the text under a key that nobody uses.
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
    /// A word of the provider's that the pipeline may not know.
    Other {
        /// The word.
        word: String,
    },
}

/// The text that a callback carries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParsedText {
    /// What was extracted from the PDF that was submitted.
    #[default]
    Extracted,
    /// This text.
    Literal {
        /// The text; pages are separated by a form feed.
        text: String,
    },
}

/// How a callback is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signature {
    /// With the secret that the submission carried.
    #[default]
    Valid,
    /// With another secret.
    Wrong,
    /// Not at all.
    Missing,
}

/// How the embedder treats one call. The default serves well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmbedderBehaviour {
    /// Vectors in order.
    #[default]
    Serve,
    /// This status.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// The text of the error.
        marker: String,
        /// `Retry-After`, in seconds.
        retry_after_s: Option<u32>,
    },
    /// Takes the request and never answers.
    Hang,
    /// One vector too few.
    Short,
    /// The vectors in reverse order, each with its right `index`.
    Reordered,
    /// Vectors of zeros.
    Zero,
    /// Vectors with a number that is not one.
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

/// How storage treats one call. The default serves well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StorageBehaviour {
    /// As real Supabase does.
    #[default]
    Serve,
    /// Says that the object does not exist, in real Supabase's way.
    Missing,
    /// This status.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// The text of the error.
        marker: String,
    },
    /// Takes the request and never answers.
    Hang,
    /// Serves after this long, in milliseconds.
    Late {
        /// The delay.
        delay_ms: u64,
    },
    /// Signs with the key `signedURL` instead of `url`, as other versions do.
    OtherSigningKey,
    /// Serves other bytes of the same length than those stored.
    Corrupt,
}

/// How the identity provider treats one call. The default serves well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthBehaviour {
    /// As real Supabase does.
    #[default]
    Serve,
    /// This status.
    Refuse {
        /// The HTTP status.
        status: u16,
    },
    /// Takes the request and never answers.
    Hang,
    /// Serves after this long, in milliseconds.
    Late {
        /// The delay.
        delay_ms: u64,
    },
}
