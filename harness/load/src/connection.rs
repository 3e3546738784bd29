//! A connection, which is opened when it is needed and kept; nothing it does waits.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::net::sockopt::socket_error;
use rustix::net::{AddressFamily, SocketType, connect, socket};

use crate::HitOutcome;
use crate::request::Message;
use crate::response::{Response, ResponseReader};

/// A connection with at most one request in flight.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    socket: Socket,
    /// The bytes of the request that are sent.
    written: usize,
    reader: ResponseReader,
}

#[derive(Debug, Default)]
enum Socket {
    #[default]
    Closed,
    Opening(TcpStream),
    Open(TcpStream),
}

impl Connection {
    /// Begins to open the connection.
    pub(crate) fn open(&mut self, address: SocketAddr) -> io::Result<()> {
        self.close();
        let family = match address {
            SocketAddr::V4(_) => AddressFamily::INET,
            SocketAddr::V6(_) => AddressFamily::INET6,
        };
        let stream = TcpStream::from(socket(family, SocketType::STREAM, None)?);
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        match connect(&stream, &address) {
            Ok(()) | Err(Errno::INPROGRESS) => self.socket = Socket::Opening(stream),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Closes the connection; the next request opens another.
    pub(crate) fn close(&mut self) {
        *self = Self::default();
    }

    /// Closes the connection if the server has, so that no request is lost on it.
    pub(crate) fn close_if_ended(&mut self) {
        if let Socket::Open(stream) = &self.socket {
            // Without a request in flight, only the end of the connection can be read.
            let waits = matches!(stream.peek(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock);
            if !waits {
                self.close();
            }
        }
    }

    /// Begins a request; its outcome if it has one at once.
    pub(crate) fn send(&mut self, message: &Message, input: &mut [u8]) -> Option<HitOutcome> {
        self.written = 0;
        if matches!(self.socket, Socket::Closed) && self.open(message.address).is_err() {
            return Some(HitOutcome::Connect);
        }
        match self.socket {
            // A response cannot be there yet, so only an error ends the request here.
            Socket::Open(_) => match self.write(message) {
                Ok(()) => None,
                Err(_) => self.receive(message, input),
            },
            Socket::Closed | Socket::Opening(_) => None,
        }
    }

    /// Goes on after its socket became ready; the outcome of the request if it has one.
    pub(crate) fn advance(&mut self, message: &Message, input: &mut [u8]) -> Option<HitOutcome> {
        if matches!(self.socket, Socket::Opening(_)) && self.finish_opening().is_err() {
            self.close();
            return Some(HitOutcome::Connect);
        }
        if self.written < message.bytes.len() {
            // A response may have arrived although the request cannot be sent; reading tells.
            drop(self.write(message));
        }
        self.receive(message, input)
    }

    /// Tells whether a connection that was opening is open.
    pub(crate) fn finish_opening(&mut self) -> io::Result<()> {
        if let Socket::Opening(stream) = std::mem::take(&mut self.socket) {
            socket_error(&stream)??;
            self.socket = Socket::Open(stream);
        }
        Ok(())
    }

    pub(crate) fn is_opening(&self) -> bool {
        matches!(self.socket, Socket::Opening(_))
    }

    /// What its socket waits for; `None` without a socket.
    pub(crate) fn interest(&self, message: &Message) -> Option<PollFd<'_>> {
        let (stream, flags) = match &self.socket {
            Socket::Closed => return None,
            Socket::Opening(stream) => (stream, PollFlags::OUT),
            Socket::Open(stream) if self.written < message.bytes.len() => {
                (stream, PollFlags::IN | PollFlags::OUT)
            }
            Socket::Open(stream) => (stream, PollFlags::IN),
        };
        Some(PollFd::new(stream, flags))
    }

    fn write(&mut self, message: &Message) -> io::Result<()> {
        let Socket::Open(stream) = &mut self.socket else {
            return Ok(());
        };
        while let Some(rest) = message
            .bytes
            .get(self.written..)
            .filter(|it| !it.is_empty())
        {
            match stream.write(rest) {
                Ok(written) => self.written += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads what arrived.
    fn receive(&mut self, message: &Message, input: &mut [u8]) -> Option<HitOutcome> {
        loop {
            let Socket::Open(stream) = &mut self.socket else {
                return Some(HitOutcome::Reset);
            };
            let length = match stream.read(input) {
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return Some(self.ended(None)),
            };
            if length == 0 {
                let response = self.reader.close();
                return Some(self.ended(response));
            }
            match self.reader.read(&input[..length], message.is_head) {
                Ok(Some(response)) => return Some(self.answered(message, response)),
                // What did not fill the buffer was all that had arrived.
                Ok(None) if length < input.len() => return None,
                Ok(None) => {}
                Err(_) => {
                    self.close();
                    return Some(HitOutcome::Protocol);
                }
            }
        }
    }

    fn answered(&mut self, message: &Message, response: Response) -> HitOutcome {
        // A server may answer before it has read the whole request; what follows it would be the rest.
        if !response.keeps_alive || self.written < message.bytes.len() {
            self.close();
        }
        outcome(response)
    }

    fn ended(&mut self, response: Option<Response>) -> HitOutcome {
        self.close();
        response.map_or(HitOutcome::Reset, outcome)
    }
}

fn outcome(response: Response) -> HitOutcome {
    match response.status {
        ..400 => HitOutcome::Ok,
        400..500 => HitOutcome::ClientError,
        500.. => HitOutcome::ServerError,
    }
}
