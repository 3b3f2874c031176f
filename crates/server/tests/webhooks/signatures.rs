//! That a receiver can tell who calls.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use enlist_core::{Clock, Timestamp};
use enlist_testkit::{Answer, BadSignature, Receiver, Rig};

use super::{eventually, some_devices, standing, tell};

/// The code block of this language in the document for receivers.
fn documented(language: &str) -> &'static str {
    let page = include_str!("../../../../docs/webhooks.md");
    let block = page.split(&format!("```{language}\n")).nth(1).unwrap();
    block.split("```").next().unwrap()
}

#[test]
fn openssl_and_python_verify_a_request_as_the_document_says() {
    let rig = Rig::new();
    let receiver = Receiver::start(|_| Answer::Status(200));
    let secret = tell(&rig, "erp", &receiver);
    assert!(rig.admin().test_webhook("default", "erp").unwrap().told);
    let ping = receiver.received().remove(0);
    assert_eq!(ping.json()["type"], "ping");
    assert_eq!(ping.json()["data"]["webhook"], "erp");

    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("body"), &ping.body).unwrap();
    let shell = Command::new("sh")
        .args(["-euc", documented("sh")])
        .envs([
            ("secret", &secret),
            ("id", &ping.id),
            ("timestamp", &ping.timestamp),
        ])
        .current_dir(dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8(shell.stdout).unwrap();
    assert_eq!(format!("v1,{}", said.trim()), ping.signature);

    let program = format!(
        "{}\nimport sys\nsecret, id, at, signature = sys.argv[1:]\n\
         headers = {{'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature}}\n\
         print(is_genuine(secret, headers, sys.stdin.buffer.read()))\n",
        documented("python")
    );
    let python = |body: &[u8]| {
        let mut python = Command::new("python3")
            .args([
                "-c",
                &program,
                &secret,
                &ping.id,
                &ping.timestamp,
                &ping.signature,
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        python.stdin.take().unwrap().write_all(body).unwrap();
        let output = python.wait_with_output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(python(&ping.body), "True");
    assert_eq!(python(b"{}"), "False");
}

#[test]
fn for_a_day_requests_carry_the_signatures_of_both_secrets() {
    let rig = Rig::new();
    let receiver = Receiver::start(|_| Answer::Status(200));
    let old = tell(&rig, "erp", &receiver);
    let ping = |secrets: [&str; 2]| {
        assert!(rig.admin().test_webhook("default", "erp").unwrap().told);
        let last = receiver.received().pop().unwrap();
        secrets.map(|secret| last.verify(secret, rig.clock.now()))
    };
    assert_eq!(ping([&old, &old]), [Ok(()), Ok(())]);
    let refreshed = rig.admin().refresh_webhook("default", "erp").unwrap();
    let new = refreshed.secret.expose().to_owned();
    assert_eq!(ping([&old, &new]), [Ok(()), Ok(())]);
    rig.clock.advance(Duration::from_secs(24 * 60 * 60 + 1));
    assert_eq!(ping([&old, &new]), [Err(BadSignature::Wrong), Ok(())]);
}

#[test]
fn every_event_is_signed() {
    let rig = Rig::new();
    let receiver = Receiver::start(|_| Answer::Status(200));
    let secret = tell(&rig, "erp", &receiver);
    some_devices(&rig, 2);
    eventually(&rig, "all is told", || {
        standing(&rig, "erp").behind == 0 && receiver.received().len() > 6
    });
    for one in receiver.received() {
        let at = Timestamp::from_secs(one.timestamp.parse().unwrap());
        assert_eq!(one.verify(&secret, at), Ok(()));
    }
}
