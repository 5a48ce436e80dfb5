//! What a service sees of the client through `tracing`: names and fields are stable, and those of
//! OpenTelemetry where it has one.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex, PoisonError};

use checksum_api_ext::types::JobName;
use checksum_api_ext::{ApiVersion, RunHandle};
use checksum_tests::{Answer, Answers};
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// Writes down every span and event of this workspace with its fields.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<String>>);

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "    {field} = {value:?}");
    }
}

impl Notes {
    fn note(&self, title: &str, record: impl FnOnce(&mut Fields<'_>)) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.push_str(title);
        notes.push('\n');
        record(&mut Fields(&mut notes));
    }

    fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Notes {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let metadata = attributes.metadata();
        if metadata.target().starts_with("checksum") {
            let title = format!("{} span {}", metadata.level(), metadata.name());
            self.note(&title, |fields| attributes.record(fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let name = context.span(id).map_or("", |span| span.name());
        self.note(&format!("on {name}"), |fields| values.record(fields));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if metadata.target().starts_with("checksum") {
            let title = format!("{} event of {}", metadata.level(), metadata.target());
            self.note(&title, |fields| event.record(fields));
        }
    }
}

/// A wait that meets trouble and ends: one request that is answered with 503, and one with 200.
#[tokio::test(start_paused = true)]
async fn requests_and_trouble_are_told() {
    let notes = Notes::default();
    let subscriber = tracing_subscriber::registry().with(notes.clone());
    let _guard = tracing::subscriber::set_default(subscriber);
    let answers = Answers::new([Answer::status(503), json!({ "status": "passed" }).into()]);
    let handle = RunHandle::new(JobName::new("job").expect("a job name")).pin(ApiVersion::V1);
    let run = answers
        .client_with("key-that-nobody-may-see")
        .resume(handle);
    run.await.expect("an end");
    let told = notes.take();
    assert!(!told.contains("nobody-may-see"));
    insta::assert_snapshot!(told);
}
