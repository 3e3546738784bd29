//! Tests of one stack from its start to its stop.

use std::time::{Duration, Instant};

use super::fakes::{FakeSystem, root, spec, with_system};
use crate::{
    OneShotOutcome, Overrides, ProcessIdentity, ServiceError, Stack, StackError, StackInfo,
};

fn entries(root: &std::path::Path) -> usize {
    root.read_dir().expect("a directory").count()
}

/// Makes a fake service fail, without a backtrace, which would hide the message in the tail of the log.
fn failing() -> Overrides {
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
async fn two_stacks_run_side_by_side_and_leave_no_files() {
    let root = root();
    let spec = spec(root.path());
    let started = Instant::now();
    let (one, two) = tokio::join!(Stack::start(&spec), Stack::start(&spec));
    let (one, two) = (one.expect("a stack"), two.expect("a stack"));
    println!("two stacks started in {:?}", started.elapsed());
    assert_ne!(one.info().api_url, two.info().api_url);
    assert_eq!((query(&one).await, query(&two).await), (42, 42));

    let read = StackInfo::read(&one.info().directory).expect("the stack's file");
    assert_eq!(&read, one.info());
    assert!(
        read.credentials
            .iter()
            .all(|(_, secret)| secret.expose().len() >= 32)
    );

    let identities: Vec<ProcessIdentity> = one
        .info()
        .processes()
        .map(|service| service.identity)
        .collect();
    assert!(identities.iter().all(|identity| identity.is_alive()));
    let stopped = Instant::now();
    one.stop().await.expect("stop");
    println!("a stack stopped in {:?}", stopped.elapsed());
    assert!(!identities.iter().any(|identity| identity.is_alive()));
    drop(two);
    assert_eq!(entries(root.path()), 0);
}

#[tokio::test]
async fn every_service_can_be_paused_stopped_and_restarted() {
    let root = root();
    let stack = Stack::start(&spec(root.path())).await.expect("a stack");
    let workers = stack.workers();
    let all = [stack.postgres(), stack.standins(), stack.api(), &workers[0]];
    for service in all {
        let before = service.identity();
        service.pause().await.expect("pause");
        assert!(service.is_paused() && service.is_running());
        assert!(!stack.is_healthy().await);
        service.resume().await.expect("resume");
        service.restart().await.expect("restart");
        assert_ne!(service.identity(), before, "{}", service.name());
        let status = service.terminate(Duration::from_secs(5)).await;
        assert_eq!(service.exit_status(), Some(status.expect("an exit status")));
        assert!(!service.is_running());
        service.start().await.expect("start");
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
async fn a_stack_that_fails_to_start_reports_the_cause_and_leaves_no_files() {
    let root = root();
    let overrides = failing();
    let spec = with_system(root.path(), FakeSystem { overrides });
    match Stack::start(&spec).await {
        Err(StackError::Service(ServiceError::Died { service, tail, .. })) => {
            assert_eq!(service, "migrate");
            assert!(tail.contains("DATABASE_URL is not set"), "{tail}");
        }
        other => panic!("expected a failed migration, not {other:?}"),
    }
    assert_eq!(entries(root.path()), 0);
}

#[tokio::test]
async fn a_one_shot_command_runs_with_another_environment() {
    let root = root();
    let stack = Stack::start(&spec(root.path())).await.expect("a stack");
    let failing = failing();
    let second = Duration::from_secs(1);
    let refused = stack.run_one_shot(&["api"], &failing, 10 * second).await;
    match refused.expect("an outcome") {
        OneShotOutcome::Exited(output) => assert!(!output.status.success()),
        OneShotOutcome::TimedOut => panic!("it should have failed"),
    }
    let runs = stack
        .run_one_shot(&["api"], &Overrides::new(), second)
        .await;
    assert!(matches!(runs, Ok(OneShotOutcome::TimedOut)));
    assert!(stack.is_healthy().await);
    stack.stop().await.expect("stop");
}
