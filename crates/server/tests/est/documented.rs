//! What docs/est.md has people type.

use std::path::Path;

use super::hall::Hall;

/// The code of the section on curl and openssl, but for the line with the server's address.
fn code() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/est.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, section) = page.split_once("## With curl and openssl\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let blocks: String = section.split("```").skip(1).step_by(2).collect();
    let (_, code) = blocks.trim_start().split_once('\n').unwrap();
    code.to_owned()
}

#[test]
fn what_the_page_says_enrolls_re_enrolls_and_brings_a_key_and_shows_refusals() {
    let hall = Hall::with_pumps();
    let said = hall.sh(&format!(
        "SERVER=https://$HOST
         {}
         for one in pump-1.crt pump-1.next pump-2.crt; do openssl verify -partial_chain -CAfile ca.pem $one; done
         openssl x509 -in pump-2.crt -noout -pubkey | cmp - <(openssl pkey -in pump-2.key -pubout)
         stat -c %a pump-2.key
         ! ls answer parts 2> /dev/null
         est -u pump-1:eps_x -H 'Content-Type: application/pkcs10' --data-binary @pump-1.req \\
             $SERVER/.well-known/est/pumps/simpleenroll 2> /dev/null && exit 1
         true",
        code()
    ));
    for good in ["pump-1.crt: OK", "pump-1.next: OK", "pump-2.crt: OK", "600"] {
        assert!(said.lines().any(|line| line == good), "{good}: {said}");
    }
    assert!(said.contains("(secret-wrong)"), "{said}");
}
