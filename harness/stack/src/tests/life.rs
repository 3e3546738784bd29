//! One stack from its start to its end.

use std::time::{Duration, Instant};

use super::fakes::{FakeSystem, root, spec, with_system};
use crate::{
    OneShotOutcome, Overrides, ProcessError, ProcessIdentity, Stack, StackError, StackInfo,
};

fn entries(root: &std::path::Path) -> usize {
    root.read_dir().expect("a directory").count()
}

/// A backtrace would push what the part says out of the end of its log.
fn told_to_fail() -> Overrides {
    ["FAKE_FAILURE", "RUST_BACKTRACE"]
        .into_iter()
        .zip(["1", "0"])
        .map(|(name, value)| (name.to_owned(), Some(value.to_owned())))
        .collect()
}

async fn query(stack: &Stack) -> i32 {
    use sqlx::Connection as _;

    let url = stack.info().database_url().expect("a URL").expose();
    let mut connection = sqlx::PgConnection::connect(url).await.expect("connect");
    let answer = sqlx::query_scalar("SELECT 42");
    answer.fetch_one(&mut connection).await.expect("an answer")
}

#[tokio::test]
async fn two_stacks_live_side_by_side_and_leave_nothing() {
    let root = root();
    let spec = spec(root.path());
    let started = Instant::now();
    let (one, two) = tokio::join!(Stack::start(&spec), Stack::start(&spec));
    let (one, two) = (one.expect("a stack"), two.expect("a stack"));
    println!("two stacks started in {:?}", started.elapsed());
    assert_ne!(one.info().api_url, two.info().api_url);
    assert_eq!((query(&one).await, query(&two).await), (42, 42));

    let read = StackInfo::read(&one.info().directory).expect("a card");
    assert_eq!(&read, one.info());
    assert!(
        read.credentials
            .iter()
            .all(|(_, secret)| secret.expose().len() >= 32)
    );

    let marks: Vec<ProcessIdentity> = one.info().processes().map(|process| process.mark).collect();
    assert!(marks.iter().all(|mark| mark.is_alive()));
    let stopped = Instant::now();
    one.stop().await.expect("stop");
    println!("a stack stopped in {:?}", stopped.elapsed());
    assert!(!marks.iter().any(|mark| mark.is_alive()));
    drop(two);
    assert_eq!(entries(root.path()), 0);
}

#[tokio::test]
async fn every_process_can_be_ended_frozen_and_restarted() {
    let root = root();
    let stack = Stack::start(&spec(root.path())).await.expect("a stack");
    let workers = stack.workers();
    let all = [stack.postgres(), stack.standins(), stack.api(), &workers[0]];
    for process in all {
        let before = process.mark();
        process.pause().await.expect("pause");
        assert!(process.is_paused() && process.is_running());
        assert!(!stack.is_healthy().await);
        process.resume().await.expect("resume");
        process.restart().await.expect("restart");
        assert_ne!(process.mark(), before, "{}", process.name());
        let status = process.terminate(Duration::from_secs(5)).await;
        assert_eq!(process.exit_status(), Some(status.expect("an end")));
        assert!(!process.is_running());
        process.start().await.expect("start");
    }
    assert!(stack.is_healthy().await);
    assert_eq!(query(&stack).await, 42);

    stack.scale_workers(3).await.expect("more");
    assert_eq!(stack.workers().len(), 3);
    stack.scale_workers(1).await.expect("fewer");
    assert_eq!(stack.workers().len(), 1);
    assert!(stack.is_healthy().await);
    stack.stop().await.expect("stop");
}

#[tokio::test]
async fn a_stack_that_dies_while_it_starts_says_why_and_leaves_nothing() {
    let root = root();
    let overrides = told_to_fail();
    let spec = with_system(root.path(), FakeSystem { overrides });
    match Stack::start(&spec).await {
        Err(StackError::Process(ProcessError::Died { process, tail, .. })) => {
            assert_eq!(process, "migrate");
            assert!(tail.contains("DATABASE_URL is not set"), "{tail}");
        }
        other => panic!("expected a death, not {other:?}"),
    }
    assert_eq!(entries(root.path()), 0);
}

#[tokio::test]
async fn a_part_can_be_tried_with_another_environment() {
    let root = root();
    let stack = Stack::start(&spec(root.path())).await.expect("a stack");
    let failing = told_to_fail();
    let second = Duration::from_secs(1);
    let refused = stack.run_one_shot(&["api"], &failing, 10 * second).await;
    match refused.expect("an attempt") {
        OneShotOutcome::Exited(output) => assert!(!output.status.success()),
        OneShotOutcome::TimedOut => panic!("it was told to fail"),
    }
    let runs = stack
        .run_one_shot(&["api"], &Overrides::new(), second)
        .await;
    assert!(matches!(runs, Ok(OneShotOutcome::TimedOut)));
    assert!(stack.is_healthy().await);
    stack.stop().await.expect("stop");
}
