//! What became of every request that was due.

use serde::{Deserialize, Serialize};

use crate::HitOutcome;

/// The number of requests with each outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The requests that were due, counted where they are scheduled.
    pub scheduled: u64,
    /// Responses with a status below 400.
    pub ok: u64,
    /// Responses with a status from 400 to 499.
    pub client_errors: u64,
    /// Responses with a status of 500 or more.
    pub server_errors: u64,
    /// No connection could be opened.
    pub connect_errors: u64,
    /// The connection was closed before the end of the response.
    pub resets: u64,
    /// What arrived was not HTTP.
    pub protocol_errors: u64,
    /// No response before the deadline.
    pub timed_out: u64,
    /// Sent, and without a response at the end.
    pub unfinished: u64,
    /// Due, and not sent at the end.
    pub never_sent: u64,
}

impl Account {
    /// Counts an outcome.
    pub fn count(&mut self, outcome: HitOutcome) {
        *match outcome {
            HitOutcome::Ok => &mut self.ok,
            HitOutcome::ClientError => &mut self.client_errors,
            HitOutcome::ServerError => &mut self.server_errors,
            HitOutcome::Connect => &mut self.connect_errors,
            HitOutcome::Reset => &mut self.resets,
            HitOutcome::Protocol => &mut self.protocol_errors,
            HitOutcome::TimedOut => &mut self.timed_out,
            HitOutcome::Unfinished => &mut self.unfinished,
            HitOutcome::NeverSent => &mut self.never_sent,
        } += 1;
    }

    /// Every outcome with its name.
    pub fn outcomes(&self) -> [(&'static str, u64); 9] {
        [
            ("ok", self.ok),
            ("4xx", self.client_errors),
            ("5xx", self.server_errors),
            ("connect errors", self.connect_errors),
            ("resets", self.resets),
            ("protocol errors", self.protocol_errors),
            ("timed out", self.timed_out),
            ("unfinished", self.unfinished),
            ("never sent", self.never_sent),
        ]
    }

    /// The requests with an outcome.
    pub fn accounted(&self) -> u64 {
        self.outcomes().iter().map(|(_, count)| count).sum()
    }

    /// Whether every request that was due has exactly one outcome.
    pub fn is_balanced(&self) -> bool {
        self.scheduled == self.accounted()
    }

    /// The responses, whatever their status.
    pub fn answered(&self) -> u64 {
        self.ok + self.client_errors + self.server_errors
    }

    /// Adds the account of another shard.
    pub fn merge(&mut self, other: &Self) {
        self.scheduled += other.scheduled;
        self.ok += other.ok;
        self.client_errors += other.client_errors;
        self.server_errors += other.server_errors;
        self.connect_errors += other.connect_errors;
        self.resets += other.resets;
        self.protocol_errors += other.protocol_errors;
        self.timed_out += other.timed_out;
        self.unfinished += other.unfinished;
        self.never_sent += other.never_sent;
    }
}
