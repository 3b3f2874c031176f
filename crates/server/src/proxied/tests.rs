use super::*;

/// What a head comes to, and what is left behind it.
async fn read(bytes: &[u8]) -> (io::Result<Option<SocketAddr>>, Vec<u8>) {
    let mut stream = bytes;
    let client = client(&mut stream).await;
    (client, stream.to_vec())
}

/// A head of version 2.
fn head(version: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    let parts: [&[u8]; 4] = [&SIGNATURE, &[version, family], &length, rest];
    parts.concat()
}

fn four() -> Vec<u8> {
    let addresses = [192, 0, 2, 1, 198, 51, 100, 1, 0xDC, 0x04, 0x01, 0xBB];
    head(0x21, 0x11, &addresses)
}

fn six() -> Vec<u8> {
    let source: Ipv6Addr = "2001:db8::7".parse().unwrap();
    let mut rest = [source.octets(), [0xFF; 16]].concat();
    rest.extend([0xDC, 0x04, 0x01, 0xBB]);
    // What else the balancer tells: a checksum, say.
    rest.extend([0x03, 0x00, 0x04, 1, 2, 3, 4]);
    head(0x21, 0x21, &rest)
}

const LINE: &[u8] = b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";

#[tokio::test]
async fn a_client_is_read_and_nothing_of_what_follows() {
    let lines: [(&[u8], &str); 2] = [
        (LINE, "192.0.2.1:56324"),
        (
            b"PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n",
            "[2001:db8::7]:56324",
        ),
    ];
    let heads = [(four(), "192.0.2.1:56324"), (six(), "[2001:db8::7]:56324")];
    let lines = lines.map(|(line, client)| (line.to_vec(), client));
    for (head, expected) in lines.into_iter().chain(heads) {
        let (client, left) = read(&[&head[..], b"\x16\x03\x01"].concat()).await;
        assert_eq!(client.unwrap().unwrap().to_string(), expected);
        assert_eq!(left, b"\x16\x03\x01");
    }
}

#[tokio::test]
async fn a_balancer_that_speaks_for_itself_names_nobody() {
    let heads = [
        head(0x20, 0x00, &[]),
        head(0x20, 0x11, &[9; 12]),
        head(0x21, 0x00, &[]),
        head(0x21, 0x31, &[7; 216]),
        b"PROXY UNKNOWN\r\n".to_vec(),
        b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n".to_vec(),
    ];
    for head in heads {
        let (client, left) = read(&head).await;
        assert_eq!(client.unwrap(), None);
        assert!(left.is_empty());
    }
}

#[tokio::test]
async fn a_head_that_is_cut_short_anywhere_is_none() {
    for head in [LINE.to_vec(), four(), six()] {
        for length in 0..head.len() {
            let (client, _) = read(&head[..length]).await;
            assert!(client.is_err(), "{length} bytes of {head:?}");
        }
    }
}

#[tokio::test]
async fn what_is_not_quite_a_head_is_none() {
    let lines: [&[u8]; 14] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\x00\x00",
        b"GET / HTTP/1.1\r\n\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 1\r\n",
        b"PROXY TCP4  192.0.2.1 198.51.100.1 56324 443\r\n",
        b"PROXY TCP4 2001:db8::7 198.51.100.1 56324 443\r\n",
        b"PROXY TCP6 192.0.2.1 198.51.100.1 56324 443\r\n",
        b"PROXY TCP4 192.0.2.01 198.51.100.1 56324 443\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.1 +56324 443\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.1 056324 443\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.1 65536 443\r\n",
        b"PROXY UDP4 192.0.2.1 198.51.100.1 56324 443\r\n",
        b"PROXY TCP4 192.0.2.1\xff 198.51.100.1 56324 443\r\n",
    ];
    let heads = [
        head(0x11, 0x11, &[9; 12]),
        head(0x22, 0x11, &[9; 12]),
        head(0x21, 0x12, &[9; 12]),
        head(0x21, 0x11, &[9; 11]),
        head(0x21, 0x21, &[9; 35]),
        head(0x21, 0x11, &[9; LONGEST_REST + 1]),
        [b"PROXY TCP4 ".as_slice(), &[b'1'; 200]].concat(),
    ];
    let lines = lines.map(<[u8]>::to_vec);
    for bytes in lines.into_iter().chain(heads) {
        let (client, _) = read(&bytes).await;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(client.is_err(), "{text}");
    }
}
