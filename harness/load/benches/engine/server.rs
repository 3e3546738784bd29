//! A server in a process of its own that answers each request at once, on one thread.

use std::error::Error;
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use rustix::event::{PollFd, PollFlags, poll};

/// The argument with which the benchmark is this server.
pub(crate) const ARGUMENT: &str = "--server";

const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// The process of a server, which ends with this value.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start() -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process = command
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or("the server has no output")?;
        let mut url = String::new();
        BufReader::new(output).read_line(&mut url)?;
        let url = url.trim().to_owned();
        Ok(Self { process, url })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that has ended already needs no signal.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves until the process that started it ends.
pub(crate) fn serve() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    writeln!(io::stdout(), "http://{}/", listener.local_addr()?)?;
    let input = io::stdin();
    let mut streams: Vec<TcpStream> = Vec::new();
    loop {
        let mut sockets: Vec<_> = streams
            .iter()
            .map(|it| PollFd::new(it, PollFlags::IN))
            .collect();
        sockets.push(PollFd::new(&listener, PollFlags::IN));
        sockets.push(PollFd::new(&input, PollFlags::IN));
        poll(&mut sockets, None)?;
        let ready = sockets.iter().map(|it| !it.revents().is_empty());
        let mut ready: Vec<bool> = ready.collect();
        if ready.pop() == Some(true) {
            return Ok(());
        }
        let is_accepting = ready.pop() == Some(true);
        let mut ready = ready.into_iter();
        streams.retain_mut(|stream| ready.next() != Some(true) || answer(stream));
        while is_accepting && let Ok((stream, _)) = listener.accept() {
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
    }
}

/// Answers what arrived on a connection; false at its end. No request of the benchmark arrives in parts.
fn answer(stream: &mut TcpStream) -> bool {
    let mut input = [0; 4096];
    match stream.read(&mut input) {
        Ok(0) => false,
        Ok(length) => {
            let ends = input[..length].windows(4).filter(|it| it == b"\r\n\r\n");
            ends.map(|_| stream.write_all(RESPONSE))
                .all(|it| it.is_ok())
        }
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}
