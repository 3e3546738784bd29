//! Reads HTTP/1 responses as their bytes arrive, and keeps only what determines where each one ends.

use httparse::{EMPTY_HEADER, Header, Status};

/// The largest head of a response, and the longest line between chunks.
const LARGEST_HEAD: usize = 64 * 1024;

/// The largest number of headers.
const MOST_HEADERS: usize = 100;

/// A response that is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Whether another request may be sent on its connection.
    pub(crate) keeps_alive: bool,
}

/// What is not a response of HTTP/1.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ResponseError {
    /// Its status line or a header is wrong.
    #[error("read the head of a response")]
    Head(#[from] httparse::Error),
    /// Its head is too large.
    #[error("read a head of a response of more than {LARGEST_HEAD} bytes")]
    TooLarge,
    /// Its length is no number, or it has several lengths.
    #[error("read the length of a response")]
    Length,
    /// A chunk does not begin with its length, or does not end where it says.
    #[error("read a chunk of a response")]
    Chunk,
}

/// What the next bytes belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Head,
    /// This many bytes of a body without chunks.
    Body(u64),
    /// The length of a chunk.
    ChunkSize,
    /// This many bytes of a chunk.
    Chunk(u64),
    /// The end of a line after a chunk.
    ChunkEnd,
    /// The headers after the last chunk.
    Trailer,
    /// A body that ends with its connection.
    UntilClose,
    End,
}

/// Reads the responses of one connection, one after the other.
#[derive(Debug, Default)]
pub(crate) struct ResponseReader {
    /// Bytes that arrived and belong to no complete part.
    input: Vec<u8>,
    part: Part,
    status: u16,
    keeps_alive: bool,
}

impl ResponseReader {
    /// Adds bytes that arrived; a response if it is complete. A response to HEAD has no body.
    pub(crate) fn read(
        &mut self,
        bytes: &[u8],
        is_head: bool,
    ) -> Result<Option<Response>, ResponseError> {
        self.input.extend_from_slice(bytes);
        let mut at = 0;
        while self.part != Part::End {
            let Some(length) = self.step(at, is_head)? else {
                break;
            };
            at += length;
        }
        self.input.drain(..at);
        if self.part != Part::End {
            let is_too_large = self.input.len() > LARGEST_HEAD;
            return if is_too_large {
                Err(ResponseError::TooLarge)
            } else {
                Ok(None)
            };
        }
        // Bytes after the end of a response answer no request.
        let keeps_alive = self.keeps_alive && self.input.is_empty();
        self.part = Part::Head;
        Ok(Some(Response {
            status: self.status,
            keeps_alive,
        }))
    }

    /// The connection was closed; a response if that is its end.
    pub(crate) fn close(&self) -> Option<Response> {
        (self.part == Part::UntilClose).then_some(Response {
            status: self.status,
            keeps_alive: false,
        })
    }

    /// The number of bytes of the input, from a position, that the current part takes; `None` if it needs
    /// more of them.
    fn step(&mut self, at: usize, is_head: bool) -> Result<Option<usize>, ResponseError> {
        let input = &self.input[at..];
        let (next, length) = match self.part {
            Part::Head => return self.head(at, is_head),
            Part::Body(0) => (Part::End, 0),
            Part::Chunk(0) => (Part::ChunkEnd, 0),
            _ if input.is_empty() => return Ok(None),
            Part::Body(left) => {
                let length = taken(left, input);
                (Part::Body(left - length as u64), length)
            }
            Part::Chunk(left) => {
                let length = taken(left, input);
                (Part::Chunk(left - length as u64), length)
            }
            Part::ChunkSize => match httparse::parse_chunk_size(input) {
                Ok(Status::Complete((length, 0))) => (Part::Trailer, length),
                Ok(Status::Complete((length, size))) => (Part::Chunk(size), length),
                Ok(Status::Partial) => return Ok(None),
                Err(_) => return Err(ResponseError::Chunk),
            },
            Part::ChunkEnd if input.starts_with(b"\r\n") => (Part::ChunkSize, 2),
            Part::ChunkEnd if input == b"\r" => return Ok(None),
            Part::ChunkEnd => return Err(ResponseError::Chunk),
            Part::Trailer => match input.windows(2).position(|two| two == b"\r\n") {
                Some(0) => (Part::End, 2),
                Some(end) => (Part::Trailer, end + 2),
                None => return Ok(None),
            },
            Part::UntilClose => (Part::UntilClose, input.len()),
            Part::End => return Ok(None),
        };
        self.part = next;
        Ok(Some(length))
    }

    /// Reads the head, and determines where the body ends.
    fn head(&mut self, at: usize, is_head: bool) -> Result<Option<usize>, ResponseError> {
        let mut headers = [EMPTY_HEADER; MOST_HEADERS];
        let mut head = httparse::Response::new(&mut headers);
        let Status::Complete(length) = head.parse(&self.input[at..])? else {
            return Ok(None);
        };
        let status = head.code.unwrap_or_default();
        let is_interim = (100..200).contains(&status) && status != 101;
        if is_interim {
            return Ok(Some(length));
        }
        let is_empty = is_head || matches!(status, 101 | 204 | 304);
        let part = if is_empty {
            Part::Body(0)
        } else {
            body(head.headers)?
        };
        let persists = match head.version {
            Some(1) => !has_token(head.headers, "connection", "close"),
            _ => has_token(head.headers, "connection", "keep-alive"),
        };
        self.keeps_alive = persists && part != Part::UntilClose && status != 101;
        (self.part, self.status) = (part, status);
        Ok(Some(length))
    }
}

/// The number of bytes that belong to a part with this many left.
fn taken(left: u64, input: &[u8]) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX).min(input.len())
}

/// How a body ends: RFC 9112, section 6.3.
fn body(headers: &[Header<'_>]) -> Result<Part, ResponseError> {
    if values(headers, "transfer-encoding").next().is_some() {
        let last = values(headers, "transfer-encoding").last();
        let coding = last.and_then(|value| value.rsplit(|byte| *byte == b',').next());
        let is_chunked = coding.is_some_and(|it| it.trim_ascii().eq_ignore_ascii_case(b"chunked"));
        return Ok(if is_chunked {
            Part::ChunkSize
        } else {
            Part::UntilClose
        });
    }
    let mut length = None;
    for value in values(headers, "content-length") {
        let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
        let text = std::str::from_utf8(value).ok().filter(|_| is_number);
        let found = text.and_then(|text| text.parse().ok());
        let found: u64 = found.ok_or(ResponseError::Length)?;
        if length.is_some_and(|length| length != found) {
            return Err(ResponseError::Length);
        }
        length = Some(found);
    }
    Ok(length.map_or(Part::UntilClose, Part::Body))
}

fn values<'a>(headers: &'a [Header<'a>], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    let named = headers
        .iter()
        .filter(move |header| header.name.eq_ignore_ascii_case(name));
    named.map(|header| header.value.trim_ascii())
}

fn has_token(headers: &[Header<'_>], name: &str, token: &str) -> bool {
    let lists = values(headers, name);
    let mut tokens = lists.flat_map(|value| value.split(|byte| *byte == b','));
    tokens.any(|it| it.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OK: &str = "HTTP/1.1 200 OK\r\n";

    /// Reads a response that arrives in pieces; `None` if it is not complete.
    fn read(text: &str, piece: usize) -> Result<Option<Response>, ResponseError> {
        let mut reader = ResponseReader::default();
        let mut pieces = text.as_bytes().chunks(piece.max(1));
        let complete = pieces.find_map(|piece| reader.read(piece, false).transpose());
        complete.transpose().map(|found| found.or(reader.close()))
    }

    fn complete(status: u16, keeps_alive: bool) -> Response {
        Response {
            status,
            keeps_alive,
        }
    }

    proptest! {
        #[test]
        fn where_a_response_ends_does_not_depend_on_how_it_arrives(piece in 1..80_usize) {
            for (text, expected) in [
                ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", (200, true)),
                ("HTTP/1.1 204 No\r\n\r\n", (204, true)),
                ("HTTP/1.1 304 Same\r\ncontent-length: 9\r\n\r\n", (304, true)),
                ("HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 201 Made\r\nContent-Length:0\r\n\r\n", (201, true)),
                ("HTTP/1.1 500 No\r\nConnection: x, Close\r\ncontent-length: 0\r\n\r\n", (500, false)),
                ("HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx", (200, false)),
                ("HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 1\r\n\r\nx", (200, true)),
                ("HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\na: b\r\n\r\n", (200, true)),
                ("HTTP/1.1 404 No\r\n\r\nuntil the end", (404, false)),
            ] {
                prop_assert_eq!(read(text, piece), Ok(Some(complete(expected.0, expected.1))), "{}", text);
            }
        }
    }

    #[test]
    fn two_responses_follow_each_other_on_one_connection() {
        let mut reader = ResponseReader::default();
        let text = format!("{OK}content-length: 2\r\n\r\nok");
        for _ in 0..2 {
            let read = reader.read(text.as_bytes(), false);
            assert_eq!(read, Ok(Some(complete(200, true))));
        }
        let both = format!("{text}{text}");
        let read = ResponseReader::default().read(both.as_bytes(), false);
        assert_eq!(read, Ok(Some(complete(200, false))));
    }

    #[test]
    fn a_response_to_head_has_no_body() {
        let text = format!("{OK}content-length: 1000\r\n\r\n");
        let read = ResponseReader::default().read(text.as_bytes(), true);
        assert_eq!(read, Ok(Some(complete(200, true))));
    }

    #[test]
    fn what_is_not_complete_is_no_response_and_what_is_wrong_is_an_error() {
        for text in [
            "",
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nab",
        ] {
            assert_eq!(read(text, 7), Ok(None), "{text}");
        }
        for headers in [
            "content-length: 1\r\ncontent-length: 2\r\n\r\n",
            "content-length: +1\r\n\r\n",
            "transfer-encoding: chunked\r\n\r\nx\r\n",
            "transfer-encoding: chunked\r\n\r\n1\r\nabc",
            "no colon\r\n\r\n",
        ] {
            assert!(read(&format!("{OK}{headers}"), 7).is_err(), "{headers}");
        }
        let endless = format!("{OK}a: {}", "b".repeat(LARGEST_HEAD));
        assert_eq!(read(&endless, 4_096), Err(ResponseError::TooLarge));
    }
}
