//! Texts without what differs between two occurrences of one cause: hosts, ids, times, markers, numbers.

/// The shortest word of letters and digits that counts as a random marker.
const MARKER: usize = 8;

/// The text without hosts, ids, times and random markers.
pub(super) fn without_ids(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for piece in text.split_inclusive(is_separator) {
        let word = piece.trim_end_matches(is_separator);
        let (word, end) = piece.split_at(word.len());
        shown.push_str(&word_without_ids(word));
        shown.push_str(end);
    }
    shown
}

/// The text with every number replaced, to compare it with others.
pub(super) fn without_numbers(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_ascii_digit() && key.ends_with('#') => {}
            c if c.is_ascii_digit() => key.push('#'),
            c => key.push(c),
        }
    }
    key
}

/// The path of a URL with its ids replaced by their names, without host and query.
pub(super) fn route(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |start| &rest[start..]);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut previous = "";
    let segments = path.split('/').map(|segment| {
        let shown = if is_id(segment) {
            let extension = segment.rsplit_once('.').map(|(_, extension)| extension);
            let extension = extension.filter(|it| it.len() <= 4).unwrap_or_default();
            let dot = if extension.is_empty() { "" } else { "." };
            format!("{{{}}}{dot}{extension}", id_name(previous))
        } else {
            segment.to_owned()
        };
        previous = segment;
        shown
    });
    segments.collect::<Vec<_>>().join("/")
}

/// The name of the id that follows this segment of a path.
fn id_name(segment: &str) -> &'static str {
    match segment {
        "jobs" | "llamaparse" => "job_id",
        "documents" => "document_id",
        "user" | "users" => "user_id",
        _ => "id",
    }
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || "'\"`()[]{},;<>".contains(c)
}

fn word_without_ids(word: &str) -> String {
    if word.starts_with("http://") || word.starts_with("https://") {
        let end = word.trim_end_matches([':', '.']);
        return route(end) + &word[end.len()..];
    }
    let bare = word.trim_end_matches([':', '.', '!', '?']);
    let end = &word[bare.len()..];
    if is_time(bare) {
        return format!("{{time}}{end}");
    }
    if is_address(bare) {
        return format!("{{host}}{end}");
    }
    let parts = bare.split_inclusive(['/', '=', ':']);
    let parts = parts.map(|part| {
        let name = part.trim_end_matches(['/', '=', ':']);
        if is_id(name) {
            format!("{{id}}{}", &part[name.len()..])
        } else {
            part.to_owned()
        }
    });
    parts.collect::<String>() + end
}

/// Whether a word is a UUID, a hash, a long number or a random marker.
fn is_id(word: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '%' | '~');
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let letters = word.chars().filter(char::is_ascii_alphabetic).count();
    let hex = word.len() >= 16 && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    let mixed = word.len() >= MARKER && digits >= 2 && letters > 0;
    let number = letters == 0 && digits >= 4;
    !word.is_empty() && word.chars().all(is_word) && (hex || mixed || number)
}

/// Whether a word begins like `2026-11-24T12:00`.
fn is_time(word: &str) -> bool {
    let bytes = word.as_bytes();
    let is_digit = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_digit);
    let is = |index: usize, byte: u8| bytes.get(index) == Some(&byte);
    (0..4).all(is_digit) && is(4, b'-') && is(7, b'-') && (is(10, b'T') || bytes.len() == 10)
}

/// Whether a word is a host with a port.
fn is_address(word: &str) -> bool {
    word.rsplit_once(':').is_some_and(|(host, port)| {
        !port.is_empty()
            && port.bytes().all(|byte| byte.is_ascii_digit())
            && (host == "localhost" || host.split('.').count() == 4)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_has_names_instead_of_ids() {
        let id = "601684e6-b1cd-5438-a22f-907eea07a897";
        for (url, expected) in [
            (
                format!("http://127.0.0.1:8000/api/v2/jobs/{id}?a=1"),
                "/api/v2/jobs/{job_id}",
            ),
            (
                format!("https://x/api/v2/documents/{id}"),
                "/api/v2/documents/{document_id}",
            ),
            (
                format!("http://h:1/files/user/{id}/raw/1f2e3d4c.pdf"),
                "/files/user/{user_id}/raw/{id}.pdf",
            ),
            ("http://h/api/v2/upload".to_owned(), "/api/v2/upload"),
            ("http://h".to_owned(), "/"),
        ] {
            assert_eq!(route(&url), expected);
        }
    }

    #[test]
    fn two_occurrences_of_one_cause_have_one_text() {
        for (text, expected) in [
            (
                "the response to GET http://127.0.0.1:4711/api/v2/jobs/601684e6-b1cd-5438-a22f-907eea07a897 has no /state",
                "the response to GET /api/v2/jobs/{job_id} has no /state",
            ),
            (
                "created at 2026-11-24T12:00:01.5Z, not later",
                "created at {time}, not later",
            ),
            (
                "job 601684e6-b1cd-5438-a22f-907eea07a897: it ends",
                "job {id}: it ends",
            ),
            ("connect to 127.0.0.1:5432", "connect to {host}"),
            (
                "the marker 'qx7k2m9p4' is missing",
                "the marker '{id}' is missing",
            ),
            (
                "3 of 17 chunks have no vector",
                "3 of 17 chunks have no vector",
            ),
        ] {
            assert_eq!(without_ids(text), expected);
        }
        assert_eq!(without_numbers("3 of 17 chunks"), "# of # chunks");
    }
}
