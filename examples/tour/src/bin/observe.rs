//! Sends the client's spans to OpenTelemetry, makes metrics of them, and sends `traceparent` to the
//! service. In place of the in-memory exporters, a service has those of `opentelemetry-otlp`.

#![expect(clippy::print_stdout, reason = "the output of an example")]

use std::error::Error;
use std::time::Duration;

use checksum_mock::{Fault, Mock};
use opentelemetry::metrics::{Histogram, MeterProvider};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TracerProvider;
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    InMemorySpanExporter, SdkTracerProvider, Span, SpanData, SpanProcessor,
};
use tour::exported::{print_metrics, print_traces};
use tracing::Instrument;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (spans, metrics) = (
        InMemorySpanExporter::default(),
        InMemoryMetricExporter::default(),
    );
    let meters = SdkMeterProvider::builder()
        .with_periodic_exporter(metrics.clone())
        .build();
    let tracers = SdkTracerProvider::builder()
        .with_span_processor(SpanMetrics::new(&meters))
        .with_simple_exporter(spans.clone())
        .build();
    // The spans are of level DEBUG, and a log at INFO does not show them.
    let filter = Targets::new()
        .with_target("checksum", tracing::Level::DEBUG)
        .with_target("deploy", tracing::Level::INFO);
    let layer = tracing_opentelemetry::layer().with_tracer(tracers.tracer("deploy"));
    tracing_subscriber::registry()
        .with(layer.with_filter(filter))
        .init();

    let mock = Mock::start().await?;
    mock.fault(Fault::status(503).on_operation("get_run_status"));
    let checksum = tour::builder_for(&mock)
        .trace_context(|headers| {
            let context = tracing::Span::current().context();
            TraceContextPropagator::new().inject_context(&context, headers);
        })
        .build()?;

    let deploy = tracing::info_span!(target: "deploy", "deploy", version = "1.2.3");
    let run = async { checksum.run_suite().start().await?.await };
    println!("the run has {}\n", run.instrument(deploy).await?.outcome());

    tracers.force_flush()?;
    meters.force_flush()?;
    print_traces(&spans)?;
    print_metrics(&metrics)?;
    let requests = mock.requests();
    let traced = requests
        .iter()
        .filter(|request| request.header("traceparent").is_some());
    println!(
        "\n{} of {} requests had a traceparent",
        traced.count(),
        requests.len()
    );
    Ok(())
}

/// Makes metrics of spans when they end.
#[derive(Debug)]
struct SpanMetrics {
    request_duration: Histogram<f64>,
    polls: Histogram<u64>,
}

impl SpanMetrics {
    fn new(meters: &SdkMeterProvider) -> Self {
        let meter = meters.meter("checksum");
        let request_duration = meter
            .f64_histogram("http.client.request.duration")
            .with_unit("s");
        Self {
            request_duration: request_duration.build(),
            polls: meter.u64_histogram("checksum.wait.polls").build(),
        }
    }
}

impl SpanProcessor for SpanMetrics {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        // Not the handle and the URL: a metric has few values of each attribute.
        let kept = |names: &[&str]| -> Vec<KeyValue> {
            let attributes = span.attributes.iter();
            attributes
                .filter(|a| names.contains(&a.key.as_str()))
                .cloned()
                .collect()
        };
        if let Some(polls) =
            attribute(&span, "checksum.polls").and_then(|polls| polls.as_str().parse().ok())
        {
            self.polls
                .record(polls, &kept(&["checksum.outcome", "error.type"]));
        } else if attribute(&span, "url.template").is_some() {
            let duration = span
                .end_time
                .duration_since(span.start_time)
                .unwrap_or_default();
            let names = [
                "http.request.method",
                "url.template",
                "http.response.status_code",
                "error.type",
            ];
            self.request_duration
                .record(duration.as_secs_f64(), &kept(&names));
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

fn attribute<'a>(span: &'a SpanData, name: &str) -> Option<&'a Value> {
    let mut attributes = span.attributes.iter();
    attributes
        .find(|a| a.key.as_str() == name)
        .map(|a| &a.value)
}
