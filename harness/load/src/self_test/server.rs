//! A server on the loopback address whose response times are known.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What a server does before it answers.
#[derive(Clone, Copy, Debug)]
pub enum Behaviour {
    /// It holds each request for this long.
    Delay(Duration),
    /// It answers nothing for some time.
    Stall {
        /// From the first request until the stall.
        after: Duration,
        /// How long it lasts.
        lasts: Duration,
    },
    /// It sends this text instead of a response, and closes the connection.
    Raw(&'static str),
}

/// A server of this process, with a thread for each connection.
#[derive(Debug)]
pub struct TestServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    behaviour: Behaviour,
    first: OnceLock<Instant>,
    holds: Mutex<Vec<Duration>>,
    is_over: AtomicBool,
}

impl TestServer {
    /// Starts a server on a free port.
    pub fn start(behaviour: Behaviour) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            behaviour,
            first: OnceLock::new(),
            holds: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        thread::Builder::new().spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if accepting.is_over.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&accepting);
                // A client that goes away ends its connection.
                thread::spawn(move || drop(shared.serve(&stream)));
            }
        })?;
        Ok(Self { address, shared })
    }

    /// The address of a page.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// How long requests were really held, as the server measured it.
    pub fn median_hold(&self) -> Option<Duration> {
        let holds = self.shared.holds.lock();
        let mut holds = holds.unwrap_or_else(PoisonError::into_inner).clone();
        holds.sort_unstable();
        holds.get(holds.len() / 2).copied()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts. If it fails, that thread has ended.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if line != "\r\n" {
                continue;
            }
            let arrived = Instant::now();
            self.hold(arrived);
            if let Behaviour::Raw(text) = self.behaviour {
                return (&*stream).write_all(text.as_bytes());
            }
            let holds = self.holds.lock();
            holds
                .unwrap_or_else(PoisonError::into_inner)
                .push(arrived.elapsed());
            (&*stream).write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")?;
        }
    }

    fn hold(&self, arrived: Instant) {
        let first = *self.first.get_or_init(|| arrived);
        let hold = match self.behaviour {
            Behaviour::Delay(delay) => delay,
            Behaviour::Stall { after, lasts } if arrived >= first + after => {
                (first + after + lasts).saturating_duration_since(arrived)
            }
            Behaviour::Stall { .. } | Behaviour::Raw(_) => Duration::ZERO,
        };
        if !hold.is_zero() {
            // The delay is what this server is for.
            thread::sleep(hold);
        }
    }
}
