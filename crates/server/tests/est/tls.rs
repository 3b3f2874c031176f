//! Older TLS, which EST clients in the field still speak.

use super::hall::Hall;

#[test]
fn tls_1_2_is_taken_with_a_client_certificate_and_without() {
    let hall = Hall::with_pumps();
    let old = "--tls-max 1.2 --http1.1";
    hall.sh(&format!(
        "key k
         test $(csr k / | est pumps/simpleenroll {old} -u pump-1:$SECRET) = 200
         certificates < body > k.crt
         test $(csr k / | est pumps/simplereenroll {old} --cert k.crt --key k) = 200"
    ));
    let seen =
        hall.sh("openssl s_client -connect $HOST -tls1_2 -CAfile root.pem < /dev/null 2> log");
    assert!(seen.contains("TLSv1.2"), "{seen}");
    assert!(seen.contains("Verify return code: 0 (ok)"), "{seen}");
    let (well, _) =
        hall.run("openssl s_client -connect $HOST -tls1_1 -CAfile root.pem < /dev/null");
    assert!(!well, "nothing older");
}
