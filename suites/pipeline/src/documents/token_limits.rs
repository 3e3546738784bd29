//! Token limits: no call to the embedder has more tokens than it accepts, whatever the characters of a text.

use cutover_harness::check::Named;
use cutover_harness::prelude::*;

use cutover_suite_support::awaiting_callback::AwaitingCallback;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(no_call_to_the_embedder_exceeds_its_token_limits, CHARACTERS)
            .requires([Http, Standins])
            .effect(Effect::WriteTenant)
            .expected_duration(secs(5))
            .occupies(Resource::Worker)
            .severity(Critical),
    ]
}

/// Characters of which a text has a known number of tokens.
pub(super) struct Characters {
    name: &'static str,
    alphabet: &'static str,
    /// The least number of tokens for ten of them in any order, measured with `cl100k_base`.
    least_tokens: usize,
}

impl Named for Characters {
    fn name(&self) -> &'static str {
        self.name
    }
}

const CHARACTERS: &[Characters] = &[
    Characters {
        name: "chinese",
        alphabet: "保険証券契約条件約款金額支払",
        least_tokens: 13,
    },
    Characters {
        name: "rare_chinese",
        alphabet: "㐂㐄㐆㐉㐊㐌㐖㐙㐝㐟㐠㐡㐣㐤㐥㐧㐨㐩㐪",
        least_tokens: 25,
    },
    Characters {
        name: "four_bytes",
        alphabet: "𒀀𒀁𒀂𒀃𒀄𒀅𒀆𒀇𒀈𒀉𒀊𒀋𒀌𒀍𒀎𒀏",
        least_tokens: 34,
    },
];

/// Two lines of this length fill a chunk.
const LINE_CHARS: usize = 1_940;

/// A text with 1.5 times the tokens that one call may have. Each line begins with the marker and has the characters of
/// the case in a varying order.
fn text(case: &Characters, marker: &str, max_request_tokens: usize) -> String {
    let characters: Vec<char> = case.alphabet.chars().collect();
    let lines = max_request_tokens * 3 / 2 / (LINE_CHARS * case.least_tokens / 10) + 1;
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        characters[(state >> 16) as usize % characters.len()]
    };
    let line = |_| {
        let characters: String = std::iter::repeat_with(&mut next).take(LINE_CHARS).collect();
        format!("{marker} {characters}\n")
    };
    (0..lines).map(line).collect()
}

/// A document completes, and neither an input nor a call has more tokens than the embedder accepts.
async fn no_call_to_the_embedder_exceeds_its_token_limits(
    cx: &Context,
    case: &Characters,
) -> CheckResult {
    let waiting = AwaitingCallback::new(cx).await?;
    let nonce = waiting.document.nonce();
    let limits = &cx.contract().embedder;
    let text = text(case, nonce, limits.max_request_tokens);
    waiting.send_text(&text).await?;
    let job = waiting.pipeline.until_final(&waiting.accepted).await?;
    let tokens = |input: &String| {
        let counted = input.chars().filter(|character| !character.is_ascii());
        counted.count() * case.least_tokens / 10
    };
    for call in cx.standins()?.embedder_calls(nonce).await? {
        let longest = call.inputs.iter().map(tokens).max().unwrap_or_default();
        ensure!(
            longest <= limits.max_input_tokens,
            "a text for the embedder has at least {longest} tokens, but its limit is {}",
            limits.max_input_tokens
        );
        let all: usize = call.inputs.iter().map(tokens).sum();
        ensure!(
            all <= limits.max_request_tokens,
            "a call to the embedder has at least {all} tokens, but its limit is {}",
            limits.max_request_tokens
        );
    }
    ensure_eq!(
        job.status,
        cx.contract().vocabulary.complete,
        "a document of many characters that are not Latin does not complete: {}",
        job.summary()
    );
    Ok(())
}
