//! What the process tells of itself: lines on the standard error, and traces by OpenTelemetry where somebody collects them.

use std::io::{self, IsTerminal as _};
use std::sync::OnceLock;

use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

/// What is logged, such as `info` or `projector=debug,warn`.
const LOG_LEVEL: &str = "DRAWDOWN_LOG_LEVEL";
/// Where traces are collected, OTLP over HTTP: as OpenTelemetry names it. Other settings of OpenTelemetry's count too.
const COLLECTOR: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

static TRACES: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Begins to log, and to send traces if a collector is named.
///
/// # Errors
///
/// If the collector cannot be used.
pub fn begin(level: &str) -> anyhow::Result<()> {
    let filter = || EnvFilter::try_from_env(LOG_LEVEL).unwrap_or_else(|_| EnvFilter::new(level));
    let colours = io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer().with_ansi(colours).with_writer(io::stderr);
    let lines = tracing_subscriber::registry().with(lines.with_filter(filter()));
    if COLLECTOR.iter().all(|name| std::env::var_os(name).is_none()) {
        lines.init();
        return Ok(());
    }
    let exporter = opentelemetry_otlp::SpanExporter::builder().with_http().build()?;
    let resource = Resource::builder().with_service_name("drawdown").build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("drawdown"));
    lines.with(layer.with_filter(EnvFilter::new("server=info"))).init();
    TRACES.get_or_init(|| provider);
    Ok(())
}

/// Sends what was traced and not sent yet.
pub fn end() {
    if let Some(provider) = TRACES.get()
        && let Err(error) = provider.shutdown()
    {
        eprintln!("drawdown: some traces were not sent: {error}");
    }
}

/// Whether traces are collected.
pub(crate) fn is_traced() -> bool {
    TRACES.get().is_some()
}

/// A span that only a trace shows: none where no traces are sent, for it costs every request.
pub(crate) fn if_traced(span: impl FnOnce() -> Span) -> Span {
    if is_traced() { span() } else { Span::none() }
}

/// Makes a span part of the trace that a request came with (W3C `traceparent`).
pub(crate) fn continue_trace(span: &Span, headers: &axum::http::HeaderMap) {
    if is_traced() {
        let context = TraceContextPropagator::new().extract(&Headers(headers));
        // Only a span that was closed has no more parents.
        let _ = span.set_parent(context);
    }
}

/// The trace that this is part of, as a record keeps it; none where traces are not collected.
pub(crate) fn current_trace() -> Option<String> {
    if !is_traced() {
        return None;
    }
    let mut headers = std::collections::HashMap::new();
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut headers);
    headers.remove("traceparent")
}

struct Headers<'a>(&'a axum::http::HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(axum::http::HeaderName::as_str).collect()
    }
}
