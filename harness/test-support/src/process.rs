//! A program that a test starts and that never outlives it.

use std::process::{Child, ChildStdout, Command, ExitStatus, Output};
use std::time::{Duration, Instant};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

use crate::wait::wait_for;

/// How long a program of a failed test may take to clean up before it is killed.
const GRACE: Duration = Duration::from_secs(30);

/// A running program, terminated when it is dropped.
#[derive(Debug)]
pub struct TestProcess {
    child: Child,
}

impl TestProcess {
    /// Starts a program.
    pub fn spawn(command: &mut Command) -> Self {
        let child = command.spawn().unwrap();
        Self { child }
    }

    /// Sends a signal.
    pub fn send_signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Kills the program without warning and waits until it is gone.
    pub fn kill(&mut self) {
        self.send_signal(Signal::KILL);
        self.wait();
    }

    /// Waits until the program exits.
    pub fn wait(&mut self) -> ExitStatus {
        wait_for("the exit of a program", || self.exit_status())
    }

    /// The exit status, once the program has exited.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// The standard output, if it is piped and was not taken before.
    pub fn take_stdout(&mut self) -> ChildStdout {
        self.child.stdout.take().unwrap()
    }
}

impl Drop for TestProcess {
    fn drop(&mut self) {
        // An error in a drop must not hide the failure of the test.
        let started = Instant::now();
        let mut signal = Some(Signal::TERM);
        while let Ok(None) = self.child.try_wait() {
            if let Some(signal) = signal.take() {
                let _ = kill_process(Pid::from_child(&self.child), signal);
            }
            if started.elapsed() > GRACE {
                let _ = self.child.kill();
                let _ = self.child.wait();
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Everything that a program printed, standard output first.
pub fn output_text(output: &Output) -> String {
    let [stdout, stderr] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{stdout}{stderr}")
}
