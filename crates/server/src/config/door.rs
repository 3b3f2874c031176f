//! Whom the door believes, and how it closes.

use std::time::Duration;

use enlist_core::Network;

use super::ConfigError;

/// The longest that a server that was told to end goes on taking connections.
const LONGEST_DRAIN_S: u64 = 600;

/// The items of a list with commas, as a variable of the environment has it.
pub(super) fn listed(list: &str) -> Vec<String> {
    let items = list.split(',').map(str::trim);
    items
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The load balancers that are believed.
pub(super) fn trusted(networks: &[String]) -> Result<Vec<Network>, ConfigError> {
    let read = |text: &String| text.parse().map_err(ConfigError::TrustedProxy);
    networks.iter().map(read).collect()
}

/// How long the door stays open after `/readyz` has begun to fail.
pub(super) fn drain_delay(seconds: u64) -> Result<Duration, ConfigError> {
    if seconds > LONGEST_DRAIN_S {
        return Err(ConfigError::DrainDelay);
    }
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::super::Layer;
    use super::*;

    #[test]
    fn load_balancers_are_named_in_the_environment_or_the_file() {
        let layer = Layer::from_environment(|name| match name {
            "ENLIST_TRUSTED_PROXIES" => Some("10.0.0.5, 2001:db8::/32,".to_owned()),
            "ENLIST_DRAIN_DELAY_S" => Some("10".to_owned()),
            _ => None,
        })
        .unwrap();
        let listen = layer.decide().unwrap().listen;
        assert_eq!(listen.trusted_proxies.len(), 2);
        assert!(listen.trusted_proxies[1].contains("2001:db8::7".parse().unwrap()));
        assert_eq!(listen.drain_delay, Duration::from_secs(10));
        let nobody = Layer::default().decide().unwrap().listen;
        assert!(nobody.trusted_proxies.is_empty() && nobody.drain_delay.is_zero());
    }

    #[test]
    fn what_is_no_address_and_what_takes_too_long_is_refused() {
        let proxies = Layer {
            trusted_proxies: Some(vec!["balancer.example.com".to_owned()]),
            ..Layer::default()
        };
        assert!(matches!(
            proxies.decide(),
            Err(ConfigError::TrustedProxy(_))
        ));
        let for_ever = Layer {
            drain_delay_s: Some(601),
            ..Layer::default()
        };
        assert!(matches!(for_ever.decide(), Err(ConfigError::DrainDelay)));
    }
}
