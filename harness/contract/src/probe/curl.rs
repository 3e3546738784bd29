//! The `curl` command that repeats a request: safe to paste, with shell variables instead of secrets.

use http::{HeaderName, HeaderValue, Method, header};
use sha2::{Digest as _, Sha256};

use super::request::Request;
use super::{body_excerpt, mask};

/// Longer bodies are read from a file, because the length of a command line is limited.
const MAX_INLINE_BODY: usize = 16 * 1024;

/// The `curl` command that repeats the request.
pub(super) fn command(request: &Request) -> String {
    let mut words = vec!["curl -sS -i --globoff --path-as-is".to_owned()];
    words.push(format!("--max-time {}", request.deadline.as_secs().max(1)));
    match request.method {
        Method::GET if request.body.is_empty() => {}
        Method::HEAD => words.push("--head".to_owned()),
        ref method => words.push(format!("-X {}", quoted(method.as_str()))),
    }
    words.extend(
        request
            .headers
            .iter()
            .map(|(name, value)| header(name, value)),
    );
    if !request.body.is_empty() {
        if !request.headers.contains_key(header::CONTENT_TYPE) {
            // Otherwise curl would add its default type.
            words.push("-H 'content-type:'".to_owned());
        }
        words.push(payload(&request.body));
    }
    words.push(url_argument(&request.url));
    words.join(" ")
}

fn header(name: &HeaderName, value: &HeaderValue) -> String {
    if !mask::is_credential(name, value) {
        // `name;` makes curl send a header without a value.
        let line = match mask::text(value) {
            value if value.is_empty() => format!("{name};"),
            value => format!("{name}: {value}"),
        };
        return format!("-H {}", quoted(&line));
    }
    let variable = name.as_str().replace('-', "_").to_uppercase();
    if mask::text(value).starts_with("Bearer ") {
        format!("-H \"{name}: Bearer $TOKEN\"")
    } else {
        format!("-H \"{name}: ${variable}\"")
    }
}

fn payload(content: &[u8]) -> String {
    match body_excerpt::as_text(content) {
        // --data-raw does not interpret a leading @; both options send the bytes unchanged.
        Some(text) if text.len() <= MAX_INLINE_BODY => format!("--data-raw {}", quoted(text)),
        _ => {
            let sha256 = hex::encode(Sha256::digest(content));
            format!("--data-binary @body-sha256-{sha256}")
        }
    }
}

/// The URL, with a shell variable instead of each token.
fn url_argument(url: &url::Url) -> String {
    quoted(&mask::tokens(url.as_str(), "\0")).replace('\0', "'\"$URL_TOKEN\"'")
}

/// Quotes a text as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use url::Url;

    use super::*;
    use cutover_evidence::secret::Secret;

    fn request() -> Request {
        Request::post(Url::parse("http://127.0.0.1:1/a?b=[c]").unwrap())
    }

    /// The arguments that a shell passes to curl.
    fn arguments(command: &str) -> Vec<String> {
        let script = format!("curl() {{ printf '%s\\0' \"$@\"; }}\n{command}");
        let output = Command::new("sh")
            .env("TOKEN", "t0ken")
            .env("APIKEY", "k3y")
            .env("URL_TOKEN", "s1gned")
            .args(["-c", &script])
            .output()
            .unwrap();
        assert!(output.status.success(), "{command}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_terminator('\0').map(str::to_owned).collect()
    }

    #[test]
    fn shell_metacharacters_reach_curl_unchanged() {
        for hostile in [
            "it's",
            "$(touch /tmp/x)",
            "`id`",
            "@/etc/passwd",
            "a\nb\\",
            "\"; rm -rf x; '",
            "!{}*",
        ] {
            let command = command(&request().body("text/plain", hostile));
            let arguments = arguments(&command);
            let at = arguments
                .iter()
                .position(|word| word == "--data-raw")
                .unwrap();
            assert_eq!(arguments[at + 1], hostile);
        }
    }

    #[test]
    fn secrets_are_shell_variables() {
        let mut request = request().bearer(&Secret::new("very-secret"));
        request = request.secret_header("apikey", &Secret::new("very-secret"));
        request
            .url
            .query_pairs_mut()
            .append_pair("token", "very-secret");
        let command = command(&request);
        assert!(!command.contains("very-secret"), "{command}");
        let arguments = arguments(&command);
        assert!(
            arguments.contains(&"authorization: Bearer t0ken".to_owned()),
            "{arguments:?}"
        );
        assert!(
            arguments.contains(&"apikey: k3y".to_owned()),
            "{arguments:?}"
        );
        assert_eq!(
            arguments.last().unwrap(),
            "http://127.0.0.1:1/a?b=[c]&token=s1gned"
        );
    }

    #[test]
    fn a_binary_body_is_read_from_a_file() {
        let command = command(&request().body("application/pdf", *b"%PDF\0"));
        assert!(command.contains("--data-binary @body-sha256-"), "{command}");
    }
}
