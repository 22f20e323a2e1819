//! Reading a body: whole, or, when it is a long form, its beginning.
//!
//! A body that arrives in one piece is not copied; one in pieces is joined once. A form (an upload)
//! is read up to [`PREFIX_BYTES`], where its fields are to be, or until its model has come; what is
//! longer is passed on while it comes, and watched for fields that would change what was decided.

use super::{
    ClientBody,
    rest::{Rest, RestBounds},
    slow, too_large,
};
use crate::settings::GatewaySettings;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, header};
use http_body::Body;
use http_body_util::BodyExt;
use std::time::Duration;
use tollgate_core::{
    error::{Error, Kind},
    format::{Format, Operation},
};
use tollgate_wire::{
    endpoint::Endpoint,
    facts::FormRest,
    multipart::{Boundary, FormReader},
    objects::FileScan,
};

/// How much of a form is read before it is passed on: as much as its largest field may have.
const PREFIX_BYTES: u64 = 1 << 20;

/// How much of a form is read at most until its model has come, which some clients write behind the
/// file: as much as providers take of a recording (25 MB), and some.
const MODEL_BYTES: u64 = 32 << 20;

/// A body as far as it is here.
#[derive(Debug)]
pub(crate) struct Received {
    /// All of it, or its beginning.
    pub(crate) here: Bytes,
    /// What follows.
    pub(crate) rest: Option<Rest>,
}

/// Reads the body of a request to `endpoint`, up to the limit and no slower than the idle timeout
/// allows.
///
/// # Errors
/// [`Kind::TooLarge`], [`Kind::RequestTimeout`], or [`Kind::BadRequest`] for an encoding we would
/// have to undo before reading the model, and for a body of which it is said twice what it is.
pub(crate) async fn body(
    request: &mut Request<ClientBody>,
    endpoint: &Endpoint,
    settings: &GatewaySettings,
) -> Result<Received, Error> {
    refuse_said_twice(request.headers())?;
    refuse_encoded(request.headers())?;
    let form = form_type(request.headers()).map(ToOwned::to_owned);
    let is_upload = endpoint.operation == Operation::CreateObject;
    let limit = if is_upload {
        settings.upload_limit
    } else {
        settings.body_limit
    };
    let announced = request.body().size_hint();
    if announced.lower() > limit {
        return Err(too_large(limit));
    }
    let enough = form.as_ref().map_or(u64::MAX, |_| PREFIX_BYTES);
    let mut reading = Reading {
        joined: None,
        first: Bytes::new(),
        total: 0,
        limit,
        expected: announced.exact().unwrap_or(0).min(enough),
    };
    let body = request.body_mut();
    let idle = settings.body_idle_timeout;
    let mut ended = reading.up_to(enough, body, idle).await?;
    let decides = form.as_deref().filter(|_| !is_upload);
    if let Some(content_type) = decides {
        let mut wanted = WantedModel::new(content_type)?;
        while !ended && reading.total < MODEL_BYTES && !wanted.has_come(reading.so_far())? {
            ended = reading
                .up_to(reading.total + PREFIX_BYTES, body, idle)
                .await?;
        }
    }
    let watch = decides.filter(|_| !ended).map(ToOwned::to_owned);
    let read = reading.total;
    let here = reading.finish();
    if ended {
        return Ok(Received { here, rest: None });
    }
    let scans = is_upload && endpoint.format == Format::OpenAiFiles;
    let mut scan = form.filter(|_| scans).as_deref().and_then(FileScan::new);
    if let Some(scan) = &mut scan {
        scan.feed(&here);
    }
    let watch = watch.map(|content_type| FormRest::new(&content_type, &here));
    let bounds = RestBounds {
        limit,
        room: limit.saturating_sub(read),
        idle,
    };
    let rest = Rest::new(body.take(), bounds, (scan, watch.transpose()?));
    Ok(Received {
        here,
        rest: Some(rest),
    })
}

/// Looks for the field that names the model.
struct WantedModel {
    reader: FormReader,
    looked_at: usize,
}

impl WantedModel {
    fn new(content_type: &str) -> Result<Self, Error> {
        Ok(Self {
            reader: FormReader::new(&Boundary::of(content_type)?),
            looked_at: 0,
        })
    }

    /// Whether it stands in `body`, to its end; `body` grows from call to call.
    fn has_come(&mut self, body: &[u8]) -> Result<bool, Error> {
        let new = body.get(self.looked_at..).unwrap_or_default();
        self.looked_at = body.len();
        self.reader.feed(new)?;
        let mut named = self.reader.form().named("model");
        Ok(named.any(|field| field.complete))
    }
}

struct Reading {
    joined: Option<BytesMut>,
    first: Bytes,
    total: u64,
    limit: u64,
    /// How much of it will be read, as far as that is announced.
    expected: u64,
}

impl Reading {
    /// Reads until it has `enough` bytes; whether that was all.
    async fn up_to(
        &mut self,
        enough: u64,
        body: &mut ClientBody,
        idle: Duration,
    ) -> Result<bool, Error> {
        while self.total < enough {
            let frame = tokio::time::timeout(idle, body.frame())
                .await
                .map_err(|_| slow(idle))?;
            match frame {
                None => return Ok(true),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.add(data)?;
                    }
                }
                Some(Err(error)) => {
                    return Err(Error::new(Kind::BadRequest, "the request body broke off")
                        .with_context(error.to_string()));
                }
            }
        }
        Ok(body.is_end_stream())
    }

    fn add(&mut self, data: Bytes) -> Result<(), Error> {
        let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
        self.total = self.total.saturating_add(length);
        if self.total > self.limit {
            return Err(too_large(self.limit));
        }
        match &mut self.joined {
            Some(joined) => joined.extend_from_slice(&data),
            None if self.first.is_empty() => self.first = data,
            None => self.joined = Some(self.join(&data)),
        }
        Ok(())
    }

    fn so_far(&self) -> &[u8] {
        self.joined.as_deref().unwrap_or(&self.first)
    }

    fn join(&self, second: &Bytes) -> BytesMut {
        let known = usize::try_from(self.expected.min(self.limit)).unwrap_or(0);
        let mut joined = BytesMut::with_capacity(known.max((self.first.len() + second.len()) * 2));
        joined.extend_from_slice(&self.first);
        joined.extend_from_slice(second);
        joined
    }

    fn finish(self) -> Bytes {
        self.joined.map_or(self.first, BytesMut::freeze)
    }
}

/// The content type, when it is that of a form.
fn form_type(headers: &HeaderMap) -> Option<&str> {
    let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let kind = content_type.split(';').next()?.trim();
    kind.eq_ignore_ascii_case("multipart/form-data")
        .then_some(content_type)
}

/// Of two such headers we would read the first, and the provider perhaps the second: what was
/// decided here would then be about another body.
fn refuse_said_twice(headers: &HeaderMap) -> Result<(), Error> {
    for name in [header::CONTENT_TYPE, header::CONTENT_ENCODING] {
        if headers.get_all(&name).iter().nth(1).is_some() {
            return Err(Error::new(
                Kind::BadRequest,
                format!("the header `{name}` stands there twice: send it once"),
            ));
        }
    }
    Ok(())
}

fn refuse_encoded(headers: &HeaderMap) -> Result<(), Error> {
    match headers.get(header::CONTENT_ENCODING) {
        None => Ok(()),
        Some(encoding) if encoding.as_bytes().eq_ignore_ascii_case(b"identity") => Ok(()),
        Some(encoding) => Err(Error::new(
            Kind::BadRequest,
            format!(
                "content-encoding `{}` is not supported: send the request body uncompressed",
                encoding.to_str().unwrap_or("?")
            ),
        )),
    }
}

#[cfg(test)]
mod tests;
