//! The head of an HTTP/1.1 request: where it ends, and how many bytes of body follow.

/// The longest head that is waited for, in bytes.
const LONGEST: usize = 64 * 1024;

/// The longest method that is waited for, in bytes.
const LONGEST_METHOD: usize = 16;

/// What the first bytes of a stream are.
pub(crate) enum Head {
    /// Something else than an HTTP/1.1 request.
    Other,
    /// The beginning of a head.
    Incomplete,
    /// A whole head.
    Complete(RequestHead),
}

/// A whole head.
pub(crate) struct RequestHead {
    /// Its size, with the empty line.
    pub(crate) size: usize,
    /// The bytes of body to wait for. None, if their number is unknown or the client waits.
    pub(crate) body: u64,
}

impl RequestHead {
    pub(crate) fn read(bytes: &[u8]) -> Head {
        let method = bytes
            .iter()
            .take_while(|byte| byte.is_ascii_uppercase())
            .count();
        let other = bytes
            .get(method)
            .is_some_and(|next| *next != b' ' || method == 0);
        if other || method > LONGEST_METHOD {
            return Head::Other;
        }
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            let waits = bytes.len() < LONGEST;
            return if waits { Head::Incomplete } else { Head::Other };
        };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let mut lines = head.split("\r\n");
        let request = lines.next().unwrap_or_default();
        if !(request.ends_with(" http/1.1") || request.ends_with(" http/1.0")) {
            return Head::Other;
        }
        let fields = lines.filter_map(|line| line.split_once(':'));
        let (mut body, mut waits) = (0, false);
        for (name, value) in fields {
            match name {
                "content-length" => body = value.trim().parse().unwrap_or_default(),
                "expect" => waits = true,
                _ => {}
            }
        }
        Head::Complete(Self {
            size: end + 4,
            body: if waits { 0 } else { body },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<(usize, u64)> {
        match RequestHead::read(bytes) {
            Head::Complete(head) => Some((head.size, head.body)),
            Head::Incomplete | Head::Other => None,
        }
    }

    #[test]
    fn a_head_says_its_size_and_its_body() {
        assert_eq!(read(b"GET / HTTP/1.1\r\n\r\nrest"), Some((18, 0)));
        let post = b"POST /a HTTP/1.1\r\nContent-Length: 12\r\n\r\n";
        assert_eq!(read(post), Some((post.len(), 12)));
        let waits = b"POST /a HTTP/1.1\r\ncontent-length:12\r\nExpect: 100-continue\r\n\r\n";
        assert_eq!(read(waits), Some((waits.len(), 0)));
    }

    #[test]
    fn other_protocols_are_told_from_incomplete_heads() {
        let incomplete: [&[u8]; 3] = [b"", b"GE", b"GET / HTTP/1.1\r\nhost: a\r\n"];
        for bytes in incomplete {
            assert!(
                matches!(RequestHead::read(bytes), Head::Incomplete),
                "{bytes:?}"
            );
        }
        let other: [&[u8]; 4] = [
            b"\0\0\0\x08\x04\xd2\x16\x2f",
            b"\x16\x03\x01",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"Query",
        ];
        for bytes in other {
            assert!(matches!(RequestHead::read(bytes), Head::Other), "{bytes:?}");
        }
    }
}
