//! Prints what OpenTelemetry's in-memory exporters have received.

#![expect(clippy::print_stdout, reason = "the output of an example")]

use std::error::Error;

use opentelemetry::trace::{SpanId, Status};
use opentelemetry_sdk::metrics::InMemoryMetricExporter;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SpanData};

/// Prints each trace as a tree, with the attributes that are the same in each run.
///
/// # Errors
///
/// The exporter was shut down.
pub fn print_traces(exporter: &InMemorySpanExporter) -> Result<(), Box<dyn Error>> {
    print_tree(&exporter.get_finished_spans()?, SpanId::INVALID, 0);
    Ok(())
}

fn print_tree(spans: &[SpanData], parent: SpanId, depth: usize) {
    let mut children: Vec<_> = spans
        .iter()
        .filter(|s| s.parent_span_id == parent)
        .collect();
    children.sort_by_key(|span| span.start_time);
    for span in children {
        let shown = span.attributes.iter().filter(|a| {
            let key = a.key.as_str();
            key.starts_with("checksum.")
                || key == "error.type"
                || key == "http.response.status_code"
        });
        let shown: Vec<String> = shown.map(|a| format!(" {}={}", a.key, a.value)).collect();
        let failed = if matches!(span.status, Status::Error { .. }) {
            " (failed)"
        } else {
            ""
        };
        println!("{:depth$}{}{failed}{}", "", span.name, shown.concat());
        print_tree(spans, span.span_context.span_id(), depth + 2);
    }
}

/// Prints what was added to each histogram.
///
/// # Errors
///
/// The exporter was shut down.
pub fn print_metrics(exporter: &InMemoryMetricExporter) -> Result<(), Box<dyn Error>> {
    println!();
    for of_resource in exporter.get_finished_metrics()? {
        for metric in of_resource
            .scope_metrics()
            .flat_map(|scope| scope.metrics())
        {
            match metric.data() {
                AggregatedMetrics::F64(MetricData::Histogram(durations)) => {
                    let requests: u64 = durations.data_points().map(|point| point.count()).sum();
                    println!("{}: {requests} requests", metric.name());
                }
                AggregatedMetrics::U64(MetricData::Histogram(polls)) => {
                    let polls: u64 = polls.data_points().map(|point| point.sum()).sum();
                    println!("{}: {polls} polls", metric.name());
                }
                _ => {}
            }
        }
    }
    Ok(())
}
