//! From where a server is watched over.

use std::net::SocketAddr;

use super::ConfigError;
use crate::traces::{Endpoint, TraceSettings};

/// Of a hundred requests one is traced, where nothing else is said.
const DEFAULT_RATIO: f64 = 0.01;

/// From where a server is watched over, as it was set.
#[derive(Debug, Clone, PartialEq)]
pub struct ObserveSettings {
    /// Where metrics are asked for, if anywhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Where traces go, if anywhere.
    pub traces: Option<TraceSettings>,
}

impl ObserveSettings {
    /// Checks that it can be used.
    pub(super) fn decide(
        metrics_listen: Option<SocketAddr>,
        endpoint: Option<&str>,
        ratio: Option<f64>,
    ) -> Result<Self, ConfigError> {
        let ratio = ratio.unwrap_or(DEFAULT_RATIO);
        if !(0.0..=1.0).contains(&ratio) {
            return Err(ConfigError::TraceRatio);
        }
        let endpoint: Option<Endpoint> = endpoint
            .map(str::parse)
            .transpose()
            .map_err(ConfigError::OtlpEndpoint)?;
        Ok(Self {
            metrics_listen,
            traces: endpoint.map(|endpoint| TraceSettings { endpoint, ratio }),
        })
    }
}

/// The collector, as the environment names it: by a name of ours, or by those that OpenTelemetry has, of
/// which the last is that of the collector as a whole.
pub(super) fn endpoint(
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<String>, ConfigError> {
    const WHOLE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    let of_traces =
        variable("ENLIST_OTLP_ENDPOINT").or_else(|| variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"));
    let whole = || {
        let below = variable(WHOLE).map(|base| Endpoint::below(&base));
        below.transpose().map_err(|error| ConfigError::Variable {
            name: WHOLE,
            problem: error.to_string(),
        })
    };
    match of_traces {
        Some(endpoint) => Ok(Some(endpoint)),
        None => Ok(whole()?.map(|endpoint| endpoint.to_string())),
    }
}

/// The share of requests that are traced, as the environment says it.
pub(super) fn ratio(variable: impl Fn(&str) -> Option<String>) -> Result<Option<f64>, ConfigError> {
    for name in ["ENLIST_TRACE_RATIO", "OTEL_TRACES_SAMPLER_ARG"] {
        if let Some(text) = variable(name) {
            let problem = "it has to be a number from 0 to 1".to_owned();
            let bad = ConfigError::Variable { name, problem };
            return text.parse().map(Some).map_err(|_| bad);
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::super::Layer;
    use super::*;

    fn decided(variables: &[(&str, &str)]) -> Result<ObserveSettings, ConfigError> {
        let layer = Layer::from_environment(|name| {
            let found = variables.iter().find(|(one, _)| *one == name);
            found.map(|(_, value)| (*value).to_owned())
        })?;
        Ok(layer.decide()?.observe)
    }

    #[test]
    fn nothing_is_told_to_anybody_unless_it_is_asked_for() {
        let settings = decided(&[]).unwrap();
        assert_eq!((settings.metrics_listen, settings.traces), (None, None));
    }

    #[test]
    fn the_collector_goes_by_our_name_or_by_those_of_opentelemetry() {
        let endpoint = |variables: &[(&str, &str)]| {
            let traces = decided(variables).unwrap().traces.unwrap();
            (traces.endpoint.to_string(), traces.ratio)
        };
        let whole = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");
        let own = ("ENLIST_OTLP_ENDPOINT", "http://d/t");
        assert_eq!(
            endpoint(&[whole]),
            ("http://c:4318/v1/traces".to_owned(), 0.01)
        );
        let ratio = ("OTEL_TRACES_SAMPLER_ARG", "0.5");
        assert_eq!(
            endpoint(&[whole, own, ratio]),
            ("http://d/t".to_owned(), 0.5)
        );
    }

    #[test]
    fn what_is_no_url_and_no_share_is_refused() {
        let refused = decided(&[("ENLIST_OTLP_ENDPOINT", "grpc://c:4317")]);
        assert!(matches!(refused, Err(ConfigError::OtlpEndpoint(_))));
        let refused = decided(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "c:4318")]);
        assert!(matches!(refused, Err(ConfigError::Variable { .. })));
        for bad in ["2", "-1", "NaN"] {
            let refused = decided(&[("ENLIST_TRACE_RATIO", bad)]);
            assert!(matches!(refused, Err(ConfigError::TraceRatio)), "{bad}");
        }
        let refused = decided(&[("ENLIST_TRACE_RATIO", "much")]);
        assert!(matches!(refused, Err(ConfigError::Variable { .. })));
    }
}
