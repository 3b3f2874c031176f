//! Calls to receivers of every temper, over real TLS.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use enlist_core::SystemClock;
use enlist_outbound::{CallError, Client, Reply, Request};
use enlist_testkit::{Answer, Receiver};

fn client() -> Client {
    Client::new(Arc::new(SystemClock))
}

fn request(receiver: &Receiver) -> Request {
    Request {
        url: receiver.url(),
        anchors_pem: Some(receiver.ca_pem().to_owned()),
        headers: vec![("webhook-id", "7".to_owned())],
        body: b"{\"a\":1}".to_vec(),
        timeout: Duration::from_secs(5),
        most_bytes: 64 * 1024,
    }
}

#[tokio::test]
async fn a_call_arrives_whole_and_its_reply_comes_back() {
    let receiver = Receiver::start(|_| Answer::Body(201, b"thanks".to_vec()));
    let reply = client().call(request(&receiver)).await.unwrap();
    let body = b"thanks".to_vec();
    assert_eq!(reply, Reply { status: 201, body });
    let received = &receiver.received()[0];
    assert_eq!(received.path, "/events");
    assert_eq!(received.id, "7");
    assert_eq!(received.body, b"{\"a\":1}");
}

#[tokio::test]
async fn a_connection_is_used_again_and_one_that_was_closed_is_replaced() {
    let mut receiver = Receiver::start(|_| Answer::Status(204));
    let client = client();
    for _ in 0..3 {
        client.call(request(&receiver)).await.unwrap();
    }
    let connections = |receiver: &Receiver| -> Vec<_> {
        let received = receiver.received();
        received.iter().map(|one| one.connection).collect()
    };
    assert_eq!(connections(&receiver), [0, 0, 0]);
    receiver.down();
    receiver.up();
    assert_eq!(client.call(request(&receiver)).await.unwrap().status, 204);
    assert_eq!(connections(&receiver).len(), 4);
}

#[tokio::test]
async fn at_most_sixteen_calls_are_with_one_receiver_at_once() {
    let receiver = Receiver::start(|_| Answer::Never);
    let client = Arc::new(client());
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let (client, mut request) = (client.clone(), request(&receiver));
        // Longer than the others wait for their turn.
        request.timeout = Duration::from_secs(7);
        calls.spawn(async move { client.call(request).await });
    }
    let (mut slow, mut crowded) = (0, 0);
    while let Some(outcome) = calls.join_next().await {
        match outcome.unwrap() {
            Err(CallError::TooSlow { .. }) => slow += 1,
            Err(CallError::Crowded) => crowded += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((slow, crowded), (16, 24));
    assert_eq!(receiver.received().len(), 16);
}

#[tokio::test]
async fn a_receiver_that_hangs_is_left_in_time() {
    let receiver = Receiver::start(|_| Answer::Never);
    let begun = Instant::now();
    let mut request = request(&receiver);
    request.timeout = Duration::from_millis(500);
    let said = client().call(request).await.unwrap_err().to_string();
    assert_eq!(said, "there was no whole answer within 0.5 seconds");
    assert!(begun.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn ten_mebibytes_are_not_read() {
    let receiver = Receiver::start(|_| Answer::Body(200, vec![b'.'; 10 * 1024 * 1024]));
    let outcome = client().call(request(&receiver)).await;
    assert!(
        matches!(outcome, Err(CallError::TooLarge { status: 200, .. })),
        "{outcome:?}"
    );
    // The next one has a connection of its own.
    let mut small = request(&receiver);
    small.most_bytes = 11 * 1024 * 1024;
    assert!(client().call(small).await.is_ok());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = Receiver::start(|_| Answer::Status(200));
    let to = other.url();
    let receiver = Receiver::start(move |_| Answer::Redirect(to.clone()));
    let outcome = client().call(request(&receiver)).await;
    assert!(matches!(
        outcome,
        Err(CallError::Redirected { status: 307 })
    ));
    assert!(other.received().is_empty());
}

#[tokio::test]
async fn a_receiver_of_another_ca_or_name_is_sent_nothing() {
    let (receiver, other) = (
        Receiver::start(|_| Answer::Status(200)),
        Receiver::start(|_| Answer::Status(200)),
    );
    let client = client();
    let mut foreign = request(&receiver);
    foreign.anchors_pem = Some(other.ca_pem().to_owned());
    let outcome = client.call(foreign).await;
    assert!(matches!(outcome, Err(CallError::Tls(_))), "{outcome:?}");
    let mut misnamed = request(&receiver);
    misnamed.url = misnamed.url.replace("localhost", "127.0.0.2");
    let outcome = client.call(misnamed).await;
    assert!(matches!(
        outcome,
        Err(CallError::Tls(_) | CallError::Connect(_))
    ));
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn a_connection_that_breaks_off_is_an_error_and_the_next_call_is_not() {
    let answers = std::sync::atomic::AtomicU32::new(0);
    let receiver =
        Receiver::start(
            move |_| match answers.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                0 => Answer::Close,
                _ => Answer::Status(200),
            },
        );
    let client = client();
    let outcome = client.call(request(&receiver)).await;
    assert!(
        matches!(outcome, Err(CallError::Exchange(_))),
        "{outcome:?}"
    );
    assert!(client.call(request(&receiver)).await.is_ok());
}

#[tokio::test]
async fn nobody_is_called_at_link_local_addresses() {
    let receiver = Receiver::start(|_| Answer::Status(200));
    let client = client();
    for host in [
        "169.254.169.254",
        "[fe80::1]",
        "0.0.0.0",
        "[::ffff:a9fe:a9fe]",
    ] {
        let mut request = request(&receiver);
        request.url = format!("https://{host}/latest/meta-data");
        let outcome = client.call(request).await;
        assert!(
            matches!(outcome, Err(CallError::Forbidden { .. })),
            "{host}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn who_is_not_there_is_said_so() {
    let mut receiver = Receiver::start(|_| Answer::Status(200));
    let client = client();
    let mut nobody = request(&receiver);
    nobody.url = "https://no-such-host.invalid/".to_owned();
    assert!(matches!(
        client.call(nobody).await,
        Err(CallError::Unresolved { .. })
    ));
    receiver.down();
    assert!(matches!(
        client.call(request(&receiver)).await,
        Err(CallError::Connect(_))
    ));
}

#[test]
fn what_can_never_be_called_is_found_before() {
    let client = client();
    assert!(client.check("http://a.test/", None).is_err());
    assert!(client.check("https://a.test/", Some("no PEM")).is_err());
    let receiver = Receiver::start(|_| Answer::Status(200));
    let ca = receiver.ca_pem();
    assert!(client.check("https://a.test/", Some(ca)).is_ok());
}
