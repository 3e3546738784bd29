//! The measurements, made by a client on blocking sockets.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::PoisonError;
use std::thread;
use std::time::{Duration, Instant};

use crate::Measured;
use crate::statistics::Samples;
use crate::subject::Subject;
use crate::upstream::{ARRIVALS, ECHO, RECORD, SINK};

/// A transfer that takes longer is given up.
const GIVE_UP: Duration = Duration::from_secs(3);

fn connect(address: SocketAddr, kind: u8) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(GIVE_UP))?;
    stream.set_write_timeout(Some(GIVE_UP))?;
    stream.write_all(&[kind])?;
    Ok(stream)
}

/// How long requests take until their response has come.
pub(crate) fn exchanges(address: SocketAddr, count: usize) -> io::Result<Samples> {
    let mut stream = connect(address, ECHO)?;
    let mut samples = Samples::default();
    let mut buffer = [7; 64];
    for number in 0..count + 100 {
        let start = Instant::now();
        stream.write_all(&buffer)?;
        stream.read_exact(&mut buffer)?;
        // The first exchanges warm the connection up.
        if number >= 100 {
            samples.add(start.elapsed());
        }
    }
    Ok(samples)
}

/// Exchanges per second: `each` of them on each of `at_once` parallel connections.
pub(crate) fn exchange_rate(address: SocketAddr, at_once: usize, each: usize) -> Measured<f64> {
    let start = Instant::now();
    let clients = (0..at_once).map(|_| thread::spawn(move || exchanges(address, each)));
    let mut count = 0.0;
    for client in clients.collect::<Vec<_>>() {
        let samples = client.join().map_err(|_| "a client has panicked")??;
        count += samples.count();
    }
    Ok(count / start.elapsed().as_secs_f64())
}

/// Megabytes per second until the sink has confirmed the end; 0 if it has not in time.
pub(crate) fn bulk(address: SocketAddr, megabytes: usize) -> io::Result<f64> {
    let mut stream = connect(address, SINK)?;
    let chunk = vec![7; 1_000_000];
    let start = Instant::now();
    let mut sent = 0.0;
    while sent < f64::from(u32::try_from(megabytes).unwrap_or(u32::MAX)) {
        let gives_up = start.elapsed() > GIVE_UP;
        if gives_up || stream.write_all(&chunk).is_err() {
            return Ok(sent / start.elapsed().as_secs_f64());
        }
        sent += 1.0;
    }
    stream.shutdown(Shutdown::Write)?;
    let confirmed = stream.read_exact(&mut [0]);
    Ok(confirmed.map_or(0.0, |()| sent / start.elapsed().as_secs_f64()))
}

/// How long each message takes to the upstream; lost ones are missing.
pub(crate) fn message_delays(address: SocketAddr, count: usize) -> io::Result<Samples> {
    let arrivals = || ARRIVALS.lock().unwrap_or_else(PoisonError::into_inner);
    arrivals().clear();
    let mut stream = connect(address, RECORD)?;
    let start = Instant::now();
    let mut sent = Vec::new();
    for number in 0..count {
        let due = start + Duration::from_millis(5) * u32::try_from(number).unwrap_or(u32::MAX);
        // A message each 5 ms.
        thread::sleep(due.saturating_duration_since(Instant::now()));
        sent.push(Instant::now());
        stream.write_all(&u16::try_from(number).unwrap_or(u16::MAX).to_be_bytes())?;
    }
    drop(stream);
    // The last messages are still delayed, by 50 ms or a multiple of it.
    thread::sleep(Duration::from_millis(500));
    let mut samples = Samples::default();
    for (high, low, arrived) in arrivals().iter() {
        let number = usize::from(u16::from_be_bytes([*high, *low]));
        if let Some(sent) = sent.get(number) {
            samples.add(arrived.duration_since(*sent));
        }
    }
    Ok(samples)
}

/// From a reset to the error that a waiting client reads.
pub(crate) fn applied(subject: &Subject, count: usize) -> Measured<Samples> {
    let mut samples = Samples::default();
    for _ in 0..count {
        let mut stream = connect(subject.address(), ECHO)?;
        stream.write_all(&[7])?;
        stream.read_exact(&mut [0])?;
        let reader = thread::spawn(move || {
            let ending = stream.read(&mut [0]);
            (
                Instant::now(),
                ending.is_err() || ending.is_ok_and(|read| read == 0),
            )
        });
        // Until the thread waits for the connection.
        thread::sleep(Duration::from_millis(2));
        let start = Instant::now();
        let guard = subject.reset()?;
        let (ended, has_ended) = reader.join().map_err(|_| "the reader has panicked")?;
        if !has_ended {
            return Err("the connection has not ended".into());
        }
        samples.add(ended.duration_since(start));
        drop(guard);
    }
    Ok(samples)
}

/// The time to open, use once and close `count` connections, one after the other.
pub(crate) fn connections(address: SocketAddr, count: usize) -> io::Result<Duration> {
    let start = Instant::now();
    for _ in 0..count {
        let mut stream = connect(address, ECHO)?;
        stream.write_all(&[7])?;
        stream.read_exact(&mut [0])?;
    }
    Ok(start.elapsed())
}

pub(crate) fn descriptors() -> io::Result<usize> {
    Ok(std::fs::read_dir("/proc/self/fd")?.count())
}

/// Whether all descriptors beyond `before` are closed within a time.
pub(crate) fn is_descriptor_free(before: usize, time: Duration) -> io::Result<bool> {
    let deadline = Instant::now() + time;
    while descriptors()? > before {
        if Instant::now() > deadline {
            return Ok(false);
        }
        // The other ends are closed by other threads.
        thread::sleep(Duration::from_millis(5));
    }
    Ok(true)
}
