use base64ct::{Base64, Encoding};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Bytes that travel as standard base64 with padding (RFC 4648 §4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, format = Byte))]
pub struct Binary(pub Vec<u8>);

impl From<Vec<u8>> for Binary {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for Binary {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Serialize for Binary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Base64::encode_string(&self.0))
    }
}

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Base64::decode_vec(&text)
            .map(Self)
            .map_err(|_| de::Error::custom("not standard base64 with padding (RFC 4648 section 4)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_travel_as_base64() {
        let text = serde_json::to_string(&Binary(vec![0xff, 0, 1, 2])).unwrap();
        assert_eq!(text, "\"/wABAg==\"");
        assert_eq!(
            serde_json::from_str::<Binary>(&text).unwrap().0,
            [0xff, 0, 1, 2]
        );
    }

    #[test]
    fn other_alphabets_and_missing_padding_are_refused() {
        for text in ["\"_wABAg==\"", "\"/wABAg\"", "\"/wAB Ag==\"", "7"] {
            assert!(serde_json::from_str::<Binary>(text).is_err(), "{text}");
        }
    }
}
