//! A route: where it is, whom it lets in, what it does, and what is said of it in the OpenAPI document. All of it in one place, so
//! that none can be forgotten.

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::generate::SchemaGenerator;
use schemars::{JsonSchema, Schema};

use super::App;
use super::caller::{Needs, authorize};
use super::forward::forward;

/// Makes a schema, and adds those that it refers to.
pub(crate) type Describe = fn(&mut SchemaGenerator) -> Schema;

/// One way to call the server.
pub(crate) struct Route {
    pub(crate) method: Method,
    /// With its parameters in braces.
    pub(crate) path: &'static str,
    pub(crate) needs: Needs,
    /// What it does, in one sentence.
    pub(crate) summary: &'static str,
    handler: MethodRouter<Arc<App>>,
    /// The parameters behind the question mark, as the properties of an object.
    pub(crate) query: Option<Describe>,
    /// Headers that it reads: name, what they mean.
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    /// What it takes: media type and schema.
    pub(crate) takes: Vec<(&'static str, Describe)>,
    pub(crate) answers: Vec<Answer>,
    /// Statuses of its problems, beside those that every route has.
    pub(crate) problems: Vec<u16>,
    /// Whether it is best answered where the wallet is folded.
    goes_to_owner: bool,
}

/// What a route answers when all is well.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) what: &'static str,
    /// Media type and schema; none without a body.
    pub(crate) body: Option<(&'static str, Describe)>,
}

impl Route {
    pub(crate) fn get<H, T>(path: &'static str, needs: Needs, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        Self::new((Method::GET, MethodFilter::GET), path, needs, summary, handler)
    }

    pub(crate) fn post<H, T>(path: &'static str, needs: Needs, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        Self::new((Method::POST, MethodFilter::POST), path, needs, summary, handler)
    }

    pub(crate) fn put<H, T>(path: &'static str, needs: Needs, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        Self::new((Method::PUT, MethodFilter::PUT), path, needs, summary, handler)
    }

    pub(crate) fn delete<H, T>(path: &'static str, needs: Needs, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        Self::new((Method::DELETE, MethodFilter::DELETE), path, needs, summary, handler)
    }

    fn new<H, T>(
        (method, filter): (Method, MethodFilter),
        path: &'static str,
        needs: Needs,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        Self {
            method,
            path,
            needs,
            summary,
            handler: on(filter, handler),
            query: None,
            headers: Vec::new(),
            takes: Vec::new(),
            answers: Vec::new(),
            problems: Vec::new(),
            goes_to_owner: false,
        }
    }

    /// The parameters behind the question mark are `Q`'s properties.
    pub(crate) fn query<Q: JsonSchema>(mut self) -> Self {
        self.query = Some(SchemaGenerator::subschema_for::<Q>);
        self
    }

    pub(crate) fn header(mut self, name: &'static str, what: &'static str) -> Self {
        self.headers.push((name, what));
        self
    }

    /// It takes a JSON body.
    pub(crate) fn takes<T: JsonSchema>(self) -> Self {
        self.takes_as::<T>("application/json")
    }

    pub(crate) fn takes_as<T: JsonSchema>(mut self, media: &'static str) -> Self {
        self.takes.push((media, SchemaGenerator::subschema_for::<T>));
        self
    }

    /// It answers with a JSON body.
    pub(crate) fn answers<T: JsonSchema>(self, status: u16, what: &'static str) -> Self {
        self.answers_as::<T>(status, what, "application/json")
    }

    pub(crate) fn answers_as<T: JsonSchema>(
        mut self,
        status: u16,
        what: &'static str,
        media: &'static str,
    ) -> Self {
        let body = Some((media, SchemaGenerator::subschema_for::<T> as Describe));
        self.answers.push(Answer { status, what, body });
        self
    }

    /// It answers without a body.
    pub(crate) fn answers_nothing(mut self, status: u16, what: &'static str) -> Self {
        self.answers.push(Answer { status, what, body: None });
        self
    }

    pub(crate) fn problems(mut self, statuses: &[u16]) -> Self {
        self.problems.extend(statuses);
        self
    }

    /// It is about one wallet, and best answered by the node that folds it.
    pub(crate) fn where_folded(mut self) -> Self {
        self.goes_to_owner = true;
        self
    }

    /// Adds it to the server's.
    pub(crate) fn mount(self, router: Router<Arc<App>>, app: &Arc<App>) -> Router<Arc<App>> {
        let handler = match self.goes_to_owner {
            true => self.handler.layer(from_fn_with_state(app.clone(), forward)),
            false => self.handler,
        };
        let guarded = handler.layer(from_fn_with_state((app.clone(), self.needs), authorize));
        router.route(self.path, guarded)
    }
}
