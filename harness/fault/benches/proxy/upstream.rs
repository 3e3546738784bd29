//! The dependency: an echo, a sink that confirms the end, and a record of arrivals.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// What a connection is used for; its first byte says it.
pub(crate) const ECHO: u8 = 0;
pub(crate) const SINK: u8 = 1;
pub(crate) const RECORD: u8 = 2;

/// When each message of a recorded connection arrived, by its number.
pub(crate) static ARRIVALS: Mutex<Vec<(u8, u8, Instant)>> = Mutex::new(Vec::new());

/// Serves connections, each on a thread of its own.
pub(crate) fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A broken connection is what some measurements end with.
            thread::spawn(|| drop(serve(stream)));
        }
    });
    Ok(address)
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut kind = [0];
    stream.read_exact(&mut kind)?;
    let mut buffer = vec![0; 256 * 1024];
    match kind[0] {
        SINK => {
            while stream.read(&mut buffer)? > 0 {}
            stream.write_all(&[1])
        }
        RECORD => loop {
            let mut message = [0; 2];
            stream.read_exact(&mut message)?;
            let arrivals = ARRIVALS.lock();
            let mut arrivals = arrivals.unwrap_or_else(PoisonError::into_inner);
            arrivals.push((message[0], message[1], Instant::now()));
        },
        _ => loop {
            let read = stream.read(&mut buffer)?;
            if read == 0 {
                return Ok(());
            }
            stream.write_all(&buffer[..read])?;
        },
    }
}
